#include "judge/MetricPlots.h"

#include "jobs/TaskPool.h"
#include "judge/MetricCurves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace blendscope {

namespace {

constexpr int kLeastForecasts = 20;

/// Draws the plots of one report.
class Plots {
public:
    Plots(const ScoredSet& set, const std::vector<PipelineNumbers>& numbers, double magnitudeBin)
        : m_set(set), m_numbers(numbers), m_axes(metricAxes(set.pipelines.front().scenes, magnitudeBin)) {}

    std::vector<PlotData> all() {
        blendOutcomePlot();
        matchOutcomes();
        curves();
        detectionCurves();
        precisionCurves();
        calibrationCurves();
        precision();
        reliability();
        transforms();
        return std::move(m_plots);
    }

private:
    void keep(PlotData plot) {
        if (!plot.empty()) m_plots.push_back(std::move(plot));
    }

    /// Puts rows into the bins of an axis; -1 = outside.
    [[nodiscard]] static int binOf(const MetricAxis& axis, double x) {
        const auto edge = std::upper_bound(axis.edges.begin(), axis.edges.end(), x);
        if (!std::isfinite(x) || edge == axis.edges.begin() || edge == axis.edges.end()) return -1;
        return static_cast<int>(edge - axis.edges.begin()) - 1;
    }

    /// A plot of a share over an axis, without its series.
    [[nodiscard]] static PlotData over(const MetricAxis& axis, const QString& metric, const QString& title,
                                       const QString& yLabel, const QString& help) {
        PlotData plot;
        plot.metric = metric;
        plot.id = metric + QStringLiteral("_by_") + axis.id;
        plot.title = title;
        plot.xLabel = axis.label;
        plot.yLabel = yLabel;
        plot.help = help;
        plot.logX = axis.log;
        plot.yLow = 0.0;
        return plot;
    }

    /// A point in the middle of what its bin holds.
    static void addPoint(PlotSeries& out, const MetricAxis& axis, size_t bin, double sum, const Estimate& e, int count,
                         std::vector<int> members = {}) {
        const double x = sum / count;
        out.points.push_back({axis.log ? std::exp(x) : x, axis.edges[bin], axis.edges[bin + 1], e.value, toldError(e),
                              count, std::move(members)});
    }

    void blendOutcomePlot() {
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
        for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
            std::map<Outcome, std::vector<int>> members;
            int first = 0;
            for (const SceneScore& s : m_set.pipelines[k].scenes) {
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
            s.name = m_set.pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t o = 0; o < blendOutcomes().size(); ++o) {
                const Outcome outcome = blendOutcomes()[o];
                const MetricValue* m = m_numbers[k].metric(QStringLiteral("outcome:") + outcomeWord(outcome));
                if (!m) continue;
                const auto x = static_cast<double>(o);
                s.points.push_back({x, x - 0.4, x + 0.4, m->value, m->error,
                                    static_cast<int>(std::lround(m->value * static_cast<double>(m->count))),
                                    std::move(members[outcome])});
            }
            if (!s.points.empty()) judged.series.push_back(std::move(s));
        }
        keep(std::move(judged));
    }

