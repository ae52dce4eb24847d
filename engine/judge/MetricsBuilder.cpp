#include "judge/MetricsBuilder.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"
#include "judge/Bootstrap.h"
#include "judge/MetricCurves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

namespace blendscope {

namespace {

using Better = MetricValue::Better;

constexpr int kFewScenes = 10; // below this, squares of scenes are resampled
constexpr int kSquares = 4;    // a side
constexpr int kApReplicates = 50;
constexpr size_t kManyObjects = 20000; // from here on the points of curves have errors from fewer resamples
constexpr int kFewReplicates = 25;
constexpr double kFarOff = 0.5;
constexpr int kLeastInBin = 3;
constexpr double kNoError = 1e-12; // a smaller error means that resampling told nothing

struct Category {
    const char* id;
    const char* words;
    double low, high; // of blendedness
};
constexpr std::array<Category, 4> kCategories = {{{"all", "all", -1.0, 1e9},
                                                  {"isolated", "isolated", -1.0, 0.01},
                                                  {"blended", "blended", 0.1, 1e9},
                                                  {"heavy", "heavily blended", 0.3, 1e9}}};

bool in(const Category& c, double blendedness) {
    if (c.high > 1e8 && c.low < 0.0) return true;
    return blendedness >= c.low && blendedness < c.high;
}

/// Metrics of the objects that a pipeline found: two pipelines are compared on those that both found.
bool isOfFound(const QString& id) {
    for (const char* family :
         {"distance", "flux_", "pull_", "worse_", "colour_", "size_", "e1_", "e2_", "image_", "mask_iou", "pit:"}) {
        if (id.startsWith(QLatin1String(family))) return true;
    }
    return false;
}

/// "a, b, c and 7 others"
QString someOf(const QStringList& names) {
    constexpr int shown = 5;
    if (names.size() <= shown) return names.join(QStringLiteral(", "));
    return QStringLiteral("%1 and %2 others")
        .arg(names.mid(0, shown).join(QStringLiteral(", ")))
        .arg(names.size() - shown);
}

/// The work on one set of scenes.
class Builder {
public:
    Builder(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options)
        : m_pipelines(pipelines), m_options(options) {}

    MetricsReport build() {
        m_report.title = m_options.title;
        if (m_pipelines.empty()) return m_report;
        layUnits();
        for (const ScoredPipeline& p : m_pipelines) {
            if (p.scenes.size() != m_pipelines.front().scenes.size())
                throw UsageError(QStringLiteral("the pipelines were scored on different scenes"));
            PipelineReport r;
            r.name = p.name;
            r.definition = p.definition;
            r.seconds = p.seconds;
            r.failures = p.failures;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (t.eligible)
                        r.objects.push_back({static_cast<int>(s), t.truthId, t.objectId, t.group, t.x, t.y});
                }
            }
            m_report.pipelines.push_back(std::move(r));
        }
        for (size_t k = 0; k < m_pipelines.size(); ++k) {
            m_out = &m_report.pipelines[k];
            numbers(m_pipelines[k]);
        }
        m_axes = metricAxes(m_pipelines.front().scenes, m_options.magnitudeBin);
        curves();
        detectionCurves();
        diagrams();
        differences();
        return m_report;
    }

private:
    void layUnits() {
        const std::vector<SceneScore>& scenes = m_pipelines.front().scenes;
        int withTruth = 0;
        for (const SceneScore& s : scenes) {
            m_report.scenes << s.sceneId;
            withTruth += !s.truths.empty();
            if (m_report.band.isEmpty() && s.reference < s.bands.size()) m_report.band = s.bands[s.reference];
        }
        m_incomplete.assign(scenes.size(), 0);
        std::vector<char> unjudged(scenes.size(), 0);
        bool judged = false;
        for (const ScoredPipeline& p : m_pipelines) {
            for (size_t s = 0; s < std::min(p.scenes.size(), scenes.size()); ++s) {
                m_incomplete[s] |= !p.scenes[s].complete;
                unjudged[s] |= !p.scenes[s].judged && !p.scenes[s].truths.empty();
                judged |= p.scenes[s].judged;
            }
        }
        const QStringList incomplete = named(m_incomplete), without = named(unjudged);
        m_complete = incomplete.size() < static_cast<qsizetype>(scenes.size()) || scenes.empty();
        if (!m_complete) {
            m_report.notes << QStringLiteral("The scenes hold objects that truth does not name, or may do: purity, F1, "
                                             "spurious detections and average precision are left out.");
        } else if (!incomplete.isEmpty()) {
            m_report.notes << QStringLiteral(
                                  "%1 of %2 scenes hold objects that truth does not name, or may do: purity, "
                                  "F1, spurious detections and average precision are of the others (%3).")
                                  .arg(incomplete.size())
                                  .arg(scenes.size())
                                  .arg(someOf(incomplete));
        }
        if (judged && !without.isEmpty()) {
            m_report.notes << QStringLiteral(
                                  "%1 of %2 scenes could not be judged with every pipeline, and do not count in "
                                  "its outcomes (%3).")
                                  .arg(without.size())
                                  .arg(scenes.size())
                                  .arg(someOf(without));
        }
        m_squares = withTruth < kFewScenes ? kSquares : 1;
        m_units = static_cast<int>(scenes.size()) * m_squares * m_squares;
        m_report.resampled = m_squares == 1 ? QStringLiteral("%1 scenes").arg(scenes.size())
                                            : QStringLiteral("%1 squares of %2 scenes").arg(m_units).arg(scenes.size());
        m_bootstrap = std::make_unique<Bootstrap>(m_units, m_options.replicates);
        size_t objects = 0;
        for (const SceneScore& s : scenes) {
            objects += s.truths.size();
        }
        m_curveBootstrap = std::make_unique<Bootstrap>(
            m_units,
            objects > kManyObjects ? std::min(m_options.curveReplicates, kFewReplicates) : m_options.curveReplicates);
        m_coarseBootstrap = std::make_unique<Bootstrap>(m_units, kApReplicates);
        m_sceneBootstrap = std::make_unique<Bootstrap>(static_cast<int>(scenes.size()), m_options.replicates);
    }
    [[nodiscard]] QStringList named(const std::vector<char>& chosen) const {
        QStringList names;
        for (size_t s = 0; s < chosen.size(); ++s) {
            if (chosen[s]) names << m_report.scenes[static_cast<qsizetype>(s)];
        }
        return names;
    }
    /// Whether an object is asked for, and, where two pipelines are compared, both found it.
    [[nodiscard]] bool taken(size_t scene, const SceneScore& s, const TruthScore& t) const {
        return t.eligible && (!m_only || (*m_only)[scene][static_cast<size_t>(&t - s.truths.data())]);
    }

