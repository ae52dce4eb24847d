#include "judge/ScoredSet.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kFewScenes = 10; // below this, squares of scenes are resampled
constexpr int kSquares = 4;    // a side
constexpr int kApReplicates = 50;
constexpr size_t kManyObjects = 20000; // from here on the points of curves have errors from fewer resamples
constexpr int kFewReplicates = 25;

/// "a, b, c and 7 others"
QString someOf(const QStringList& names) {
    constexpr int shown = 5;
    if (names.size() <= shown) return names.join(QStringLiteral(", "));
    return QStringLiteral("%1 and %2 others")
        .arg(names.mid(0, shown).join(QStringLiteral(", ")))
        .arg(names.size() - shown);
}

} // namespace

ScoredSet::ScoredSet(const std::vector<ScoredPipeline>& scored, const BuildOptions& options) : pipelines(scored) {
    for (const ScoredPipeline& p : pipelines) {
        if (p.scenes.size() != pipelines.front().scenes.size())
            throw UsageError(QStringLiteral("the pipelines were scored on different scenes"));
    }
    const std::vector<SceneScore>& all = pipelines.front().scenes;
    int withTruth = 0;
    for (const SceneScore& s : all) {
        scenes << s.sceneId;
        withTruth += !s.truths.empty();
        if (band.isEmpty() && s.reference < s.bands.size()) band = s.bands[s.reference];
    }
    incomplete.assign(all.size(), 0);
    std::vector<char> unjudged(all.size(), 0);
    bool judged = false;
    for (const ScoredPipeline& p : pipelines) {
        for (size_t s = 0; s < std::min(p.scenes.size(), all.size()); ++s) {
            incomplete[s] |= !p.scenes[s].complete;
            unjudged[s] |= !p.scenes[s].judged && !p.scenes[s].truths.empty();
            judged |= p.scenes[s].judged;
        }
    }
    const QStringList unknown = named(incomplete), without = named(unjudged);
    complete = unknown.size() < static_cast<qsizetype>(all.size()) || all.empty();
    if (!complete) {
        notes << QStringLiteral("The scenes hold objects that truth does not name, or may do: purity, F1, "
                                "spurious detections and average precision are left out.");
    } else if (!unknown.isEmpty()) {
        notes << QStringLiteral("%1 of %2 scenes hold objects that truth does not name, or may do: purity, "
                                "F1, spurious detections and average precision are of the others (%3).")
                     .arg(unknown.size())
                     .arg(all.size())
                     .arg(someOf(unknown));
    }
    if (judged && !without.isEmpty()) {
        notes << QStringLiteral("%1 of %2 scenes could not be judged with every pipeline, and do not count in "
                                "its outcomes (%3).")
                     .arg(without.size())
                     .arg(all.size())
                     .arg(someOf(without));
    }
    squares = withTruth < kFewScenes ? kSquares : 1;
    units = static_cast<int>(all.size()) * squares * squares;
    resampled = squares == 1 ? QStringLiteral("%1 scenes").arg(all.size())
                             : QStringLiteral("%1 squares of %2 scenes").arg(units).arg(all.size());
    bootstrap = std::make_unique<const Bootstrap>(units, options.replicates);
    size_t objects = 0;
    for (const SceneScore& s : all) {
        objects += s.truths.size();
    }
    curves = std::make_unique<const Bootstrap>(
        units, objects > kManyObjects ? std::min(options.curveReplicates, kFewReplicates) : options.curveReplicates);
    coarse = std::make_unique<const Bootstrap>(units, kApReplicates);
    perScene = std::make_unique<const Bootstrap>(static_cast<int>(all.size()), options.replicates);
}

QStringList ScoredSet::named(const std::vector<char>& chosen) const {
    QStringList names;
    for (size_t s = 0; s < chosen.size(); ++s) {
        if (chosen[s]) names << scenes[static_cast<qsizetype>(s)];
    }
    return names;
}

