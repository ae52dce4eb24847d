#include "judge/MatchOutcome.h"

#include "judge/Matching.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

QString matchOutcomeName(MatchOutcome outcome) {
    switch (outcome) {
    case MatchOutcome::Found:
        return QStringLiteral("found");
    case MatchOutcome::Shared:
        return QStringLiteral("shared");
    case MatchOutcome::Shredded:
        return QStringLiteral("shredded");
    case MatchOutcome::Missed:
        break;
    }
    return QStringLiteral("missed");
}

MatchOutcomes matchOutcomes(const std::vector<PixelPosition>& truths, const std::vector<double>& hlr,
                            const std::vector<PixelPosition>& detections, const std::vector<PixelPosition>& faint,
                            double fwhmArcsec, double arcsecPerPixel) {
    const double near = std::max(0.5 * fwhmArcsec, 0.4) / arcsecPerPixel;
    const double reach = std::max(1.5 * fwhmArcsec, 1.0) / arcsecPerPixel;
    const double faintReach = 1.0 / arcsecPerPixel;
    const size_t count = truths.size();
    MatchOutcomes out;
    out.outcome.assign(count, MatchOutcome::Missed);
    out.secondary.assign(count, false);
    out.host.assign(count, -1);
    if (detections.empty()) return out;

    const std::vector<int> own = matchNearestFirst(truths, detections, near).partner;
    const PointGrid grid(detections, reach);
    out.host = own;
    std::vector<std::vector<int>> guests(detections.size());
    for (size_t t = 0; t < count; ++t) {
        if (own[t] < 0) out.host[t] = grid.nearest(truths[t].x, truths[t].y, reach).index;
        if (out.host[t] >= 0) guests[static_cast<size_t>(out.host[t])].push_back(static_cast<int>(t));
    }
    const auto distance = [&](int t, size_t d) {
        const PixelPosition& a = truths[static_cast<size_t>(t)];
        return std::hypot(a.x - detections[d].x, a.y - detections[d].y);
    };
    std::vector<int> left;
    for (size_t d = 0; d < detections.size(); ++d) {
        const std::vector<int>& g = guests[d];
        if (g.empty()) {
            left.push_back(static_cast<int>(d));
        } else if (g.size() == 1) {
            out.outcome[static_cast<size_t>(g.front())] = MatchOutcome::Found;
        } else {
            bool owned = false;
            for (const int t : g) {
                out.outcome[static_cast<size_t>(t)] = MatchOutcome::Shared;
                const bool mine = own[static_cast<size_t>(t)] == static_cast<int>(d);
                out.secondary[static_cast<size_t>(t)] = !mine;
                owned |= mine;
            }
            if (!owned) { // the nearest one is the primary
                const int first = *std::min_element(g.begin(), g.end(),
                                                    [&](int a, int b) { return distance(a, d) < distance(b, d); });
                out.secondary[static_cast<size_t>(first)] = false;
            }
        }
    }

    std::vector<PixelPosition> leftAt;
    for (const int d : left) {
        leftAt.push_back(detections[static_cast<size_t>(d)]);
    }
    std::vector<char> explained(left.size(), 0);
    for (const int p : matchNearestFirst(faint, leftAt, faintReach).partner) {
        if (p >= 0) explained[static_cast<size_t>(p)] = 1;
    }
    const PointGrid truthGrid(truths, reach);
    double widest = reach;
    for (const double r : hlr) {
        if (std::isfinite(r)) widest = std::max(widest, 2.0 * r / arcsecPerPixel);
    }
    for (size_t i = 0; i < left.size(); ++i) {
        if (explained[i]) continue;
        const PointGrid::Hit hit = truthGrid.nearest(leftAt[i].x, leftAt[i].y, widest);
        const auto t = static_cast<size_t>(std::max(hit.index, 0));
        const double size = hit.index >= 0 && t < hlr.size() && std::isfinite(hlr[t]) ? hlr[t] : 0.0;
        if (hit.index >= 0 && hit.distance <= std::max(reach, 2.0 * size / arcsecPerPixel) && out.host[t] >= 0) {
            if (out.outcome[t] == MatchOutcome::Found) out.outcome[t] = MatchOutcome::Shredded;
        } else {
            ++out.spurious;
            out.unexplained.push_back(left[i]);
        }
    }
    return out;
}

} // namespace blendscope