    [[nodiscard]] int unit(size_t scene, const SceneScore& s, double x, double y) const {
        if (m_squares == 1) return static_cast<int>(scene);
        const auto part = [&](double v, int side) {
            return std::clamp(static_cast<int>(v * m_squares / std::max(side, 1)), 0, m_squares - 1);
        };
        return (static_cast<int>(scene) * m_squares + part(y, s.size.height)) * m_squares + part(x, s.size.width);
    }
    [[nodiscard]] std::vector<double> zeros() const { return std::vector<double>(static_cast<size_t>(m_units), 0.0); }
    /// What every part of a scene has alike is spread over its units.
    void spread(std::vector<double>& sums, size_t scene, double value) const {
        const int n = m_squares * m_squares;
        for (int i = 0; i < n; ++i) {
            sums[scene * static_cast<size_t>(n) + static_cast<size_t>(i)] += value / n;
        }
    }

    void put(const QString& id, const QString& title, Better better, const Estimate& e) {
        if (e.count == 0 && !std::isfinite(e.value)) return;
        const bool told = e.error > kNoError * std::max(1.0, std::abs(e.value));
        m_out->metrics.push_back({id, title, better, e.value, told ? e.error : double(kNan), e.count, e.replicates});
    }
    /// Of a number between 0 and 1 that is none of the plain shares.
    [[nodiscard]] static Estimate bounded(Estimate e) {
        if (e.error <= kNoError && (e.value <= 0.0 || e.value >= 1.0))
            e.error = shareError(e.value, static_cast<double>(e.count));
        return e;
    }
    void numbers(const ScoredPipeline& p) {
        detection(p);
        outcomes(p);
        fluxes(p);
        shapes(p);
        images(p);
        precision(p);
        transforms(p);
        calibration(p);
        costs(p);
    }