int ScoredSet::unit(size_t scene, const SceneScore& s, double x, double y) const {
    if (squares == 1) return static_cast<int>(scene);
    const auto part = [&](double v, int side) {
        return std::clamp(static_cast<int>(v * squares / std::max(side, 1)), 0, squares - 1);
    };
    return (static_cast<int>(scene) * squares + part(y, s.size.height)) * squares + part(x, s.size.width);
}

std::vector<double> ScoredSet::zeros() const {
    return std::vector<double>(static_cast<size_t>(units), 0.0);
}

void ScoredSet::spread(std::vector<double>& sums, size_t scene, double value) const {
    const int n = squares * squares;
    for (int i = 0; i < n; ++i) {
        sums[scene * static_cast<size_t>(n) + static_cast<size_t>(i)] += value / n;
    }
}

std::vector<OverlapScene> ScoredSet::overlaps(const ScoredPipeline& p, bool boxes) const {
    std::vector<OverlapScene> out(p.scenes.size());
    for (size_t s = 0; s < p.scenes.size(); ++s) {
        if (incomplete[s]) continue;
        const SceneScore& scene = p.scenes[s];
        OverlapScene& own = out[s];
        own = boxes ? scene.boxes : scene.masks;
        const auto unitsOf = [&](const std::vector<PixelPosition>& at, size_t count) {
            std::vector<int> list;
            for (size_t i = 0; i < count; ++i) {
                const PixelPosition where =
                    i < at.size() && std::isfinite(at[i].x) && std::isfinite(at[i].y) ? at[i] : PixelPosition{0.0, 0.0};
                list.push_back(unit(s, scene, where.x, where.y));
            }
            return list;
        };
        own.detectionUnit = unitsOf(own.detectionAt, own.confidence.size());
        own.truthUnit = unitsOf(own.truthAt, own.asked.size());
    }
    return out;
}

std::vector<Forecast> ScoredSet::forecasts(const ScoredPipeline& p, bool counts) const {
    std::vector<Forecast> out;
    int eligible = 0;
    for (size_t s = 0; s < p.scenes.size(); ++s) {
        const SceneScore& scene = p.scenes[s];
        std::vector<int> row(scene.truths.size(), -1);
        for (size_t k = 0; k < row.size(); ++k) {
            if (scene.truths[k].eligible) row[k] = eligible++;
        }
        for (Forecast f : counts ? scene.countForecasts : scene.starForecasts) {
            const TruthScore* t = f.member >= 0 ? &scene.truths[static_cast<size_t>(f.member)] : nullptr;
            f.unit = t ? unit(s, scene, t->x, t->y) : unit(s, scene, 0.0, 0.0);
            f.member = t ? row[static_cast<size_t>(f.member)] : -1;
            out.push_back(f);
        }
    }
    return out;
}

Estimate bounded(Estimate e) {
    if (e.error <= kNoError && (e.value <= 0.0 || e.value >= 1.0))
        e.error = shareError(e.value, static_cast<double>(e.count));
    return e;
}

Estimate f1(const Bootstrap& bootstrap, const std::vector<double>& asked, const std::vector<double>& found,
            const std::vector<double>& detected, const std::vector<double>& matched) {
    double objects = 0.0;
    int units = 0;
    for (const double d : asked) {
        objects += d;
        units += d > 0.0;
    }
    Estimate e = bootstrap.of(
        [&](const Bootstrap::Weights& w) {
            double a = 0.0, f = 0.0, d = 0.0, m = 0.0;
            for (size_t i = 0; i < w.size(); ++i) {
                a += w[i] * asked[i];
                f += w[i] * found[i];
                d += w[i] * detected[i];
                m += w[i] * matched[i];
            }
            const double c = a > 0.0 ? f / a : 0.0, q = d > 0.0 ? m / d : 0.0;
            return c + q > 0.0 ? 2.0 * c * q / (c + q) : 0.0;
        },
        std::llround(objects));
    if (units < kLeastInBin) e.error = kNan;
    return bounded(std::move(e));
}

double toldError(const Estimate& e) {
    return e.error > kNoError * std::max(1.0, std::abs(e.value)) ? e.error : double(kNan);
}

} // namespace blendscope
