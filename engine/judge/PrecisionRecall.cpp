#include "judge/PrecisionRecall.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace blendscope {

const std::vector<double>& iouThresholds() {
    static const std::vector<double> thresholds = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
    return thresholds;
}

PrecisionRecall::PrecisionRecall(const std::vector<OverlapScene>& scenes, double leastIou) {
    for (size_t s = 0; s < scenes.size(); ++s) {
        const OverlapScene& scene = scenes[s];
        const auto unitIn = [&](const std::vector<int>& units, size_t i) {
            return i < units.size() ? units[i] : static_cast<int>(s);
        };
        for (size_t t = 0; t < scene.asked.size(); ++t) {
            const auto u = static_cast<size_t>(unitIn(scene.truthUnit, t));
            if (u >= m_asked.size()) m_asked.resize(u + 1, 0);
            m_asked[u] += scene.asked[t];
        }
        std::vector<int> order(scene.confidence.size());
        std::iota(order.begin(), order.end(), 0);
        const auto confidence = [&](int d) {
            const double c = scene.confidence[static_cast<size_t>(d)];
            return std::isfinite(c) ? c : -std::numeric_limits<double>::max();
        };
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return confidence(a) > confidence(b); });
        std::vector<std::vector<const Overlap*>> of(scene.confidence.size());
        for (const Overlap& o : scene.overlaps) {
            if (o.iou >= leastIou) of[static_cast<size_t>(o.detection)].push_back(&o);
        }
        std::vector<char> taken(scene.asked.size(), 0);
        for (const int d : order) {
            const Overlap* best = nullptr;
            for (const Overlap* o : of[static_cast<size_t>(d)]) {
                const auto t = static_cast<size_t>(o->truth);
                if (taken[t]) continue;
                const bool asked = scene.asked[t], bestAsked = best && scene.asked[static_cast<size_t>(best->truth)];
                if (!best || (asked && !bestAsked) || (asked == bestAsked && o->iou > best->iou)) best = o;
            }
            if (best) taken[static_cast<size_t>(best->truth)] = 1;
            if (best && !scene.asked[static_cast<size_t>(best->truth)]) continue;
            if (!best && static_cast<size_t>(d) < scene.ignored.size() && scene.ignored[static_cast<size_t>(d)])
                continue;
            m_claims.push_back({confidence(d), unitIn(scene.detectionUnit, static_cast<size_t>(d)), best != nullptr});
        }
    }
    std::stable_sort(m_claims.begin(), m_claims.end(),
                     [](const Claim& a, const Claim& b) { return a.confidence > b.confidence; });
}

PrecisionRecallCurve PrecisionRecall::curve(const std::vector<std::uint16_t>& weights) const {
    PrecisionRecallCurve out;
    const auto weight = [&](size_t unit) { return unit < weights.size() ? double(weights[unit]) : 1.0; };
    double asked = 0.0, right = 0.0, all = 0.0;
    for (size_t s = 0; s < m_asked.size(); ++s) {
        asked += weight(s) * m_asked[s];
    }
    if (asked == 0.0) {
        out.averagePrecision = std::numeric_limits<double>::quiet_NaN();
        return out;
    }
    for (const Claim& c : m_claims) {
        const double w = weight(static_cast<size_t>(c.unit));
        if (w == 0.0) continue;
        right += c.right ? w : 0.0;
        all += w;
        out.recall.push_back(right / asked);
        out.precision.push_back(right / all);
    }
    for (size_t i = out.precision.size(); i-- > 1;) {
        out.precision[i - 1] = std::max(out.precision[i - 1], out.precision[i]);
    }
    double sum = 0.0;
    for (int k = 0; k <= 100; ++k) {
        // A hair below, so that 0.3 reached as 3/10 counts.
        const auto at = std::lower_bound(out.recall.begin(), out.recall.end(), 0.01 * k - 1e-12);
        if (at != out.recall.end()) sum += out.precision[static_cast<size_t>(at - out.recall.begin())];
    }
    out.averagePrecision = sum / 101.0;
    return out;
}

} // namespace blendscope