    void matchOutcomes() {
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
        for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
            std::array<std::vector<int>, 4> members;
            int row = -1;
            for (const SceneScore& s : m_set.pipelines[k].scenes) {
                for (const TruthScore& t : s.truths) {
                    if (t.eligible) members[static_cast<size_t>(t.outcome)].push_back(++row);
                }
            }
            PlotSeries s;
            s.name = m_set.pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t o = 0; o < kinds.size(); ++o) {
                const MetricValue* m = m_numbers[k].metric(QStringLiteral("match:") + matchOutcomeName(kinds[o]));
                if (!m) continue;
                const auto x = static_cast<double>(o);
                s.points.push_back({x, x - 0.4, x + 0.4, m->value, m->error, static_cast<int>(members[o].size()),
                                    std::move(members[o])});
            }
            outcomes.series.push_back(std::move(s));
        }
        keep(std::move(outcomes));
    }

    void curves() {
        const std::vector<MetricCurve> all = metricCurves(m_set.pipelines.front().scenes);
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
            for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
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
            if (!plot.empty() && !never) m_plots.push_back(std::move(plot));
        }
    }

    [[nodiscard]] PlotSeries series(size_t pipeline, const MetricAxis& axis, const MetricCurve& curve) const {
        const ScoredPipeline& p = m_set.pipelines[pipeline];
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
                const int at = binOf(axis, x);
                if (at < 0) continue;
                const auto bin = static_cast<size_t>(at);
                samples[bin].add(y, m_set.unit(s, scene, t.x, t.y));
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
            const Estimate e = curve.kind == MetricCurve::Kind::Mean     ? m_set.curves->mean(samples[b])
                               : curve.kind == MetricCurve::Kind::Median ? m_set.curves->median(samples[b])
                               : curve.kind == MetricCurve::Kind::Uniform
                                   ? m_set.curves->distanceFromUniform(samples[b])
                                   : m_set.curves->scatter(samples[b]);
            addPoint(out, axis, b, sum[b], e, static_cast<int>(n), std::move(members[b]));
        }
        return out;
    }

    /// Purity, and F1, by what was measured of a detection.
    void detectionCurves() {
        if (!m_set.complete) return;
        for (const bool both : {false, true}) {
            for (const MetricAxis& axis : m_axes) {
                if (!axis.ofDetection) continue;
                PlotData plot = over(
                    axis, both ? QStringLiteral("f1") : QStringLiteral("purity"),
                    both ? QStringLiteral("F1") : QStringLiteral("Purity"),
                    both ? QStringLiteral("F1") : QStringLiteral("share with a true object"),
                    both ? QStringLiteral("Harmonic mean of the completeness of the true objects and the purity of the "
                                          "detections in the bin.")
                         : QStringLiteral("Share of the detections that match a known true object."));
                plot.xLabel = both ? axis.label + QStringLiteral(", of detections as measured") : axis.detectionLabel;
                plot.yHigh = 1.0;
                for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
                    plot.series.push_back(detectionSeries(k, axis, both));
                }
                keep(std::move(plot));
            }
        }
    }

    [[nodiscard]] PlotSeries detectionSeries(size_t pipeline, const MetricAxis& axis, bool both) const {
        struct Bin {
            std::vector<double> asked, found, detected, matched;
            double sum = 0.0;
            int truths = 0, detections = 0;
        };
        const ScoredPipeline& p = m_set.pipelines[pipeline];
        std::vector<Bin> bins(axis.edges.size() - 1, {m_set.zeros(), m_set.zeros(), m_set.zeros(), m_set.zeros()});
        const auto binAt = [&](double x) -> Bin* {
            const int bin = binOf(axis, x);
            return bin < 0 ? nullptr : &bins[static_cast<size_t>(bin)];
        };
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            if (m_set.incomplete[s]) continue;
            const SceneScore& scene = p.scenes[s];
            for (const DetectionScore& d : scene.detections) {
                const double x = axis.ofDetection(scene, d);
                Bin* bin = binAt(x);
                if (!bin) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, d.x, d.y));
                bin->detected[u] += 1.0;
                bin->matched[u] += d.matched;
                bin->sum += axis.log ? std::log(x) : x;
                ++bin->detections;
            }
            for (const TruthScore& t : scene.truths) {
                Bin* bin = t.eligible ? binAt(axis.value(scene, t)) : nullptr;
                if (!bin) continue;
                const auto u = static_cast<size_t>(m_set.unit(s, scene, t.x, t.y));
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
            const Estimate e = both ? f1(*m_set.curves, bin.asked, bin.found, bin.detected, bin.matched)
                                    : m_set.curves->share(bin.matched, bin.detected);
            addPoint(out, axis, b, bin.sum, e, bin.detections);
        }
        return out;
    }

    /// Average precision of the true objects in a bin. Detections that meet none and were not measured to lie in the
    /// bin do not count, as in COCO's classes of area.
    void precisionCurves() {
        if (!m_set.complete) return;
        for (const bool boxes : {false, true}) {
            for (const MetricAxis& axis : m_axes) {
                if (!axis.ofDetection) continue;
                PlotData plot =
                    over(axis, boxes ? QStringLiteral("ap_box50") : QStringLiteral("ap_mask50"),
                         boxes ? QStringLiteral("Average precision, boxes at IoU 0.5")
                               : QStringLiteral("Average precision, masks at IoU 0.5"),
                         QStringLiteral("average precision"),
                         QStringLiteral("Of the true objects in the bin, and of the detections that meet no "
                                        "object and were measured to lie in it."));
                plot.yHigh = 1.0;
                for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
                    plot.series.push_back(precisionSeries(k, axis, boxes));
                }
                keep(std::move(plot));
            }
        }
    }

    [[nodiscard]] PlotSeries precisionSeries(size_t pipeline, const MetricAxis& axis, bool boxes) const {
        const ScoredPipeline& p = m_set.pipelines[pipeline];
        const std::vector<OverlapScene> all = m_set.overlaps(p, boxes);
        const size_t bins = axis.edges.size() - 1;
        std::vector<std::vector<int>> truthBin(all.size()), detectionBin(all.size());
        std::vector<double> sum(bins, 0.0);
        std::vector<int> count(bins, 0);
        for (size_t s = 0; s < all.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            truthBin[s].assign(all[s].asked.size(), -1);
            detectionBin[s].assign(all[s].confidence.size(), -1);
            for (const TruthScore& t : scene.truths) {
                const auto row = static_cast<size_t>(t.truth);
                const double x = axis.value(scene, t);
                const int bin = t.eligible && row < all[s].asked.size() ? binOf(axis, x) : -1;
                if (bin < 0) continue;
                truthBin[s][row] = bin;
                sum[static_cast<size_t>(bin)] += axis.log ? std::log(x) : x;
                ++count[static_cast<size_t>(bin)];
            }
            std::map<int, int> of;
            for (const DetectionScore& d : scene.detections) {
                of[d.objectId] = binOf(axis, axis.ofDetection(scene, d));
            }
            for (size_t d = 0; d < all[s].detectionId.size(); ++d) {
                const auto it = of.find(all[s].detectionId[d]);
                if (it != of.end()) detectionBin[s][d] = it->second;
            }
        }
        PlotSeries out;
        out.name = p.name;
        out.pipeline = static_cast<int>(pipeline);
        for (size_t b = 0; b < bins; ++b) {
            if (count[b] < kLeastInBin) continue;
            std::vector<OverlapScene> own = all;
            for (size_t s = 0; s < own.size(); ++s) {
                own[s].ignored.assign(own[s].confidence.size(), false);
                for (size_t t = 0; t < own[s].asked.size(); ++t) {
                    own[s].asked[t] = truthBin[s][t] == static_cast<int>(b);
                }
                for (size_t d = 0; d < own[s].ignored.size(); ++d) {
                    own[s].ignored[d] = detectionBin[s][d] != static_cast<int>(b);
                }
            }
            const PrecisionRecall pr(own, iouThresholds().front());
            addPoint(out, axis, b, sum[b],
                     bounded(m_set.coarse->of([&](const Bootstrap::Weights& w) { return pr.curve(w).averagePrecision; },
                                              count[b])),
                     count[b]);
        }
        return out;
    }

    /// Calibration error by what the true object is like, for counts the first object of the footprint.
    void calibrationCurves() {
        for (size_t i = 0; i < 2 * m_axes.size(); ++i) {
            const MetricAxis& axis = m_axes[i % m_axes.size()];
            const bool counts = i >= m_axes.size();
            PlotData plot = over(axis, counts ? QStringLiteral("ece_count") : QStringLiteral("ece_star"),
                                 counts ? QStringLiteral("Count probabilities: calibration error")
                                        : QStringLiteral("Star-galaxy probability: calibration error"),
                                 QStringLiteral("expected calibration error"),
                                 QStringLiteral("How far stated probabilities are from the shares that came true."));
            for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
                plot.series.push_back(calibrationSeries(k, axis, counts));
            }
            keep(std::move(plot));
        }
    }

    [[nodiscard]] PlotSeries calibrationSeries(size_t pipeline, const MetricAxis& axis, bool counts) const {
        const ScoredPipeline& p = m_set.pipelines[pipeline];
        const size_t bins = axis.edges.size() - 1;
        std::vector<std::vector<Forecast>> forecasts(bins);
        std::vector<std::vector<int>> members(bins);
        std::vector<double> sum(bins, 0.0);
        int first = 0;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            const SceneScore& scene = p.scenes[s];
            std::vector<int> row(scene.truths.size(), -1);
            for (size_t t = 0; t < row.size(); ++t) {
                if (scene.truths[t].eligible) row[t] = first++;
            }
            for (Forecast f : counts ? scene.countForecasts : scene.starForecasts) {
                if (f.member < 0) continue;
                const TruthScore& t = scene.truths[static_cast<size_t>(f.member)];
                const double x = axis.value(scene, t);
                const int bin = binOf(axis, x);
                if (bin < 0) continue;
                const auto b = static_cast<size_t>(bin);
                f.unit = m_set.unit(s, scene, t.x, t.y);
                if (t.eligible) members[b].push_back(row[static_cast<size_t>(f.member)]);
                sum[b] += axis.log ? std::log(x) : x;
                forecasts[b].push_back(f);
            }
        }
        PlotSeries out;
        out.name = p.name;
        out.pipeline = static_cast<int>(pipeline);
        for (size_t b = 0; b < bins; ++b) {
            const auto n = static_cast<int>(forecasts[b].size());
            // A bin of a few forecasts is far from its own probabilities by chance alone.
            if (n < kLeastForecasts) continue;
            addPoint(
                out, axis, b, sum[b],
                m_set.coarse->of(
                    [&](const Bootstrap::Weights& w) { return reliabilityIn(forecasts[b], w).calibrationError; }, n),
                n, std::move(members[b]));
        }
        return out;
    }

    /// Precision against recall, and average precision against the overlap that is asked for.
    void precision() {
        for (const bool boxes : {false, true}) {
            if (!m_set.complete) break;
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
            for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
                PlotSeries curve, average;
                curve.name = average.name = m_set.pipelines[k].name;
                curve.pipeline = average.pipeline = static_cast<int>(k);
                const std::vector<Estimate>& at = m_numbers[k].precision[boxes];
                for (size_t i = 0; i < at.size(); ++i) {
                    const double iou = iouThresholds()[i];
                    if (std::isnan(at[i].value)) continue;
                    average.points.push_back({iou, iou, iou, at[i].value, at[i].error, 0, {}});
                }
                if (!at.empty())
                    precisionPoints(PrecisionRecall(m_set.overlaps(m_set.pipelines[k], boxes), iouThresholds().front()),
                                    curve);
                pr.series.push_back(std::move(curve));
                ap.series.push_back(std::move(average));
            }
            keep(std::move(pr));
            keep(std::move(ap));
        }
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
        for (const Bootstrap::Weights& w : m_set.coarse->weights()) {
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
                              2 * drawn[i].size() > m_set.coarse->weights().size() && error > 0.0;
            series.points.push_back({x, x, x, c.precision[shown[i]], told ? error : double(kNan), 0, {}});
        }
    }

    void reliability() {
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
            for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
                PlotSeries s;
                s.name = m_set.pipelines[k].name;
                s.pipeline = static_cast<int>(k);
                for (ReliabilityBin& b : reliabilityOf(m_set.forecasts(m_set.pipelines[k], counts)).bins) {
                    if (b.count == 0) continue;
                    s.points.push_back(
                        {b.meanProbability, b.low, b.high, b.frequency, b.error, b.count, std::move(b.members)});
                }
                plot.series.push_back(std::move(s));
            }
            keep(std::move(plot));
        }
    }

    /// Probability integral transform of the fluxes.
    void transforms() {
        PlotData pit;
        pit.id = pit.metric = QStringLiteral("pit");
        pit.title = QStringLiteral("Flux errors: probability integral transform");
        pit.xLabel = QStringLiteral("where the truth lies in what was stated");
        pit.yLabel = QStringLiteral("density");
        pit.help = QStringLiteral("Flat if the stated errors are honest, a valley if they are too small.");
        pit.style = PlotData::Style::Bars;
        pit.level = 1.0;
        pit.yLow = 0.0;
        for (size_t k = 0; k < m_set.pipelines.size(); ++k) {
            constexpr size_t bins = 10;
            std::array<std::vector<int>, bins> members;
            int row = -1;
            double n = 0.0;
            for (const SceneScore& s : m_set.pipelines[k].scenes) {
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
            s.name = m_set.pipelines[k].name;
            s.pipeline = static_cast<int>(k);
            for (size_t b = 0; b < bins; ++b) {
                const auto count = static_cast<double>(members[b].size());
                const double low = static_cast<double>(b) / bins, high = static_cast<double>(b + 1) / bins;
                s.points.push_back({0.5 * (low + high), low, high, count * bins / n, std::sqrt(count) * bins / n,
                                    static_cast<int>(members[b].size()), std::move(members[b])});
            }
            pit.series.push_back(std::move(s));
        }
        keep(std::move(pit));
    }

    const ScoredSet& m_set;
    const std::vector<PipelineNumbers>& m_numbers;
    std::vector<MetricAxis> m_axes;
    std::vector<PlotData> m_plots;
};

} // namespace

std::vector<PlotData> drawPlots(const ScoredSet& set, const std::vector<PipelineNumbers>& numbers,
                                double magnitudeBin) {
    return Plots(set, numbers, magnitudeBin).all();
}

} // namespace blendscope