    void detection(const ScoredPipeline& p) {
        std::vector<double> asked = zeros(), found = zeros(), detected = zeros(), matched = zeros(), spurious = zeros();
        std::array<std::vector<double>, 4> outcome = {zeros(), zeros(), zeros(), zeros()};
        std::vector<double> secondary = zeros(), scenes = zeros(), askedWhole = zeros(), foundWhole = zeros();
        std::map<int, std::pair<std::vector<double>, std::vector<double>>> blends;
        UnitSample distance;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const TruthScore& t : scene.truths) {
                if (!t.eligible) continue;
                const auto u = static_cast<size_t>(unit(s, scene, t.x, t.y));
                asked[u] += 1.0;
                found[u] += t.objectId > 0;
                outcome[static_cast<size_t>(t.outcome)][u] += 1.0;
                secondary[u] += t.secondary;
                if (taken(s, scene, t)) distance.add(t.distancePixels, static_cast<int>(u));
                if (m_incomplete[s]) continue;
                askedWhole[u] += 1.0;
                foundWhole[u] += t.objectId > 0;
            }
            for (const DetectionScore& d : scene.detections) {
                if (m_incomplete[s]) continue;
                const auto u = static_cast<size_t>(unit(s, scene, d.x, d.y));
                detected[u] += 1.0;
                matched[u] += d.matched;
            }
            for (const GroupScore& g : scene.groups) {
                if (g.members.empty()) continue;
                const TruthScore& first = scene.truths[static_cast<size_t>(g.members.front())];
                const auto u = static_cast<size_t>(unit(s, scene, first.x, first.y));
                const bool whole = std::all_of(g.members.begin(), g.members.end(), [&](int m) {
                    return scene.truths[static_cast<size_t>(m)].outcome == MatchOutcome::Found;
                });
                const int size = std::min(static_cast<int>(g.members.size()), 4);
                for (const int key : {size, size >= 2 ? 22 : -1}) {
                    if (key < 0) continue;
                    auto& [n, d] = blends.try_emplace(key, zeros(), zeros()).first->second;
                    n[u] += whole;
                    d[u] += 1.0;
                }
            }
            if (m_incomplete[s]) continue;
            for (const PixelPosition& at : scene.spurious) {
                spurious[static_cast<size_t>(unit(s, scene, at.x, at.y))] += 1.0;
            }
            spread(scenes, s, 1.0);
        }
        put(QStringLiteral("completeness"), QStringLiteral("completeness"), Better::Higher,
            m_bootstrap->share(found, asked));
        if (m_complete)
            put(QStringLiteral("purity"), QStringLiteral("purity"), Better::Higher,
                m_bootstrap->share(matched, detected));
        if (m_complete) {
            put(QStringLiteral("f1"), QStringLiteral("F1"), Better::Higher,
                f1(*m_bootstrap, askedWhole, foundWhole, detected, matched));
        }
        for (const auto& [key, sums] : blends) {
            const QString n =
                key == 22 ? QStringLiteral("2+") : (key == 4 ? QStringLiteral("4+") : QString::number(key));
            put(QStringLiteral("whole_blends:") + n, QStringLiteral("blends of %1 wholly found").arg(n), Better::Higher,
                m_bootstrap->share(sums.first, sums.second));
        }
        for (const MatchOutcome o :
             {MatchOutcome::Found, MatchOutcome::Shared, MatchOutcome::Shredded, MatchOutcome::Missed}) {
            put(QStringLiteral("match:") + matchOutcomeName(o),
                QStringLiteral("%1 (by position)").arg(matchOutcomeName(o)),
                o == MatchOutcome::Found ? Better::Higher : Better::Lower,
                m_bootstrap->share(outcome[static_cast<size_t>(o)], asked));
        }
        put(QStringLiteral("match:shared_secondary"), QStringLiteral("shared, not the owner (by position)"),
            Better::Lower, m_bootstrap->share(secondary, asked));
        if (m_complete)
            put(QStringLiteral("match:spurious_per_scene"), QStringLiteral("spurious detections per scene"),
                Better::Lower, m_bootstrap->ratio(spurious, scenes));
        put(QStringLiteral("distance"), QStringLiteral("distance, median (pixel)"), Better::Lower,
            m_bootstrap->median(distance));
    }

    /// Harmonic mean of completeness and purity.
    [[nodiscard]] static Estimate f1(const Bootstrap& bootstrap, const std::vector<double>& asked,
                                     const std::vector<double>& found, const std::vector<double>& detected,
                                     const std::vector<double>& matched) {
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

    /// The five outcomes and the others: shares of the blends, and of the objects that would be detected alone.
    void outcomes(const ScoredPipeline& p) {
        std::map<Outcome, std::vector<double>> ofBlends, ofObjects;
        std::vector<double> blends = zeros(), objects = zeros(), empty = zeros(), detections = zeros();
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            if (!scene.judged) continue;
            for (const BlendOutcome& b : scene.blends) {
                const auto u = static_cast<size_t>(unit(s, scene, b.x, b.y));
                ofBlends.try_emplace(b.outcome, zeros()).first->second[u] += 1.0;
                blends[u] += 1.0;
            }
            for (const DetectionScore& d : scene.detections) {
                if (m_incomplete[s]) continue;
                const auto u = static_cast<size_t>(unit(s, scene, d.x, d.y));
                empty[u] += d.verdict == Outcome::Spurious;
                detections[u] += 1.0;
            }
            for (const TruthScore& t : scene.truths) {
                if (!t.detectedAlone || t.verdict == Outcome::Outside) continue;
                const auto u = static_cast<size_t>(unit(s, scene, t.x, t.y));
                ofObjects.try_emplace(t.verdict, zeros()).first->second[u] += 1.0;
                objects[u] += 1.0;
            }
        }
        const auto better = [](Outcome o) { return o == Outcome::Recognized ? Better::Higher : Better::Lower; };
        for (const Outcome o : blendOutcomes()) {
            put(QStringLiteral("outcome:") + outcomeWord(o), QStringLiteral("blends %1").arg(outcomeWord(o)), better(o),
                m_bootstrap->share(ofBlends.try_emplace(o, zeros()).first->second, blends));
        }
        for (const Outcome o : aloneOutcomes()) {
            std::vector<double>& sums = ofObjects.try_emplace(o, zeros()).first->second;
            const auto single = ofObjects.find(Outcome::Single);
            for (size_t i = 0; o == Outcome::Recognized && single != ofObjects.end() && i < sums.size(); ++i) {
                sums[i] += single->second[i];
            }
            put(QStringLiteral("verdict:") + outcomeWord(o),
                QStringLiteral("objects detectable alone: %1").arg(outcomeWord(o)), better(o),
                m_bootstrap->share(sums, objects));
        }
        put(QStringLiteral("detections:spurious"), QStringLiteral("detections without an object"), Better::Lower,
            m_bootstrap->share(empty, detections));
    }

    void fluxes(const ScoredPipeline& p) {
        QStringList bands;
        for (const SceneScore& s : p.scenes) {
            for (const QString& b : s.bands) {
                if (!bands.contains(b)) bands << b;
            }
        }
        for (const Category& c : kCategories) {
            const QString cat = QLatin1String(c.id), words = QLatin1String(c.words);
            for (const QString& band : bands) {
                std::vector<double> close = zeros(), asked = zeros(), far = zeros(), measured = zeros();
                std::vector<double> worse = zeros(), compared = zeros();
                UnitSample errors, pulls;
                for (size_t s = 0; s < p.scenes.size(); ++s) {
                    const SceneScore& scene = p.scenes[s];
                    const auto b = scene.bands.indexOf(band);
                    if (b < 0) continue;
                    for (const TruthScore& t : scene.truths) {
                        const BandScore& f = t.bands[static_cast<size_t>(b)];
                        if (!taken(s, scene, t) || !in(c, t.blendedness) || !visibleIn(f)) continue;
                        const int u = unit(s, scene, t.x, t.y);
                        const auto i = static_cast<size_t>(u);
                        asked[i] += 1.0;
                        close[i] += std::abs(f.error()) < kCloseFlux;
                        if (!std::isfinite(f.error())) continue;
                        measured[i] += 1.0;
                        far[i] += std::abs(f.error()) > kFarOff;
                        errors.add(f.error(), u);
                        if (f.fluxErr > 0.0) pulls.add((f.flux - f.trueFlux) / f.fluxErr, u);
                        if (std::isfinite(f.undeblended)) {
                            compared[i] += 1.0;
                            worse[i] += std::abs(f.error()) > std::abs(f.undeblended / f.trueFlux - 1.0);
                        }
                    }
                }
                const QString tail = QStringLiteral(":%1:%2").arg(cat, band);
                const QString of = QStringLiteral("%1, %2").arg(words, band);
                put(QStringLiteral("within20") + tail, QStringLiteral("flux within 20 % (%1)").arg(of), Better::Higher,
                    m_bootstrap->share(close, asked));
                if (errors.empty()) continue;
                put(QStringLiteral("flux_bias") + tail, QStringLiteral("flux bias (%1)").arg(of), Better::NearZero,
                    m_bootstrap->median(errors));
                put(QStringLiteral("flux_scatter") + tail, QStringLiteral("flux scatter (%1)").arg(of), Better::Lower,
                    m_bootstrap->scatter(errors));
                put(QStringLiteral("flux_outliers") + tail, QStringLiteral("flux off by more than half (%1)").arg(of),
                    Better::Lower, m_bootstrap->share(far, measured));
                if (!pulls.empty()) {
                    put(QStringLiteral("pull_bias") + tail, QStringLiteral("pull, median (%1)").arg(of),
                        Better::NearZero, m_bootstrap->median(pulls));
                    put(QStringLiteral("pull_scatter") + tail, QStringLiteral("pull, scatter (%1)").arg(of),
                        Better::NearOne, m_bootstrap->scatter(pulls));
                }
                const Estimate notBetter = m_bootstrap->share(worse, compared);
                if (notBetter.count > 0 && cat != QLatin1String("isolated")) {
                    put(QStringLiteral("worse_than_undeblended") + tail,
                        QStringLiteral("flux worse than without deblending (%1)").arg(of), Better::Lower, notBetter);
                }
            }
            std::map<QString, UnitSample> colours; // surveys differ in their bands
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                const SceneScore& scene = p.scenes[s];
                const ColourBands pair = colourBandsOf(scene);
                for (const TruthScore& t : scene.truths) {
                    if (taken(s, scene, t) && in(c, t.blendedness))
                        colours[pair.name].add(colourErrorOf(t, pair), unit(s, scene, t.x, t.y));
                }
            }
            for (const auto& [name, sample] : colours) {
                if (sample.empty()) continue;
                const QString tail = QStringLiteral(":%1:%2").arg(cat, name);
                put(QStringLiteral("colour_bias") + tail, QStringLiteral("colour %1 bias, mag (%2)").arg(name, words),
                    Better::NearZero, m_bootstrap->median(sample));
                put(QStringLiteral("colour_scatter") + tail,
                    QStringLiteral("colour %1 scatter, mag (%2)").arg(name, words), Better::Lower,
                    m_bootstrap->scatter(sample));
            }
        }
    }

    void shapes(const ScoredPipeline& p) {
        for (const Category& c : kCategories) {
            UnitSample size, e1, e2;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (!taken(s, p.scenes[s], t) || !in(c, t.blendedness)) continue;
                    const int u = unit(s, p.scenes[s], t.x, t.y);
                    size.add(t.sizeError, u);
                    e1.add(t.e1Error, u);
                    e2.add(t.e2Error, u);
                }
            }
            const QString tail = QLatin1Char(':') + QLatin1String(c.id), words = QLatin1String(c.words);
            const struct {
                const char* id;
                QString title;
                const UnitSample& sample;
            } rows[] = {{"size", QStringLiteral("half-light radius, ln ratio,"), size},
                        {"e1", QStringLiteral("ellipticity e1"), e1},
                        {"e2", QStringLiteral("ellipticity e2"), e2}};
            for (const auto& row : rows) {
                if (row.sample.empty()) continue;
                put(QLatin1String(row.id) + QStringLiteral("_bias") + tail,
                    QStringLiteral("%1 bias (%2)").arg(row.title, words), Better::NearZero,
                    m_bootstrap->median(row.sample));
                put(QLatin1String(row.id) + QStringLiteral("_scatter") + tail,
                    QStringLiteral("%1 scatter (%2)").arg(row.title, words), Better::Lower,
                    m_bootstrap->scatter(row.sample));
            }
        }
    }

    void images(const ScoredPipeline& p) {
        struct Row {
            const char* id;
            const char* title;
            double ImageMetrics::*member;
            Better better;
        };
        static constexpr Row rows[] = {
            {"image_correlation", "image correlation", &ImageMetrics::correlation, Better::Higher},
            {"image_psnr", "image PSNR, dB", &ImageMetrics::psnr, Better::Higher},
            {"image_ssim", "image SSIM", &ImageMetrics::ssim, Better::Higher},
            {"image_ssim41", "image SSIM, 41 pixels", &ImageMetrics::ssimNear, Better::Higher},
            {"image_msr", "image mean squared residual, sky variances", &ImageMetrics::msr, Better::Lower},
            {"image_psnr_own", "image PSNR, own ranges, dB", &ImageMetrics::psnrOwn, Better::Higher},
            {"image_ssim_own", "image SSIM, own ranges", &ImageMetrics::ssimOwn, Better::Higher},
            {"image_ssim41_own", "image SSIM, own ranges, 41 pixels", &ImageMetrics::ssimOwnNear, Better::Higher},
        };
        QStringList bands;
        for (const SceneScore& s : p.scenes) {
            for (const QString& b : s.bands) {
                if (!bands.contains(b)) bands << b;
            }
        }
        for (const Category& c : kCategories) {
            for (const QString& band : bands) {
                std::array<UnitSample, std::size(rows)> samples;
                for (size_t s = 0; s < p.scenes.size(); ++s) {
                    const SceneScore& scene = p.scenes[s];
                    const auto b = scene.bands.indexOf(band);
                    if (b < 0) continue;
                    for (const TruthScore& t : scene.truths) {
                        if (t.images.empty() || !taken(s, scene, t) || !in(c, t.blendedness) ||
                            !visibleIn(t.bands[static_cast<size_t>(b)]))
                            continue;
                        const int u = unit(s, scene, t.x, t.y);
                        for (size_t k = 0; k < samples.size(); ++k) {
                            samples[k].add(t.images[static_cast<size_t>(b)].*rows[k].member, u);
                        }
                    }
                }
                for (size_t k = 0; k < samples.size(); ++k) {
                    if (samples[k].empty()) continue;
                    put(QStringLiteral("%1:%2:%3").arg(QLatin1String(rows[k].id), QLatin1String(c.id), band),
                        QStringLiteral("%1 (%2, %3)").arg(QLatin1String(rows[k].title), QLatin1String(c.words), band),
                        rows[k].better, m_bootstrap->median(samples[k]));
                }
            }
        }
        for (const Category& c : kCategories) {
            UnitSample iou;
            std::map<QString, UnitSample> byKind;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (!taken(s, p.scenes[s], t) || !in(c, t.blendedness)) continue;
                    const int u = unit(s, p.scenes[s], t.x, t.y);
                    iou.add(t.maskIou, u);
                    if (!t.kind.isEmpty()) byKind[t.kind].add(t.maskIou, u);
                }
            }
            if (iou.empty()) continue;
            const QString tail = QLatin1Char(':') + QLatin1String(c.id), words = QLatin1String(c.words);
            put(QStringLiteral("mask_iou") + tail, QStringLiteral("mask IoU, median (%1)").arg(words), Better::Higher,
                m_bootstrap->median(iou));
            put(QStringLiteral("mask_iou_mean") + tail, QStringLiteral("mask IoU, mean (%1)").arg(words),
                Better::Higher, m_bootstrap->mean(iou));
            for (const auto& [kind, sample] : byKind) {
                if (byKind.size() < 2 || sample.empty()) continue;
                put(QStringLiteral("mask_iou:%1:%2").arg(QLatin1String(c.id), kind),
                    QStringLiteral("mask IoU, median (%1, %2)").arg(words, kind), Better::Higher,
                    m_bootstrap->median(sample));
            }
        }
        std::map<QString, std::pair<std::vector<double>, std::vector<double>>> classes;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            for (const ClassScore& k : p.scenes[s].classes) {
                auto& [both, either] = classes.try_emplace(k.name, zeros(), zeros()).first->second;
                for (size_t tile = 0; tile < k.both.size(); ++tile) {
                    const size_t u = m_squares == 1 ? s : s * k.both.size() + tile;
                    both[u] += k.both[tile];
                    either[u] += k.either[tile];
                }
            }
        }
        for (const auto& [name, sums] : classes) {
            put(QStringLiteral("pixel_iou:") + name, QStringLiteral("pixel IoU of %1").arg(name), Better::Higher,
                m_bootstrap->ratio(sums.first, sums.second));
        }
    }

    /// Scenes whose truth is not complete are left empty.
    [[nodiscard]] std::vector<OverlapScene> overlaps(const ScoredPipeline& p, bool boxes) const {
        std::vector<OverlapScene> out(p.scenes.size());
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            if (m_incomplete[s]) continue;
            const SceneScore& scene = p.scenes[s];
            OverlapScene& own = out[s];
            own = boxes ? scene.boxes : scene.masks;
            const auto units = [&](const std::vector<PixelPosition>& at, size_t count) {
                std::vector<int> list;
                for (size_t i = 0; i < count; ++i) {
                    const PixelPosition where = i < at.size() && std::isfinite(at[i].x) && std::isfinite(at[i].y)
                                                    ? at[i]
                                                    : PixelPosition{0.0, 0.0};
                    list.push_back(unit(s, scene, where.x, where.y));
                }
                return list;
            };
            own.detectionUnit = units(own.detectionAt, own.confidence.size());
            own.truthUnit = units(own.truthAt, own.asked.size());
        }
        return out;
    }

    void precision(const ScoredPipeline& p) {
        const auto row = static_cast<size_t>(&p - m_pipelines.data());
        m_precision.resize(m_pipelines.size());
        for (const bool boxes : {false, true}) {
            const std::vector<OverlapScene> scenes = overlaps(p, boxes);
            long long asked = 0;
            for (const OverlapScene& s : scenes) {
                asked += std::count(s.asked.begin(), s.asked.end(), true);
            }
            if (asked == 0 || !m_complete) continue;
            std::vector<Estimate>& at = m_precision[row][boxes];
            at.resize(iouThresholds().size());
            TaskPool::shared().parallelFor(static_cast<int>(at.size()), [&](int k) {
                const PrecisionRecall pr(scenes, iouThresholds()[static_cast<size_t>(k)]);
                at[static_cast<size_t>(k)] = bounded(m_coarseBootstrap->of(
                    [&](const Bootstrap::Weights& w) { return pr.curve(w).averagePrecision; }, asked));
            });
            const QString id = boxes ? QStringLiteral("ap_box") : QStringLiteral("ap_mask");
            const QString title =
                boxes ? QStringLiteral("average precision by box") : QStringLiteral("average precision by mask");
            const auto mean = [&](size_t replicate) {
                double sum = 0.0;
                for (const Estimate& e : at) {
                    sum += replicate < e.replicates.size() ? e.replicates[replicate] : e.value;
                }
                return sum / static_cast<double>(at.size());
            };
            Estimate all;
            all.count = asked;
            all.value = mean(std::numeric_limits<size_t>::max());
            for (size_t k = 0; k < at.front().replicates.size(); ++k) {
                all.replicates.push_back(mean(k));
            }
            all.error = standardDeviation(all.replicates);
            put(id, title + QStringLiteral(", IoU 0.5 to 0.95"), Better::Higher, bounded(all));
            for (const size_t k : {size_t(0), size_t(5)}) {
                put(id + QString::number(std::lround(100 * iouThresholds()[k])),
                    title + QStringLiteral(", IoU %1").arg(iouThresholds()[k], 0, 'f', 2), Better::Higher, at[k]);
            }
        }
    }

    [[nodiscard]] std::vector<Forecast> forecasts(const ScoredPipeline& p, bool counts) const {
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

    void calibration(const ScoredPipeline& p) {
        for (const bool counts : {false, true}) {
            const std::vector<Forecast> all = forecasts(p, counts);
            if (all.empty()) continue;
            const QString id = counts ? QStringLiteral("count") : QStringLiteral("star");
            const QString title =
                counts ? QStringLiteral("count probabilities") : QStringLiteral("star-galaxy probability");
            const auto resampled = [&](const Bootstrap::Weights& w) {
                std::vector<Forecast> drawn;
                for (const Forecast& f : all) {
                    for (int k = 0; k < w[static_cast<size_t>(f.unit)]; ++k) {
                        drawn.push_back(f);
                        drawn.back().member = -1;
                    }
                }
                return reliabilityOf(drawn);
            };
            const auto n = static_cast<long long>(all.size());
            put(QStringLiteral("ece:") + id, title + QStringLiteral(", expected calibration error"), Better::Lower,
                coarse([&](const Bootstrap::Weights& w) { return resampled(w).calibrationError; }, n));
            put(QStringLiteral("brier:") + id, title + QStringLiteral(", Brier score"), Better::Lower,
                coarse([&](const Bootstrap::Weights& w) { return resampled(w).brier; }, n));
        }
    }

    /// How far the fluxes' probability integral transform is from a uniform one.
    void transforms(const ScoredPipeline& p) {
        for (const Category& c : kCategories) {
            UnitSample pit;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                const SceneScore& scene = p.scenes[s];
                for (const TruthScore& t : scene.truths) {
                    const BandScore& b = referenceOf(scene, t);
                    if (!taken(s, scene, t) || !in(c, t.blendedness) || !visibleIn(b)) continue;
                    pit.add(gaussianPit(b.flux, b.fluxErr, b.trueFlux), unit(s, scene, t.x, t.y));
                }
            }
            if (pit.empty()) continue;
            put(QStringLiteral("pit:") + QLatin1String(c.id),
                QStringLiteral("flux PIT, distance from uniform (%1)").arg(QLatin1String(c.words)), Better::Lower,
                m_bootstrap->distanceFromUniform(pit));
        }
    }

    /// Recounting forecasts in every resample is slow: fewer of them.
    [[nodiscard]] Estimate coarse(const std::function<double(const Bootstrap::Weights&)>& f, long long n) const {
        return m_coarseBootstrap->of(f, n);
    }

    void costs(const ScoredPipeline& p) {
        std::vector<double> chi2 = zeros(), pixels = zeros();
        std::vector<double> seconds(p.scenes.size(), 0.0), objects = seconds;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const ResidualScore& r : scene.residuals) {
                const auto u = static_cast<size_t>(unit(s, scene, r.x, r.y));
                chi2[u] += r.chi2;
                pixels[u] += r.pixels;
            }
            if (!std::isfinite(scene.seconds)) continue;
            seconds[s] = scene.seconds;
            objects[s] = scene.objects;
        }
        const Estimate chi = m_bootstrap->ratio(chi2, pixels), cost = m_sceneBootstrap->ratio(seconds, objects);
        if (chi.count > 0)
            put(QStringLiteral("chi2"), QStringLiteral("chi-square of residuals per pixel"), Better::NearOne, chi);
        if (cost.count > 0)
            put(QStringLiteral("seconds_per_object"), QStringLiteral("seconds per object"), Better::Lower, cost);
    }

    void curves() {
        const std::vector<MetricCurve> all = metricCurves(m_pipelines.front().scenes);
        std::vector<PlotData> plots(all.size() * m_axes.size());
        TaskPool::shared().parallelFor(static_cast<int>(plots.size()), [&](int i) {
            const MetricCurve& curve = all[static_cast<size_t>(i) / m_axes.size()];
            const MetricAxis& axis = m_axes[static_cast<size_t>(i) % m_axes.size()];
            PlotData& plot = plots[static_cast<size_t>(i)];
            plot.id = curve.id + QStringLiteral("_by_") + axis.id;
            plot.metric = curve.id;
            plot.title = curve.title;
            plot.xLabel = axis.label;
            plot.yLabel = curve.yLabel;
            plot.help = curve.help;
            plot.logX = axis.log;
            plot.yLow = curve.yLow;
            plot.yHigh = curve.yHigh;
            plot.level = curve.level;
            for (size_t k = 0; k < m_pipelines.size(); ++k) {
                plot.series.push_back(series(k, axis, curve));
            }
        });
        for (size_t i = 0; i < plots.size(); ++i) {
            PlotData& plot = plots[i];
            // An outcome that never happened needs no curves.
            const bool never =
                all[i / m_axes.size()].allKnown &&
                std::all_of(plot.series.begin(), plot.series.end(), [](const PlotSeries& s) {
                    return std::all_of(s.points.begin(), s.points.end(), [](const PlotPoint& p) { return p.y == 0.0; });
                });
            if (!plot.empty() && !never) m_report.plots.push_back(std::move(plot));
        }
    }

    [[nodiscard]] PlotSeries series(size_t pipeline, const MetricAxis& axis, const MetricCurve& curve) const {
        const ScoredPipeline& p = m_pipelines[pipeline];
        const size_t bins = axis.edges.size() - 1;
        std::vector<UnitSample> samples(bins);
        std::vector<std::vector<int>> members(bins);
        std::vector<double> sum(bins, 0.0);
        int row = -1;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const TruthScore& t : scene.truths) {
                row += t.eligible;
                if (!t.eligible && !curve.allKnown) continue;
                const double x = axis.value(scene, t), y = curve.value(scene, t);
                if (!std::isfinite(x) || !std::isfinite(y)) continue;
                const auto edge = std::upper_bound(axis.edges.begin(), axis.edges.end(), x);
                if (edge == axis.edges.begin() || edge == axis.edges.end()) continue;
                const auto bin = static_cast<size_t>(edge - axis.edges.begin()) - 1;
                samples[bin].add(y, unit(s, scene, t.x, t.y));
                if (t.eligible) members[bin].push_back(row);
                sum[bin] += axis.log ? std::log(x) : x;
            }
        }
        PlotSeries out;
        out.name = p.name;
        out.pipeline = static_cast<int>(pipeline);
        for (size_t b = 0; b < bins; ++b) {
            const auto n = samples[b].size();
            if (n < size_t(kLeastInBin)) continue;
            const Estimate e = curve.kind == MetricCurve::Kind::Mean     ? m_curveBootstrap->mean(samples[b])
                               : curve.kind == MetricCurve::Kind::Median ? m_curveBootstrap->median(samples[b])
                               : curve.kind == MetricCurve::Kind::Uniform
                                   ? m_curveBootstrap->distanceFromUniform(samples[b])
                                   : m_curveBootstrap->scatter(samples[b]);
            const double x = sum[b] / static_cast<double>(n);
            out.points.push_back({axis.log ? std::exp(x) : x, axis.edges[b], axis.edges[b + 1], e.value,
                                  e.error > kNoError ? e.error : double(kNan), static_cast<int>(n),
                                  std::move(members[b])});
        }
        return out;
    }

    /// Purity, and F1, by what was measured of a detection.
    void detectionCurves() {
        if (!m_complete) return;
        for (const bool both : {false, true}) {
            for (const MetricAxis& axis : m_axes) {
                if (!axis.ofDetection) continue;
                PlotData plot;
                plot.metric = both ? QStringLiteral("f1") : QStringLiteral("purity");
                plot.id = plot.metric + QStringLiteral("_by_") + axis.id;
                plot.title = both ? QStringLiteral("F1") : QStringLiteral("Purity");
                plot.xLabel = both ? axis.label + QStringLiteral(", of detections as measured") : axis.detectionLabel;
                plot.yLabel = both ? QStringLiteral("F1") : QStringLiteral("share with a true object");
                plot.help = both
                                ? QStringLiteral("Harmonic mean of the completeness of the true objects and the purity "
                                                 "of the detections in the bin.")
                                : QStringLiteral("Share of the detections that match a known true object.");
                plot.logX = axis.log;
                plot.yLow = 0.0;
                plot.yHigh = 1.0;
                for (size_t k = 0; k < m_pipelines.size(); ++k) {
                    plot.series.push_back(detectionSeries(k, axis, both));
                }
                if (!plot.empty()) m_report.plots.push_back(std::move(plot));
            }
        }
    }

    [[nodiscard]] PlotSeries detectionSeries(size_t pipeline, const MetricAxis& axis, bool both) const {
        struct Bin {
            std::vector<double> asked, found, detected, matched;
            double sum = 0.0;
            int truths = 0, detections = 0;
        };
        const ScoredPipeline& p = m_pipelines[pipeline];
        std::vector<Bin> bins(axis.edges.size() - 1, {zeros(), zeros(), zeros(), zeros()});
        const auto binOf = [&](double x) -> Bin* {
            const auto edge = std::upper_bound(axis.edges.begin(), axis.edges.end(), x);
            if (!std::isfinite(x) || edge == axis.edges.begin() || edge == axis.edges.end()) return nullptr;
            return &bins[static_cast<size_t>(edge - axis.edges.begin()) - 1];
        };
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            if (m_incomplete[s]) continue;
            const SceneScore& scene = p.scenes[s];
            for (const DetectionScore& d : scene.detections) {
                const double x = axis.ofDetection(scene, d);
                Bin* bin = binOf(x);
                if (!bin) continue;
                const auto u = static_cast<size_t>(unit(s, scene, d.x, d.y));
                bin->detected[u] += 1.0;
                bin->matched[u] += d.matched;
                bin->sum += axis.log ? std::log(x) : x;
                ++bin->detections;
            }
            for (const TruthScore& t : scene.truths) {
                Bin* bin = t.eligible ? binOf(axis.value(scene, t)) : nullptr;
                if (!bin) continue;
                const auto u = static_cast<size_t>(unit(s, scene, t.x, t.y));
                bin->asked[u] += 1.0;
                bin->found[u] += t.objectId > 0;
                ++bin->truths;
            }
        }
        PlotSeries out;
        out.name = p.name;
        out.pipeline = static_cast<int>(pipeline);
        for (size_t b = 0; b < bins.size(); ++b) {
            const Bin& bin = bins[b];
            if (bin.detections < kLeastInBin || (both && bin.truths < kLeastInBin)) continue;
            const Estimate e = both ? f1(*m_curveBootstrap, bin.asked, bin.found, bin.detected, bin.matched)
                                    : m_curveBootstrap->share(bin.matched, bin.detected);
            const double x = bin.sum / bin.detections;
            out.points.push_back({axis.log ? std::exp(x) : x,
                                  axis.edges[b],
                                  axis.edges[b + 1],
                                  e.value,
                                  e.error > kNoError ? e.error : double(kNan),
                                  bin.detections,
                                  {}});
        }
        return out;
    }

    void diagrams() {
        // Precision against recall, and average precision against the overlap that is asked for.
        for (const bool boxes : {false, true}) {
            if (!m_complete) break;
            PlotData pr, ap;
            const QString what = boxes ? QStringLiteral("boxes") : QStringLiteral("masks");
            pr.id = QStringLiteral("precision_recall_") + what;
            pr.metric = ap.metric = QStringLiteral("precision_recall");
            pr.title = QStringLiteral("Precision and recall, %1 at IoU 0.5").arg(what);
            pr.xLabel = QStringLiteral("recall");
            pr.yLabel = QStringLiteral("precision");
            pr.help = QStringLiteral("As the limit of significance falls, most confident detections first.");
            ap.id = QStringLiteral("average_precision_") + what;
            ap.title = QStringLiteral("Average precision, %1").arg(what);
            ap.xLabel = QStringLiteral("least IoU");
            ap.yLabel = QStringLiteral("average precision");
            ap.help = QStringLiteral("How fast the score falls as masks must agree better.");
            pr.style = ap.style = PlotData::Style::Line;
            pr.yLow = ap.yLow = 0.0;
            pr.yHigh = ap.yHigh = 1.0;
            for (size_t k = 0; k < m_pipelines.size(); ++k) {
                PlotSeries curve, average;
                curve.name = average.name = m_pipelines[k].name;
                curve.pipeline = average.pipeline = static_cast<int>(k);
                const std::vector<Estimate>& at = m_precision[k][boxes];
                for (size_t i = 0; i < at.size(); ++i) {
                    const double iou = iouThresholds()[i];
                    if (std::isnan(at[i].value)) continue;
                    average.points.push_back({iou, iou, iou, at[i].value, at[i].error, 0, {}});
                }
                if (!at.empty())
                    precisionPoints(PrecisionRecall(overlaps(m_pipelines[k], boxes), iouThresholds().front()), curve);
                pr.series.push_back(std::move(curve));
                ap.series.push_back(std::move(average));
            }
            if (!pr.empty()) m_report.plots.push_back(std::move(pr));
            if (!ap.empty()) m_report.plots.push_back(std::move(ap));
        }
        // Reliability.
        for (const bool counts : {false, true}) {
            PlotData plot;
            plot.id = counts ? QStringLiteral("reliability_count") : QStringLiteral("reliability_star");
            plot.metric = QStringLiteral("reliability");
            plot.title = counts ? QStringLiteral("Reliability of count probabilities")
                                : QStringLiteral("Reliability of the star-galaxy probability");
            plot.xLabel = QStringLiteral("stated probability");
            plot.yLabel = QStringLiteral("share that came true");
            plot.help = QStringLiteral("On the diagonal, probabilities mean what they say.");
            plot.yLow = 0.0;
            plot.yHigh = 1.0;
            plot.diagonal = true;
            for (size_t k = 0; k < m_pipelines.size(); ++k) {
                PlotSeries s;
                s.name = m_pipelines[k].name;
                s.pipeline = static_cast<int>(k);
                for (ReliabilityBin& b : reliabilityOf(forecasts(m_pipelines[k], counts)).bins) {
                    if (b.count == 0) continue;
                    s.points.push_back(
                        {b.meanProbability, b.low, b.high, b.frequency, b.error, b.count, std::move(b.members)});
                }
                plot.series.push_back(std::move(s));
            }
            if (!plot.empty()) m_report.plots.push_back(std::move(plot));
        }
        // Probability integral transform of the fluxes.
        PlotData pit;
        pit.id = pit.metric = QStringLiteral("pit");
        pit.title = QStringLiteral("Flux errors: probability integral transform");
        pit.xLabel = QStringLiteral("where the truth lies in what was stated");
        pit.yLabel = QStringLiteral("density");
        pit.help = QStringLiteral("Flat if the stated errors are honest, a valley if they are too small.");
        pit.style = PlotData::Style::Bars;
        pit.level = 1.0;
        pit.yLow = 0.0;
        for (size_t k = 0; k < m_pipelines.size(); ++k) {
            constexpr size_t bins = 10;
            std::array<std::vector<int>, bins> members;
            int row = -1;
            double n = 0.0;
            for (const SceneScore& s : m_pipelines[k].scenes) {
                for (const TruthScore& t : s.truths) {
                    if (!t.eligible) continue;
                    ++row;
                    const BandScore& b = referenceOf(s, t);
                    const double u = visibleIn(b) ? gaussianPit(b.flux, b.fluxErr, b.trueFlux) : double(kNan);
                    if (std::isnan(u)) continue;
                    members[std::min(bins - 1, static_cast<size_t>(u * bins))].push_back(row);
                    n += 1.0;
                }
            }
            if (n == 0.0) continue;
            PlotSeries s;
            s.name = m_pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t b = 0; b < bins; ++b) {
                const auto count = static_cast<double>(members[b].size());
                const double low = static_cast<double>(b) / bins, high = static_cast<double>(b + 1) / bins;
                s.points.push_back({0.5 * (low + high), low, high, count * bins / n, std::sqrt(count) * bins / n,
                                    static_cast<int>(members[b].size()), std::move(members[b])});
            }
            pit.series.push_back(std::move(s));
        }
        if (!pit.empty()) m_report.plots.push_back(std::move(pit));
        // Match outcomes.
        PlotData outcomes;
        outcomes.id = outcomes.metric = QStringLiteral("match_outcomes");
        outcomes.title = QStringLiteral("Match outcomes (by position alone)");
        outcomes.yLabel = QStringLiteral("share of true objects");
        outcomes.help = QStringLiteral("found: alone on its detection; shared: with another; shredded: in pieces.");
        outcomes.style = PlotData::Style::Bars;
        outcomes.yLow = 0.0;
        const std::array<MatchOutcome, 4> kinds = {MatchOutcome::Found, MatchOutcome::Shared, MatchOutcome::Shredded,
                                                   MatchOutcome::Missed};
        for (const MatchOutcome o : kinds) {
            outcomes.categories << matchOutcomeName(o);
        }
        for (size_t k = 0; k < m_pipelines.size(); ++k) {
            std::array<std::vector<int>, 4> members;
            int row = -1;
            for (const SceneScore& s : m_pipelines[k].scenes) {
                for (const TruthScore& t : s.truths) {
                    if (t.eligible) members[static_cast<size_t>(t.outcome)].push_back(++row);
                }
            }
            PlotSeries s;
            s.name = m_pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t o = 0; o < kinds.size(); ++o) {
                const MetricValue* m =
                    m_report.pipelines[k].metric(QStringLiteral("match:") + matchOutcomeName(kinds[o]));
                if (!m) continue;
                const auto x = static_cast<double>(o);
                s.points.push_back({x, x - 0.4, x + 0.4, m->value, m->error, static_cast<int>(members[o].size()),
                                    std::move(members[o])});
            }
            outcomes.series.push_back(std::move(s));
        }
        if (!outcomes.empty()) m_report.plots.insert(m_report.plots.begin(), std::move(outcomes));
        PlotData judged;
        judged.id = judged.metric = QStringLiteral("blend_outcomes");
        judged.title = QStringLiteral("Outcomes of blends");
        judged.yLabel = QStringLiteral("share of blends");
        judged.help =
            QStringLiteral("What became of each blend, seen against what would be detected of its objects alone.");
        judged.style = PlotData::Style::Bars;
        judged.yLow = 0.0;
        for (const Outcome o : blendOutcomes()) {
            judged.categories << outcomeWord(o);
        }
        for (size_t k = 0; k < m_pipelines.size(); ++k) {
            std::map<Outcome, std::vector<int>> members;
            int first = 0;
            for (const SceneScore& s : m_pipelines[k].scenes) {
                std::vector<int> row(s.truths.size(), -1);
                for (size_t i = 0; i < row.size(); ++i) {
                    if (s.truths[i].eligible) row[i] = first++;
                }
                for (const BlendOutcome& b : s.blends) {
                    for (const int m : b.members) {
                        if (row[static_cast<size_t>(m)] >= 0) members[b.outcome].push_back(row[static_cast<size_t>(m)]);
                    }
                }
            }
            PlotSeries s;
            s.name = m_pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t o = 0; o < blendOutcomes().size(); ++o) {
                const Outcome outcome = blendOutcomes()[o];
                const MetricValue* m = m_report.pipelines[k].metric(QStringLiteral("outcome:") + outcomeWord(outcome));
                if (!m) continue;
                const auto x = static_cast<double>(o);
                s.points.push_back({x, x - 0.4, x + 0.4, m->value, m->error,
                                    static_cast<int>(std::lround(m->value * static_cast<double>(m->count))),
                                    std::move(members[outcome])});
            }
            if (!s.points.empty()) judged.series.push_back(std::move(s));
        }
        if (!judged.empty()) m_report.plots.insert(m_report.plots.begin(), std::move(judged));
    }

    /// Precision at up to 200 recalls; the error is that of the precision at the same recall in each resample.
    void precisionPoints(const PrecisionRecall& pr, PlotSeries& series) const {
        const PrecisionRecallCurve c = pr.curve();
        std::vector<size_t> shown;
        const size_t step = std::max<size_t>(1, c.recall.size() / 200);
        for (size_t i = 0; i < c.recall.size(); i += step) {
            shown.push_back(i);
        }
        std::vector<std::vector<double>> drawn(shown.size());
        for (const Bootstrap::Weights& w : m_coarseBootstrap->weights()) {
            const PrecisionRecallCurve other = pr.curve(w);
            for (size_t i = 0; i < shown.size(); ++i) {
                const auto at = std::lower_bound(other.recall.begin(), other.recall.end(), c.recall[shown[i]]);
                if (at != other.recall.end())
                    drawn[i].push_back(other.precision[static_cast<size_t>(at - other.recall.begin())]);
            }
        }
        for (size_t i = 0; i < shown.size(); ++i) {
            const double x = c.recall[shown[i]], error = standardDeviation(drawn[i]);
            // Bars on every point would hide the curve.
            const bool told = i % std::max<size_t>(1, shown.size() / 15) == 0 &&
                              2 * drawn[i].size() > m_coarseBootstrap->weights().size() && error > kNoError;
            series.points.push_back({x, x, x, c.precision[shown[i]], told ? error : double(kNan), 0, {}});
        }
    }

    void differences() {
        for (size_t k = 1; k < m_report.pipelines.size(); ++k) {
            PipelineReport first, second;
            commonOf(0, k, first, second);
            for (const MetricValue& own : m_report.pipelines[k].metrics) {
                const bool common = isOfFound(own.id);
                const MetricValue* a = (common ? first : m_report.pipelines.front()).metric(own.id);
                const MetricValue* b = common ? second.metric(own.id) : &own;
                if (!a || !b) continue;
                PairedDifference d;
                d.metric = own.id;
                d.b = static_cast<int>(k);
                d.first = a->value;
                d.second = b->value;
                d.difference = d.second - d.first;
                d.common = common;
                d.count = b->count;
                if (a->replicates.size() == b->replicates.size() && !a->replicates.empty()) {
                    std::vector<double> off;
                    for (size_t i = 0; i < a->replicates.size(); ++i) {
                        off.push_back(b->replicates[i] - a->replicates[i]);
                    }
                    d.error = standardDeviation(off);
                    // Both at 0 or at 1: as for each alone.
                    if (d.error <= kNoError && (a->value <= 0.0 || a->value >= 1.0) && std::isfinite(a->error) &&
                        std::isfinite(b->error))
                        d.error = std::max(a->error, b->error);
                }
                m_report.differences.push_back(d);
            }
        }
    }

    /// The numbers of the objects that were found, of two pipelines on those that both found.
    void commonOf(size_t a, size_t b, PipelineReport& first, PipelineReport& second) {
        std::vector<std::vector<char>> only(m_pipelines[a].scenes.size());
        for (size_t s = 0; s < only.size(); ++s) {
            const std::vector<TruthScore>&x = m_pipelines[a].scenes[s].truths, &y = m_pipelines[b].scenes[s].truths;
            only[s].assign(std::max(x.size(), y.size()), 0);
            for (size_t t = 0; t < std::min(x.size(), y.size()); ++t) {
                only[s][t] = x[t].objectId > 0 && y[t].objectId > 0;
            }
        }
        m_only = &only;
        for (const auto& [row, out] : {std::pair{a, &first}, std::pair{b, &second}}) {
            m_out = out;
            detection(m_pipelines[row]);
            fluxes(m_pipelines[row]);
            shapes(m_pipelines[row]);
            images(m_pipelines[row]);
            transforms(m_pipelines[row]);
        }
        m_only = nullptr;
    }

    const std::vector<ScoredPipeline>& m_pipelines;
    const BuildOptions& m_options;
    MetricsReport m_report;
    PipelineReport* m_out = nullptr;
    int m_squares = 1, m_units = 0;
    bool m_complete = true;                                 ///< at least one scene is
    std::vector<char> m_incomplete;                         ///< per scene
    const std::vector<std::vector<char>>* m_only = nullptr; ///< [scene][truth]: found by both
    std::unique_ptr<Bootstrap> m_bootstrap, m_curveBootstrap, m_coarseBootstrap, m_sceneBootstrap;
    std::vector<std::array<std::vector<Estimate>, 2>> m_precision; ///< [pipeline][masks, boxes][threshold]
    std::vector<MetricAxis> m_axes;
};

} // namespace

MetricsReport buildReport(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options) {
    return Builder(pipelines, options).build();
}

} // namespace blendscope
