#include "judge/Failures.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace blendscope {

namespace {

constexpr int kSky = 14;       // pixels around the outermost objects
constexpr int kLeastSide = 56; // pixels
constexpr double kWorthSaying = 0.2;

double errorOf(const SceneScore& scene, const TruthScore& t) {
    const double e = t.bands[static_cast<size_t>(scene.reference)].error();
    return std::isfinite(e) ? e : double(kNan);
}

Failure describe(const SceneScore& scene, int sceneRow, int groupRow) {
    const GroupScore& group = scene.groups[static_cast<size_t>(groupRow)];
    Failure f;
    f.scene = sceneRow;
    f.group = groupRow;
    int found = 0;
    QStringList words;
    Box box;
    for (const int m : group.members) {
        const TruthScore& t = scene.truths[static_cast<size_t>(m)];
        const double weight = std::log10(std::max(t.snr, 1.0)), error = errorOf(scene, t);
        const Box own{static_cast<int>(std::lround(t.x)), static_cast<int>(std::lround(t.y)), 1, 1};
        box = box.united(own.grown(kSky));
        if (t.objectId <= 0) {
            f.badness += weight;
            words << QStringLiteral("S/N %1 missed").arg(t.snr, 0, 'f', 0);
            continue;
        }
        ++found;
        if (t.outcome == MatchOutcome::Shredded) {
            f.badness += weight;
            words << QStringLiteral("S/N %1 in pieces").arg(t.snr, 0, 'f', 0);
        } else if (std::isfinite(error)) {
            f.badness += weight * std::min(1.0, std::abs(error));
            if (std::abs(error) > kWorthSaying)
                words << QStringLiteral("flux of S/N %1 %2%3 %")
                             .arg(t.snr, 0, 'f', 0)
                             .arg(error > 0.0 ? QStringLiteral("+") : QString())
                             .arg(100.0 * error, 0, 'f', 0);
        }
    }
    f.words = QStringLiteral("%1 of %2 found").arg(found).arg(group.members.size());
    for (const QString& w : std::as_const(words)) {
        f.words += QStringLiteral("; ") + w;
    }
    const Box all = Box::of(scene.size);
    const int grow = std::max(0, kLeastSide - std::min(box.width, box.height)) / 2;
    f.box = box.grown(grow).intersected(all);
    return f;
}

} // namespace

std::vector<Failure> worstFailures(const std::vector<SceneScore>& scenes, int count) {
    std::vector<Failure> all;
    for (size_t s = 0; s < scenes.size(); ++s) {
        for (size_t g = 0; g < scenes[s].groups.size(); ++g) {
            Failure f = describe(scenes[s], static_cast<int>(s), static_cast<int>(g));
            if (f.badness > 0.0) all.push_back(std::move(f));
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Failure& a, const Failure& b) { return a.badness > b.badness; });
    std::vector<Failure> out;
    std::set<int> used;
    for (const bool again : {false, true}) {
        for (Failure& f : all) {
            if (static_cast<int>(out.size()) >= count) return out;
            const bool seen = used.contains(f.scene);
            if (seen != again || f.box.empty()) continue;
            used.insert(f.scene);
            out.push_back(f);
            f.box = {}; // taken
        }
    }
    return out;
}

} // namespace blendscope
