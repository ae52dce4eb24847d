#include "judge/MetricsBuilder.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"
#include "judge/Bootstrap.h"

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
constexpr double kClose = 0.2, kFarOff = 0.5;
constexpr double kLeastBandSnr = 10.0;
constexpr int kLeastInBin = 3;
constexpr double kFar = 98.0; // arcsec: no neighbour

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

/// What an object is put into a bin by.
struct Axis {
    QString id, label;
    bool log = false;
    std::vector<double> edges;
    std::function<double(const SceneScore&, const TruthScore&)> value;
};

/// What is averaged in a bin.
struct Curve {
    enum class Kind { Mean, Median, Scatter };
    QString id, title, yLabel, help;
    Kind kind = Kind::Mean;
    double level = std::numeric_limits<double>::quiet_NaN();
    double yLow = std::numeric_limits<double>::quiet_NaN(), yHigh = std::numeric_limits<double>::quiet_NaN();
    std::function<double(const SceneScore&, const TruthScore&)> value; ///< NaN = left out
};

const BandScore& reference(const SceneScore& s, const TruthScore& t) {
    return t.bands[static_cast<size_t>(s.reference)];
}

bool visible(const BandScore& b) {
    return b.trueSnr >= kLeastBandSnr && b.trueFlux > 0.0;
}

double closeFlux(const BandScore& b) {
    if (!visible(b)) return double(kNan);
    return std::abs(b.error()) < kClose ? 1.0 : 0.0;
}

double colourError(const TruthScore& t, int blue, int red) {
    if (blue < 0 || red < 0 || blue == red) return double(kNan);
    const BandScore &a = t.bands[static_cast<size_t>(blue)], &b = t.bands[static_cast<size_t>(red)];
    if (!visible(a) || !visible(b) || !(a.error() > -1.0) || !(b.error() > -1.0)) return double(kNan);
    return -2.5 * std::log10((1.0 + a.error()) / (1.0 + b.error()));
}

std::pair<int, int> colourBands(const SceneScore& s) {
    const auto index = [&](const char* name) {
        for (int i = 0; i < s.bands.size(); ++i) {
            if (s.bands[i].compare(QLatin1String(name), Qt::CaseInsensitive) == 0) return i;
        }
        return -1;
    };
    int blue = index("g");
    const int red = index("i") >= 0 ? index("i") : s.reference;
    if (blue < 0) blue = 0;
    if (s.bands.size() < 2) return {-1, -1};
    return {blue, blue == red ? static_cast<int>(s.bands.size()) - 1 : red};
}

