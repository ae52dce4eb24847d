#include "judge/MetricNumbers.h"

#include "jobs/TaskPool.h"
#include "judge/MetricCurves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace blendscope {

namespace {

using Better = MetricValue::Better;

constexpr double kFarOff = 0.5;

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

/// The numbers of one pipeline.
class Numbers {
public:
    Numbers(const ScoredSet& set, const FoundByBoth* only) : m_set(set), m_only(only) {}

    void all(const ScoredPipeline& p) {
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
    void ofFound(const ScoredPipeline& p) {
        detection(p);
        fluxes(p);
        shapes(p);
        images(p);
        transforms(p);
    }
    PipelineNumbers out;

private:
    /// Whether an object is asked for, and, where two pipelines are compared, both found it.
    [[nodiscard]] bool taken(size_t scene, const SceneScore& s, const TruthScore& t) const {
        return t.eligible && (!m_only || (*m_only)[scene][static_cast<size_t>(&t - s.truths.data())]);
    }

    void put(const QString& id, const QString& title, Better better, const Estimate& e) {
        if (e.count == 0 && !std::isfinite(e.value)) return;
        out.metrics.push_back({id, title, better, e.value, toldError(e), e.count, e.replicates});
    }

    void detection(const ScoredPipeline& p) {
        std::vector<double> asked = m_set.zeros(), found = m_set.zeros(), detected = m_set.zeros(),
                            matched = m_set.zeros(), spurious = m_set.zeros();
        std::array<std::vector<double>, 4> outcome = {m_set.zeros(), m_set.zeros(), m_set.zeros(), m_set.zeros()};
        std::vector<double> secondary = m_set.zeros(), scenes = m_set.zeros(), askedWhole = m_set.zeros(),
                            foundWhole = m_set.zeros();
        std::map<int, std::pair<std::vector<double>, std::vector<double>>> blends;
        UnitSample distance;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const TruthScore& t : scene.truths) {
                if (!t.eligible) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, t.x, t.y));
                asked[u] += 1.0;
                found[u] += t.objectId > 0;
                outcome[static_cast<size_t>(t.outcome)][u] += 1.0;
                secondary[u] += t.secondary;
                if (taken(s, scene, t)) distance.add(t.distancePixels, static_cast<int>(u));
                if (m_set.incomplete[s]) continue;
                askedWhole[u] += 1.0;
                foundWhole[u] += t.objectId > 0;
            }
            for (const DetectionScore& d : scene.detections) {
                if (m_set.incomplete[s]) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, d.x, d.y));
                detected[u] += 1.0;
                matched[u] += d.matched;
            }
            for (const GroupScore& g : scene.groups) {
                if (g.members.empty()) continue;
                const TruthScore& first = scene.truths[static_cast<size_t>(g.members.front())];
                const auto u = static_cast<size_t>(m_set.unit(s, scene, first.x, first.y));
                const bool whole = std::all_of(g.members.begin(), g.members.end(), [&](int m) {
                    return scene.truths[static_cast<size_t>(m)].outcome == MatchOutcome::Found;
                });
                const int size = std::min(static_cast<int>(g.members.size()), 4);
                for (const int key : {size, size >= 2 ? 22 : -1}) {
                    if (key < 0) continue;
                    auto& [n, d] = blends.try_emplace(key, m_set.zeros(), m_set.zeros()).first->second;
                    n[u] += whole;
                    d[u] += 1.0;
                }
            }
            if (m_set.incomplete[s]) continue;
            for (const PixelPosition& at : scene.spurious) {
                spurious[static_cast<size_t>(m_set.unit(s, scene, at.x, at.y))] += 1.0;
            }
            m_set.spread(scenes, s, 1.0);
        }
        put(QStringLiteral("completeness"), QStringLiteral("completeness"), Better::Higher,
            m_set.bootstrap->share(found, asked));
        if (m_set.complete)
            put(QStringLiteral("purity"), QStringLiteral("purity"), Better::Higher,
                m_set.bootstrap->share(matched, detected));
        if (m_set.complete) {
            put(QStringLiteral("f1"), QStringLiteral("F1"), Better::Higher,
                f1(*m_set.bootstrap, askedWhole, foundWhole, detected, matched));
        }
        for (const auto& [key, sums] : blends) {
            const QString n =
                key == 22 ? QStringLiteral("2+") : (key == 4 ? QStringLiteral("4+") : QString::number(key));
            put(QStringLiteral("whole_blends:") + n, QStringLiteral("blends of %1 wholly found").arg(n), Better::Higher,
                m_set.bootstrap->share(sums.first, sums.second));
        }
        for (const MatchOutcome o :
             {MatchOutcome::Found, MatchOutcome::Shared, MatchOutcome::Shredded, MatchOutcome::Missed}) {
            put(QStringLiteral("match:") + matchOutcomeName(o),
                QStringLiteral("%1 (by position)").arg(matchOutcomeName(o)),
                o == MatchOutcome::Found ? Better::Higher : Better::Lower,
                m_set.bootstrap->share(outcome[static_cast<size_t>(o)], asked));
        }
        put(QStringLiteral("match:shared_secondary"), QStringLiteral("shared, not the owner (by position)"),
            Better::Lower, m_set.bootstrap->share(secondary, asked));
        if (m_set.complete)
            put(QStringLiteral("match:spurious_per_scene"), QStringLiteral("spurious detections per scene"),
                Better::Lower, m_set.bootstrap->ratio(spurious, scenes));
        put(QStringLiteral("distance"), QStringLiteral("distance, median (pixel)"), Better::Lower,
            m_set.bootstrap->median(distance));
    }

    /// The five outcomes and the others: shares of the blends, and of the objects that would be detected alone.
    void outcomes(const ScoredPipeline& p) {
        std::map<Outcome, std::vector<double>> ofBlends, ofObjects;
        std::vector<double> blends = m_set.zeros(), objects = m_set.zeros(), empty = m_set.zeros(),
                            detections = m_set.zeros();
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            if (!scene.judged) continue;
            for (const BlendOutcome& b : scene.blends) {
                const auto u = static_cast<size_t>(m_set.unit(s, scene, b.x, b.y));
                ofBlends.try_emplace(b.outcome, m_set.zeros()).first->second[u] += 1.0;
                blends[u] += 1.0;
            }
            for (const DetectionScore& d : scene.detections) {
                if (m_set.incomplete[s]) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, d.x, d.y));
                empty[u] += d.verdict == Outcome::Spurious;
                detections[u] += 1.0;
            }
            for (const TruthScore& t : scene.truths) {
                if (!t.detectedAlone || t.verdict == Outcome::Outside) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, t.x, t.y));
                ofObjects.try_emplace(t.verdict, m_set.zeros()).first->second[u] += 1.0;
                objects[u] += 1.0;
            }
        }
        const auto better = [](Outcome o) { return o == Outcome::Recognized ? Better::Higher : Better::Lower; };
        for (const Outcome o : blendOutcomes()) {
            put(QStringLiteral("outcome:") + outcomeWord(o), QStringLiteral("blends %1").arg(outcomeWord(o)), better(o),
                m_set.bootstrap->share(ofBlends.try_emplace(o, m_set.zeros()).first->second, blends));
        }
        for (const Outcome o : aloneOutcomes()) {
            std::vector<double>& sums = ofObjects.try_emplace(o, m_set.zeros()).first->second;
            const auto single = ofObjects.find(Outcome::Single);
            for (size_t i = 0; o == Outcome::Recognized && single != ofObjects.end() && i < sums.size(); ++i) {
                sums[i] += single->second[i];
            }
            put(QStringLiteral("verdict:") + outcomeWord(o),
                QStringLiteral("objects detectable alone: %1").arg(outcomeWord(o)), better(o),
                m_set.bootstrap->share(sums, objects));
        }
        put(QStringLiteral("detections:spurious"), QStringLiteral("detections without an object"), Better::Lower,
            m_set.bootstrap->share(empty, detections));
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
                std::vector<double> close = m_set.zeros(), asked = m_set.zeros(), far = m_set.zeros(),
                                    measured = m_set.zeros();
                std::vector<double> worse = m_set.zeros(), compared = m_set.zeros();
                UnitSample errors, pulls;
                for (size_t s = 0; s < p.scenes.size(); ++s) {
                    const SceneScore& scene = p.scenes[s];
                    const auto b = scene.bands.indexOf(band);
                    if (b < 0) continue;
                    for (const TruthScore& t : scene.truths) {
                        const BandScore& f = t.bands[static_cast<size_t>(b)];
                        if (!taken(s, scene, t) || !in(c, t.blendedness) || !visibleIn(f)) continue;
                        const int u = m_set.unit(s, scene, t.x, t.y);
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
                    m_set.bootstrap->share(close, asked));
                if (errors.empty()) continue;
                put(QStringLiteral("flux_bias") + tail, QStringLiteral("flux bias (%1)").arg(of), Better::NearZero,
                    m_set.bootstrap->median(errors));
                put(QStringLiteral("flux_scatter") + tail, QStringLiteral("flux scatter (%1)").arg(of), Better::Lower,
                    m_set.bootstrap->scatter(errors));
                put(QStringLiteral("flux_outliers") + tail, QStringLiteral("flux off by more than half (%1)").arg(of),
                    Better::Lower, m_set.bootstrap->share(far, measured));
                if (!pulls.empty()) {
                    put(QStringLiteral("pull_bias") + tail, QStringLiteral("pull, median (%1)").arg(of),
                        Better::NearZero, m_set.bootstrap->median(pulls));
                    put(QStringLiteral("pull_scatter") + tail, QStringLiteral("pull, scatter (%1)").arg(of),
                        Better::NearOne, m_set.bootstrap->scatter(pulls));
                }
                const Estimate notBetter = m_set.bootstrap->share(worse, compared);
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
                        colours[pair.name].add(colourErrorOf(t, pair), m_set.unit(s, scene, t.x, t.y));
                }
            }
            for (const auto& [name, sample] : colours) {
                if (sample.empty()) continue;
                const QString tail = QStringLiteral(":%1:%2").arg(cat, name);
                put(QStringLiteral("colour_bias") + tail, QStringLiteral("colour %1 bias, mag (%2)").arg(name, words),
                    Better::NearZero, m_set.bootstrap->median(sample));
                put(QStringLiteral("colour_scatter") + tail,
                    QStringLiteral("colour %1 scatter, mag (%2)").arg(name, words), Better::Lower,
                    m_set.bootstrap->scatter(sample));
            }
        }
    }

    void shapes(const ScoredPipeline& p) {
        for (const Category& c : kCategories) {
            UnitSample size, e1, e2;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (!taken(s, p.scenes[s], t) || !in(c, t.blendedness)) continue;
                    const int u = m_set.unit(s, p.scenes[s], t.x, t.y);
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
                    m_set.bootstrap->median(row.sample));
                put(QLatin1String(row.id) + QStringLiteral("_scatter") + tail,
                    QStringLiteral("%1 scatter (%2)").arg(row.title, words), Better::Lower,
                    m_set.bootstrap->scatter(row.sample));
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
                        const int u = m_set.unit(s, scene, t.x, t.y);
                        for (size_t k = 0; k < samples.size(); ++k) {
                            samples[k].add(t.images[static_cast<size_t>(b)].*rows[k].member, u);
                        }
                    }
                }
                for (size_t k = 0; k < samples.size(); ++k) {
                    if (samples[k].empty()) continue;
                    put(QStringLiteral("%1:%2:%3").arg(QLatin1String(rows[k].id), QLatin1String(c.id), band),
                        QStringLiteral("%1 (%2, %3)").arg(QLatin1String(rows[k].title), QLatin1String(c.words), band),
                        rows[k].better, m_set.bootstrap->median(samples[k]));
                }
            }
        }
        for (const Category& c : kCategories) {
            UnitSample iou;
            std::map<QString, UnitSample> byKind;
            for (size_t s = 0; s < p.scenes.size(); ++s) {
                for (const TruthScore& t : p.scenes[s].truths) {
                    if (!taken(s, p.scenes[s], t) || !in(c, t.blendedness)) continue;
                    const int u = m_set.unit(s, p.scenes[s], t.x, t.y);
                    iou.add(t.maskIou, u);
                    if (!t.kind.isEmpty()) byKind[t.kind].add(t.maskIou, u);
                }
            }
            if (iou.empty()) continue;
            const QString tail = QLatin1Char(':') + QLatin1String(c.id), words = QLatin1String(c.words);
            put(QStringLiteral("mask_iou") + tail, QStringLiteral("mask IoU, median (%1)").arg(words), Better::Higher,
                m_set.bootstrap->median(iou));
            put(QStringLiteral("mask_iou_mean") + tail, QStringLiteral("mask IoU, mean (%1)").arg(words),
                Better::Higher, m_set.bootstrap->mean(iou));
            for (const auto& [kind, sample] : byKind) {
                if (byKind.size() < 2 || sample.empty()) continue;
                put(QStringLiteral("mask_iou:%1:%2").arg(QLatin1String(c.id), kind),
                    QStringLiteral("mask IoU, median (%1, %2)").arg(words, kind), Better::Higher,
                    m_set.bootstrap->median(sample));
            }
        }
        std::map<QString, std::pair<std::vector<double>, std::vector<double>>> classes;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            for (const ClassScore& k : p.scenes[s].classes) {
                auto& [both, either] = classes.try_emplace(k.name, m_set.zeros(), m_set.zeros()).first->second;
                for (size_t tile = 0; tile < k.both.size(); ++tile) {
                    const size_t u = m_set.squares == 1 ? s : s * k.both.size() + tile;
                    both[u] += k.both[tile];
                    either[u] += k.either[tile];
                }
            }
        }
        for (const auto& [name, sums] : classes) {
            put(QStringLiteral("pixel_iou:") + name, QStringLiteral("pixel IoU of %1").arg(name), Better::Higher,
                m_set.bootstrap->ratio(sums.first, sums.second));
        }
    }

    void precision(const ScoredPipeline& p) {
        for (const bool boxes : {false, true}) {
            const std::vector<OverlapScene> scenes = m_set.overlaps(p, boxes);
            long long asked = 0;
            for (const OverlapScene& s : scenes) {
                asked += std::count(s.asked.begin(), s.asked.end(), true);
            }
            if (asked == 0 || !m_set.complete) continue;
            std::vector<Estimate>& at = out.precision[boxes];
            at.resize(iouThresholds().size());
            TaskPool::shared().parallelFor(static_cast<int>(at.size()), [&](int k) {
                const PrecisionRecall pr(scenes, iouThresholds()[static_cast<size_t>(k)]);
                at[static_cast<size_t>(k)] = bounded(
                    m_set.coarse->of([&](const Bootstrap::Weights& w) { return pr.curve(w).averagePrecision; }, asked));
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

    void calibration(const ScoredPipeline& p) {
        for (const bool counts : {false, true}) {
            const std::vector<Forecast> all = m_set.forecasts(p, counts);
            if (all.empty()) continue;
            const QString id = counts ? QStringLiteral("count") : QStringLiteral("star");
            const QString title =
                counts ? QStringLiteral("count probabilities") : QStringLiteral("star-galaxy probability");
            const auto n = static_cast<long long>(all.size());
            put(QStringLiteral("ece:") + id, title + QStringLiteral(", expected calibration error"), Better::Lower,
                m_set.coarse->of([&](const Bootstrap::Weights& w) { return reliabilityIn(all, w).calibrationError; },
                                 n));
            put(QStringLiteral("brier:") + id, title + QStringLiteral(", Brier score"), Better::Lower,
                m_set.coarse->of([&](const Bootstrap::Weights& w) { return reliabilityIn(all, w).brier; }, n));
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
                    pit.add(gaussianPit(b.flux, b.fluxErr, b.trueFlux), m_set.unit(s, scene, t.x, t.y));
                }
            }
            if (pit.empty()) continue;
            put(QStringLiteral("pit:") + QLatin1String(c.id),
                QStringLiteral("flux PIT, distance from uniform (%1)").arg(QLatin1String(c.words)), Better::Lower,
                m_set.bootstrap->distanceFromUniform(pit));
        }
    }

    void costs(const ScoredPipeline& p) {
        std::vector<double> chi2 = m_set.zeros(), pixels = m_set.zeros();
        std::vector<double> seconds(p.scenes.size(), 0.0), objects = seconds;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            for (const ResidualScore& r : scene.residuals) {
                const auto u = static_cast<size_t>(m_set.unit(s, scene, r.x, r.y));
                chi2[u] += r.chi2;
                pixels[u] += r.pixels;
            }
            if (!std::isfinite(scene.seconds)) continue;
            seconds[s] = scene.seconds;
            objects[s] = scene.objects;
        }
        const Estimate chi = m_set.bootstrap->ratio(chi2, pixels), cost = m_set.perScene->ratio(seconds, objects);
        if (chi.count > 0)
            put(QStringLiteral("chi2"), QStringLiteral("chi-square of residuals per pixel"), Better::NearOne, chi);
        if (cost.count > 0)
            put(QStringLiteral("seconds_per_object"), QStringLiteral("seconds per object"), Better::Lower, cost);
    }

    const ScoredSet& m_set;
    const FoundByBoth* m_only;
};

} // namespace

PipelineNumbers numbersOf(const ScoredSet& set, size_t pipeline) {
    Numbers numbers(set, nullptr);
    numbers.all(set.pipelines[pipeline]);
    return std::move(numbers.out);
}

PipelineNumbers numbersOfFound(const ScoredSet& set, size_t pipeline, const FoundByBoth& only) {
    Numbers numbers(set, &only);
    numbers.ofFound(set.pipelines[pipeline]);
    return std::move(numbers.out);
}

const MetricValue* PipelineNumbers::metric(const QString& id) const {
    const auto it = std::find_if(metrics.begin(), metrics.end(), [&](const MetricValue& m) { return m.id == id; });
    return it == metrics.end() ? nullptr : &*it;
}

} // namespace blendscope