std::vector<double> steps(double low, double high, double width) {
    std::vector<double> edges;
    for (double e = std::floor(low / width) * width; e < high + width && edges.size() < 200; e += width) {
        edges.push_back(e);
    }
    return edges;
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
        axes();
        curves();
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
        for (const ScoredPipeline& p : m_pipelines) {
            m_complete = m_complete &&
                         std::all_of(p.scenes.begin(), p.scenes.end(), [](const SceneScore& s) { return s.complete; });
        }
        if (!m_complete) {
            m_report.notes << QStringLiteral("The scenes hold objects that truth does not name: purity, F1, spurious "
                                             "detections and average precision are left out.");
        }
        m_squares = withTruth < kFewScenes ? kSquares : 1;
        m_units = static_cast<int>(scenes.size()) * m_squares * m_squares;
        m_report.resampled = m_squares == 1 ? QStringLiteral("%1 scenes").arg(scenes.size())
                                            : QStringLiteral("%1 squares of %2 scenes").arg(m_units).arg(scenes.size());
        m_bootstrap = std::make_unique<Bootstrap>(m_units, m_options.replicates);
        m_curveBootstrap = std::make_unique<Bootstrap>(m_units, m_options.curveReplicates);
        m_sceneBootstrap = std::make_unique<Bootstrap>(static_cast<int>(scenes.size()), kApReplicates);
    }

    [[nodiscard]] int unit(size_t scene, const SceneScore& s, double x, double y) const {
        if (m_squares == 1) return static_cast<int>(scene);
        const auto part = [&](double v, int side) {
            return std::clamp(static_cast<int>(v * m_squares / std::max(side, 1)), 0, m_squares - 1);
        };
        return (static_cast<int>(scene) * m_squares + part(y, s.size.height)) * m_squares + part(x, s.size.width);
    }
    [[nodiscard]] std::vector<double> zeros() const { return std::vector<double>(static_cast<size_t>(m_units), 0.0); }
    /// What is known of a whole scene alone is spread over its units.
    void spread(std::vector<double>& sums, size_t scene, double value) const {
        const int n = m_squares * m_squares;
        for (int i = 0; i < n; ++i) {
            sums[scene * static_cast<size_t>(n) + static_cast<size_t>(i)] += value / n;
        }
    }

    void put(const QString& id, const QString& title, Better better, const Estimate& e) {
        if (e.count == 0 && !std::isfinite(e.value)) return;
        m_out->metrics.push_back({id, title, better, e.value, e.error, e.count, e.replicates});
    }
    void putPlain(const QString& id, const QString& title, Better better, double value, long long count) {
        if (count > 0) m_out->metrics.push_back({id, title, better, value, double(kNan), count, {}});
    }

    void numbers(const ScoredPipeline& p) {
        detection(p);
        outcomes(p);
        fluxes(p);
        shapes(p);
        images(p);
        precision(p);
        calibration(p);
        costs(p);
    }

    void detection(const ScoredPipeline& p) {
        std::vector<double> asked = zeros(), found = zeros(), detected = zeros(), matched = zeros(), spurious = zeros();
        std::array<std::vector<double>, 4> outcome = {zeros(), zeros(), zeros(), zeros()};
        std::vector<double> secondary = zeros(), scenes = zeros();
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
                distance.add(t.distancePixels, static_cast<int>(u));
            }
            for (const DetectionScore& d : scene.detections) {
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
            spread(spurious, s, scene.spurious);
            spread(scenes, s, 1.0);
        }
        put(QStringLiteral("completeness"), QStringLiteral("completeness"), Better::Higher,
            m_bootstrap->ratio(found, asked));
        if (m_complete)
            put(QStringLiteral("purity"), QStringLiteral("purity"), Better::Higher,
                m_bootstrap->ratio(matched, detected));
        if (m_complete) {
            double objects = 0.0;
            for (const double d : asked) {
                objects += d;
            }
            put(QStringLiteral("f1"), QStringLiteral("F1"), Better::Higher,
                m_bootstrap->of(
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
                    std::llround(objects)));
        }
        for (const auto& [key, sums] : blends) {
            const QString n =
                key == 22 ? QStringLiteral("2+") : (key == 4 ? QStringLiteral("4+") : QString::number(key));
            put(QStringLiteral("whole_blends:") + n, QStringLiteral("blends of %1 wholly found").arg(n), Better::Higher,
                m_bootstrap->ratio(sums.first, sums.second));
        }
        for (const MatchOutcome o :
             {MatchOutcome::Found, MatchOutcome::Shared, MatchOutcome::Shredded, MatchOutcome::Missed}) {
            put(QStringLiteral("match:") + matchOutcomeName(o),
                QStringLiteral("%1 (by position)").arg(matchOutcomeName(o)),
                o == MatchOutcome::Found ? Better::Higher : Better::Lower,
                m_bootstrap->ratio(outcome[static_cast<size_t>(o)], asked));
        }
        put(QStringLiteral("match:shared_secondary"), QStringLiteral("shared, not the owner (by position)"),
            Better::Lower, m_bootstrap->ratio(secondary, asked));
        if (m_complete)
            put(QStringLiteral("match:spurious_per_scene"), QStringLiteral("spurious detections per scene"),
                Better::Lower, m_bootstrap->ratio(spurious, scenes));
        put(QStringLiteral("distance"), QStringLiteral("distance, median (pixel)"), Better::Lower,
            m_bootstrap->median(distance));
    }

    /// The five outcomes and the others: shares of the blends, and of the objects that would be detected alone.
    void outcomes(const ScoredPipeline& p) {
        std::map<Outcome, std::vector<double>> ofBlends, ofObjects;
        std::vector<double> blends = zeros(), objects = zeros();
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            if (!scene.judged) continue;
            for (const BlendOutcome& b : scene.blends) {
                const auto u = static_cast<size_t>(unit(s, scene, b.x, b.y));
                ofBlends.try_emplace(b.outcome, zeros()).first->second[u] += 1.0;
                blends[u] += 1.0;
            }
            for (const TruthScore& t : scene.truths) {
                if (!t.detectedAlone || t.verdict == Outcome::Outside) continue;
                const auto u = static_cast<size_t>(unit(s, scene, t.x, t.y));
                ofObjects.try_emplace(t.verdict, zeros()).first->second[u] += 1.0;
                objects[u] += 1.0;
            }
        }
        const auto good = [](Outcome o) { return o == Outcome::Recognized || o == Outcome::Single; };
        for (const Outcome o : shownOutcomes()) {
            const QString word = outcomeWord(o);
            const auto b = ofBlends.try_emplace(o, zeros()).first, t = ofObjects.try_emplace(o, zeros()).first;
            put(QStringLiteral("outcome:") + word, QStringLiteral("blends %1").arg(word),
                good(o) ? Better::Higher : Better::Lower, m_bootstrap->ratio(b->second, blends));
            put(QStringLiteral("verdict:") + word, QStringLiteral("objects detectable alone: %1").arg(word),
                good(o) ? Better::Higher : Better::Lower, m_bootstrap->ratio(t->second, objects));
        }
    }
    [[nodiscard]] static const std::vector<Outcome>& shownOutcomes() {
        static const std::vector<Outcome> list = {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded,
                                                  Outcome::Merged,     Outcome::Undetected,   Outcome::Lost,
                                                  Outcome::Boosted,    Outcome::Spurious};
        return list;
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
                        if (!t.eligible || !in(c, t.blendedness) || !visible(f)) continue;
                        const int u = unit(s, scene, t.x, t.y);
                        const auto i = static_cast<size_t>(u);
                        asked[i] += 1.0;
                        close[i] += std::abs(f.error()) < kClose;
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
                    m_bootstrap->ratio(close, asked));
                if (errors.empty()) continue;
                put(QStringLiteral("flux_bias") + tail, QStringLiteral("flux bias (%1)").arg(of), Better::NearZero,
                    m_bootstrap->median(errors));
                put(QStringLiteral("flux_scatter") + tail, QStringLiteral("flux scatter (%1)").arg(of), Better::Lower,
                    m_bootstrap->scatter(errors));
                put(QStringLiteral("flux_outliers") + tail, QStringLiteral("flux off by more than half (%1)").arg(of),
                    Better::Lower, m_bootstrap->ratio(far, measured));
                if (!pulls.empty()) {
                    put(QStringLiteral("pull_bias") + tail, QStringLiteral("pull, median (%1)").arg(of),
                        Better::NearZero, m_bootstrap->median(pulls));
                    put(QStringLiteral("pull_scatter") + tail, QStringLiteral("pull, scatter (%1)").arg(of),
                        Better::NearOne, m_bootstrap->scatter(pulls));
                }
                const Estimate notBetter = m_bootstrap->ratio(worse, compared);
                if (notBetter.count > 0 && cat != QLatin1String("isolated")) {
                    put(QStringLiteral("worse_than_undeblended") + tail,
                        QStringLiteral("flux worse than without deblending (%1)").arg(of), Better::Lower, notBetter);
                }
            }
            UnitSample colours;
            QString name;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                const SceneScore& scene = p.scenes[s];
                const auto [blue, red] = colourBands(scene);
                if (blue >= 0 && name.isEmpty()) name = scene.bands[blue] + QLatin1Char('-') + scene.bands[red];
                for (const TruthScore& t : scene.truths) {
                    if (t.eligible && in(c, t.blendedness))
                        colours.add(colourError(t, blue, red), unit(s, scene, t.x, t.y));
                }
            }
            if (colours.empty()) continue;
            put(QStringLiteral("colour_bias:") + cat, QStringLiteral("colour %1 bias, mag (%2)").arg(name, words),
                Better::NearZero, m_bootstrap->median(colours));
            put(QStringLiteral("colour_scatter:") + cat, QStringLiteral("colour %1 scatter, mag (%2)").arg(name, words),
                Better::Lower, m_bootstrap->scatter(colours));
        }
    }

    void shapes(const ScoredPipeline& p) {
        for (const Category& c : kCategories) {
            UnitSample size, e1, e2;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (!t.eligible || !in(c, t.blendedness)) continue;
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
                        if (t.images.empty() || !t.eligible || !in(c, t.blendedness) ||
                            !visible(t.bands[static_cast<size_t>(b)]))
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
                    if (!t.eligible || !in(c, t.blendedness)) continue;
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
                spread(both, s, k.intersection);
                spread(either, s, k.united);
            }
        }
        for (const auto& [name, sums] : classes) {
            put(QStringLiteral("pixel_iou:") + name, QStringLiteral("pixel IoU of %1").arg(name), Better::Higher,
                m_bootstrap->ratio(sums.first, sums.second));
        }
    }

    [[nodiscard]] static std::vector<OverlapScene> overlaps(const ScoredPipeline& p, bool boxes) {
        std::vector<OverlapScene> out;
        for (const SceneScore& s : p.scenes) {
            out.push_back(boxes ? s.boxes : s.masks);
        }
        return out;
    }

    void precision(const ScoredPipeline& p) {
        for (const bool boxes : {false, true}) {
            const std::vector<OverlapScene> scenes = overlaps(p, boxes);
            long long asked = 0;
            for (const OverlapScene& s : scenes) {
                asked += std::count(s.asked.begin(), s.asked.end(), true);
            }
            if (asked == 0 || !m_complete) continue;
            std::vector<PrecisionRecall> at;
            for (const double iou : iouThresholds()) {
                at.emplace_back(scenes, iou);
            }
            const QString id = boxes ? QStringLiteral("ap_box") : QStringLiteral("ap_mask");
            const QString title =
                boxes ? QStringLiteral("average precision by box") : QStringLiteral("average precision by mask");
            put(id, title + QStringLiteral(", IoU 0.5 to 0.95"), Better::Higher,
                m_sceneBootstrap->of(
                    [&](const Bootstrap::Weights& w) {
                        double sum = 0.0;
                        for (const PrecisionRecall& pr : at) {
                            sum += pr.curve(w).averagePrecision;
                        }
                        return sum / static_cast<double>(at.size());
                    },
                    asked));
            for (const size_t k : {size_t(0), size_t(5)}) {
                put(id + QString::number(std::lround(100 * iouThresholds()[k])),
                    title + QStringLiteral(", IoU %1").arg(iouThresholds()[k], 0, 'f', 2), Better::Higher,
                    m_sceneBootstrap->of([&](const Bootstrap::Weights& w) { return at[k].curve(w).averagePrecision; },
                                         asked));
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
        for (const Category& c : kCategories) {
            std::vector<double> pit;
            for (const SceneScore& s : p.scenes) {
                for (const TruthScore& t : s.truths) {
                    if (!t.eligible || !in(c, t.blendedness) || !visible(reference(s, t))) continue;
                    const BandScore& b = reference(s, t);
                    pit.push_back(gaussianPit(b.flux, b.fluxErr, b.trueFlux));
                }
            }
            std::erase_if(pit, [](double v) { return std::isnan(v); });
            putPlain(QStringLiteral("pit:") + QLatin1String(c.id),
                     QStringLiteral("flux PIT, distance from uniform (%1)").arg(QLatin1String(c.words)), Better::Lower,
                     distanceFromUniform(pit), static_cast<long long>(pit.size()));
        }
    }

    /// Recounting forecasts in every resample is slow: fewer of them.
    [[nodiscard]] Estimate coarse(const std::function<double(const Bootstrap::Weights&)>& f, long long n) const {
        return Bootstrap(m_units, kApReplicates).of(f, n);
    }

    void costs(const ScoredPipeline& p) {
        std::vector<double> chi2 = zeros(), pixels = zeros(), seconds = zeros(), objects = zeros();
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            spread(chi2, s, scene.chi2Sum);
            spread(pixels, s, scene.chi2Pixels);
            if (!std::isfinite(scene.seconds)) continue;
            spread(seconds, s, scene.seconds);
            spread(objects, s, scene.objects);
        }
        const Estimate chi = m_bootstrap->ratio(chi2, pixels), cost = m_bootstrap->ratio(seconds, objects);
        if (chi.count > 0)
            put(QStringLiteral("chi2"), QStringLiteral("chi-square of residuals per pixel"), Better::NearOne, chi);
        if (cost.count > 0)
            put(QStringLiteral("seconds_per_object"), QStringLiteral("seconds per object"), Better::Lower, cost);
    }

    void axes() {
        double bright = 1e9, faint = -1e9, sharp = 1e9, blurred = 0.0, shallow = 1e9, deep = -1e9;
        for (const SceneScore& s : m_pipelines.front().scenes) {
            for (const TruthScore& t : s.truths) {
                if (!t.eligible || !std::isfinite(t.magnitude)) continue;
                bright = std::min(bright, t.magnitude);
                faint = std::max(faint, t.magnitude);
            }
            if (s.truths.empty()) continue;
            sharp = std::min(sharp, s.fwhmArcsec);
            blurred = std::max(blurred, s.fwhmArcsec);
            if (std::isfinite(s.depth)) {
                shallow = std::min(shallow, s.depth);
                deep = std::max(deep, s.depth);
            }
        }
        const double width = m_options.magnitudeBin > 0.0 ? m_options.magnitudeBin : 1.0;
        if (faint >= bright) {
            m_axes.push_back({QStringLiteral("magnitude"), QStringLiteral("true magnitude (reference band)"), false,
                              steps(bright, faint, width),
                              [](const SceneScore&, const TruthScore& t) { return t.magnitude; }});
        }
        m_axes.push_back({QStringLiteral("size"),
                          QStringLiteral("true half-light radius, arcsec"),
                          false,
                          {0.0, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5, 3.0, 10.0},
                          [](const SceneScore&, const TruthScore& t) { return t.hlrArcsec; }});
        m_axes.push_back({QStringLiteral("snr"),
                          QStringLiteral("S/N of the object alone"),
                          true,
                          {2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 1e5},
                          [](const SceneScore&, const TruthScore& t) { return t.snr; }});
        m_axes.push_back({QStringLiteral("neighbour"),
                          QStringLiteral("distance to the nearest neighbour, PSF FWHM"),
                          false,
                          {0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0},
                          [](const SceneScore& s, const TruthScore& t) {
                              return t.neighbourArcsec < kFar ? t.neighbourArcsec / s.fwhmArcsec : double(kNan);
                          }});
        m_axes.push_back({QStringLiteral("difference"),
                          QStringLiteral("magnitude of the neighbour - own"),
                          false,
                          {-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0},
                          [](const SceneScore&, const TruthScore& t) { return t.neighbourMagnitudes; }});
        m_axes.push_back({QStringLiteral("blendedness"),
                          QStringLiteral("blendedness"),
                          false,
                          {0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.001},
                          [](const SceneScore&, const TruthScore& t) { return t.blendedness; }});
        const auto equal = [](double low, double high) {
            std::vector<double> edges;
            for (int k = 0; k <= 5; ++k) {
                edges.push_back(low + (high - low) * k / 5.0 + (k == 5 ? 1e-6 : 0.0));
            }
            return edges;
        };
        if (blurred > 1.02 * sharp) {
            m_axes.push_back({QStringLiteral("seeing"), QStringLiteral("PSF FWHM, arcsec"), false,
                              equal(sharp, blurred),
                              [](const SceneScore& s, const TruthScore&) { return s.fwhmArcsec; }});
        }
        if (deep > shallow + 0.05) {
            m_axes.push_back({QStringLiteral("depth"), QStringLiteral("depth, 5 sigma point source, mag"), false,
                              equal(shallow, deep), [](const SceneScore& s, const TruthScore&) { return s.depth; }});
        }
    }

    void curves() {
        const double none = std::numeric_limits<double>::quiet_NaN();
        const std::vector<Curve> all = {
            {QStringLiteral("completeness"), QStringLiteral("Completeness"), QStringLiteral("share found"),
             QStringLiteral("Share of the true objects with a detection of their own."), Curve::Kind::Mean, none, 0.0,
             1.0, [](const SceneScore&, const TruthScore& t) { return t.objectId > 0 ? 1.0 : 0.0; }},
            {QStringLiteral("found"), QStringLiteral("Found, alone on their detection"), QStringLiteral("share"),
             QStringLiteral("Share whose match outcome is \"found\": neither shared, shredded nor missed."),
             Curve::Kind::Mean, none, 0.0, 1.0,
             [](const SceneScore&, const TruthScore& t) { return t.outcome == MatchOutcome::Found ? 1.0 : 0.0; }},
            {QStringLiteral("recognized"), QStringLiteral("Recognized"), QStringLiteral("share"),
             QStringLiteral("Share of the objects that would be detected alone and are recognized in the blend."),
             Curve::Kind::Mean, none, 0.0, 1.0,
             [](const SceneScore& s, const TruthScore& t) {
                 if (!s.judged || !t.detectedAlone) return double(kNan);
                 return t.verdict == Outcome::Recognized || t.verdict == Outcome::Single ? 1.0 : 0.0;
             }},
            {QStringLiteral("within20"), QStringLiteral("Flux within 20 %"), QStringLiteral("share"),
             QStringLiteral("Share of all true objects whose flux in the reference band is within 20 %; one not found "
                            "counts as not."),
             Curve::Kind::Mean, none, 0.0, 1.0,
             [](const SceneScore& s, const TruthScore& t) { return closeFlux(reference(s, t)); }},
            {QStringLiteral("flux_bias"), QStringLiteral("Flux bias"), QStringLiteral("median of measured / true - 1"),
             QStringLiteral("Median relative flux error of those found, reference band."), Curve::Kind::Median, 0.0,
             none, none,
             [](const SceneScore& s, const TruthScore& t) {
                 return visible(reference(s, t)) ? reference(s, t).error() : double(kNan);
             }},
            {QStringLiteral("flux_scatter"), QStringLiteral("Flux scatter"), QStringLiteral("1.4826 MAD"),
             QStringLiteral("Scatter of the relative flux error of those found, reference band."), Curve::Kind::Scatter,
             none, 0.0, none,
             [](const SceneScore& s, const TruthScore& t) {
                 return visible(reference(s, t)) ? reference(s, t).error() : double(kNan);
             }},
            {QStringLiteral("colour_scatter"), QStringLiteral("Colour scatter"), QStringLiteral("1.4826 MAD, mag"),
             QStringLiteral("Scatter of the colour error of those found."), Curve::Kind::Scatter, none, 0.0, none,
             [](const SceneScore& s, const TruthScore& t) {
                 const auto [blue, red] = colourBands(s);
                 return colourError(t, blue, red);
             }},
            {QStringLiteral("pull_scatter"), QStringLiteral("Are the errors honest?"),
             QStringLiteral("scatter of error / stated error"),
             QStringLiteral("Scatter of (measured - true) / stated error: 1 = honest, above = too confident."),
             Curve::Kind::Scatter, 1.0, 0.0, none,
             [](const SceneScore& s, const TruthScore& t) {
                 const BandScore& b = reference(s, t);
                 return visible(b) && b.fluxErr > 0.0 ? (b.flux - b.trueFlux) / b.fluxErr : double(kNan);
             }},
            {QStringLiteral("size_bias"), QStringLiteral("Size bias"), QStringLiteral("median of ln (size / true)"),
             QStringLiteral("Median error of the half-light radius before the PSF, galaxies found."),
             Curve::Kind::Median, 0.0, none, none, [](const SceneScore&, const TruthScore& t) { return t.sizeError; }},
            {QStringLiteral("e1_scatter"), QStringLiteral("Ellipticity scatter"), QStringLiteral("1.4826 MAD of e1"),
             QStringLiteral("Scatter of the ellipticity's first component as seen."), Curve::Kind::Scatter, none, 0.0,
             none, [](const SceneScore&, const TruthScore& t) { return t.e1Error; }},
            {QStringLiteral("mask_iou"), QStringLiteral("Mask IoU"), QStringLiteral("median"),
             QStringLiteral("Intersection over union of the object's mask with the pixels where it is brightest."),
             Curve::Kind::Median, none, 0.0, 1.0, [](const SceneScore&, const TruthScore& t) { return t.maskIou; }},
            {QStringLiteral("image_correlation"), QStringLiteral("Image correlation"), QStringLiteral("median"),
             QStringLiteral("Correlation of the component with the noiseless image of the object alone."),
             Curve::Kind::Median, none, none, 1.0,
             [](const SceneScore& s, const TruthScore& t) {
                 return t.images.empty() || !visible(reference(s, t))
                            ? double(kNan)
                            : t.images[static_cast<size_t>(s.reference)].correlation;
             }},
        };
        std::vector<PlotData> plots(all.size() * m_axes.size());
        TaskPool::shared().parallelFor(static_cast<int>(plots.size()), [&](int i) {
            const Curve& curve = all[static_cast<size_t>(i) / m_axes.size()];
            const Axis& axis = m_axes[static_cast<size_t>(i) % m_axes.size()];
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
        for (PlotData& plot : plots) {
            if (!plot.empty()) m_report.plots.push_back(std::move(plot));
        }
    }

    [[nodiscard]] PlotSeries series(size_t pipeline, const Axis& axis, const Curve& curve) const {
        const ScoredPipeline& p = m_pipelines[pipeline];
        const size_t bins = axis.edges.size() - 1;
        std::vector<UnitSample> samples(bins);
        std::vector<std::vector<int>> members(bins);
        std::vector<double> sum(bins, 0.0);
        int row = -1;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const TruthScore& t : scene.truths) {
                if (!t.eligible) continue;
                ++row;
                const double x = axis.value(scene, t), y = curve.value(scene, t);
                if (!std::isfinite(x) || !std::isfinite(y)) continue;
                const auto edge = std::upper_bound(axis.edges.begin(), axis.edges.end(), x);
                if (edge == axis.edges.begin() || edge == axis.edges.end()) continue;
                const auto bin = static_cast<size_t>(edge - axis.edges.begin()) - 1;
                samples[bin].add(y, unit(s, scene, t.x, t.y));
                members[bin].push_back(row);
                sum[bin] += axis.log ? std::log(x) : x;
            }
        }
        PlotSeries out;
        out.name = p.name;
        out.pipeline = static_cast<int>(pipeline);
        for (size_t b = 0; b < bins; ++b) {
            const auto n = samples[b].size();
            if (n < size_t(kLeastInBin)) continue;
            const Estimate e = curve.kind == Curve::Kind::Mean     ? m_curveBootstrap->mean(samples[b])
                               : curve.kind == Curve::Kind::Median ? m_curveBootstrap->median(samples[b])
                                                                   : m_curveBootstrap->scatter(samples[b]);
            const double x = sum[b] / static_cast<double>(n);
            out.points.push_back({axis.log ? std::exp(x) : x, axis.edges[b], axis.edges[b + 1], e.value, e.error,
                                  static_cast<int>(n), std::move(members[b])});
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
                const std::vector<OverlapScene> scenes = overlaps(m_pipelines[k], boxes);
                PlotSeries curve, average;
                curve.name = average.name = m_pipelines[k].name;
                curve.pipeline = average.pipeline = static_cast<int>(k);
                for (const double iou : iouThresholds()) {
                    const PrecisionRecallCurve c = PrecisionRecall(scenes, iou).curve();
                    if (std::isnan(c.averagePrecision)) continue;
                    average.points.push_back({iou, iou, iou, c.averagePrecision, double(kNan), 0, {}});
                    if (iou > iouThresholds().front()) continue;
                    const size_t step = std::max<size_t>(1, c.recall.size() / 200);
                    for (size_t i = 0; i < c.recall.size(); i += step) {
                        curve.points.push_back(
                            {c.recall[i], c.recall[i], c.recall[i], c.precision[i], double(kNan), 0, {}});
                    }
                }
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
                    const BandScore& b = reference(s, t);
                    const double u = visible(b) ? gaussianPit(b.flux, b.fluxErr, b.trueFlux) : double(kNan);
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
        for (const Outcome o : shownOutcomes()) {
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
            for (size_t o = 0; o < shownOutcomes().size(); ++o) {
                const Outcome outcome = shownOutcomes()[o];
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

    void differences() {
        for (size_t k = 1; k < m_report.pipelines.size(); ++k) {
            for (const MetricValue& b : m_report.pipelines[k].metrics) {
                const MetricValue* a = m_report.pipelines.front().metric(b.id);
                if (!a) continue;
                PairedDifference d{b.id, 0, static_cast<int>(k), b.value - a->value, double(kNan)};
                if (a->replicates.size() == b.replicates.size() && !a->replicates.empty()) {
                    double sum = 0.0, squares = 0.0;
                    int n = 0;
                    for (size_t i = 0; i < a->replicates.size(); ++i) {
                        const double v = b.replicates[i] - a->replicates[i];
                        if (!std::isfinite(v)) continue;
                        sum += v;
                        squares += v * v;
                        ++n;
                    }
                    if (n > 1) d.error = std::sqrt(std::max(0.0, squares / n - sum / n * sum / n));
                }
                m_report.differences.push_back(d);
            }
        }
    }

    const std::vector<ScoredPipeline>& m_pipelines;
    const BuildOptions& m_options;
    MetricsReport m_report;
    PipelineReport* m_out = nullptr;
    int m_squares = 1, m_units = 0;
    bool m_complete = true;
    std::unique_ptr<Bootstrap> m_bootstrap, m_curveBootstrap, m_sceneBootstrap;
    std::vector<Axis> m_axes;
};

} // namespace

MetricsReport buildReport(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options) {
    return Builder(pipelines, options).build();
}

} // namespace blendscope
