#include "judge/Readiness.h"

#include "core/Error.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "judge/Bootstrap.h"
#include "judge/HostileScenes.h"
#include "simulate/Simulator.h"
#include "simulate/Survey.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

using Verdict = ReadinessItem::Verdict;

// Limits of the verdicts; the manual lists them.
constexpr double kGoodWorse = 0.25, kFairWorse = 0.45;
constexpr double kMostWrong = 0.95; // share of the clean scene, beyond which there is nothing to spoil
constexpr double kGoodSeconds = 0.1, kFairSeconds = 1.0;
constexpr double kGoodExponent = 1.1, kFairExponent = 1.35;
constexpr double kGoodMove = 0.10, kFairMove = 0.25;
constexpr double kGoodPull = 1.25, kFairPull = 2.0;
constexpr size_t kManyScenes = 10;
constexpr int kUniformityStamps = 60;
constexpr double kBlended = 0.1, kLeastBandSnr = 10.0;

QString percent(double v) {
    return std::isfinite(v) ? QStringLiteral("%1 %").arg(100.0 * v, 0, 'f', 0) : QStringLiteral("none");
}

QString endWord(TrialRun::End end) {
    switch (end) {
    case TrialRun::End::Done:
        return QStringLiteral("done");
    case TrialRun::End::Refused:
        return QStringLiteral("refused");
    case TrialRun::End::Crashed:
        return QStringLiteral("crashed");
    case TrialRun::End::TimedOut:
        break;
    }
    return QStringLiteral("did not end");
}

/// Fluxes of blended objects against those of their undeblended footprint.
struct AgainstNothing {
    int lost = 0; ///< blended objects that were not found
    int compared = 0, worse = 0;
    double worst = 0.0;        ///< relative error of the object that lost most
    double worstWithout = 0.0; ///< its error without deblending
    double typical = kNan;     ///< median |relative error|
    int unfit = 0;             ///< fluxes that are not finite

    /// Of the blended objects: what is lost is worse than what was not deblended.
    [[nodiscard]] double share() const {
        return compared + lost > 0 ? double(worse + lost) / (compared + lost) : double(kNan);
    }
};

AgainstNothing compareWithNothing(const SceneScore& score) {
    AgainstNothing out;
    double loss = 0.0;
    std::vector<double> errors;
    for (const TruthScore& t : score.truths) {
        if (!t.eligible) continue;
        const BandScore& b = t.bands[static_cast<size_t>(score.reference)];
        const bool counts = t.blendedness >= kBlended && b.trueSnr >= kLeastBandSnr;
        if (t.objectId <= 0) {
            out.lost += counts;
            continue;
        }
        if (!std::isfinite(b.flux)) ++out.unfit;
        if (!counts) continue;
        if (!std::isfinite(b.flux) || !std::isfinite(b.undeblended)) continue;
        const double with = std::abs(b.error()), without = std::abs(b.undeblended / b.trueFlux - 1.0);
        errors.push_back(with);
        ++out.compared;
        out.worse += with > without;
        if (with - without > loss) {
            loss = with - without;
            out.worst = b.error();
            out.worstWithout = b.undeblended / b.trueFlux - 1.0;
        }
    }
    out.typical = medianOf(std::move(errors));
    return out;
}

QJsonObject fieldRecipe(int side, double density) {
    return {{QStringLiteral("name"), QStringLiteral("field")},
            {QStringLiteral("survey"), QStringLiteral("lsst")},
            {QStringLiteral("bands"), QJsonArray{QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("i")}},
            {QStringLiteral("size"), QJsonArray{side, side}},
            {QStringLiteral("isolated"), false},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.0, 26.0}},
                                                     {QStringLiteral("density"), density}}}};
}

QJsonObject stampRecipe(const QString& survey, double seeing, double exposure) {
    return {{QStringLiteral("name"), QStringLiteral("stamp")},
            {QStringLiteral("survey"), survey},
            {QStringLiteral("size"), QJsonArray{80, 80}},
            {QStringLiteral("exposure"), exposure},
            {QStringLiteral("seeing"), QJsonObject{{QStringLiteral("factor"), seeing}}},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.0, 24.5}},
                                                     {QStringLiteral("count"), QJsonArray{2, 3}},
                                                     {QStringLiteral("radius"), 2.0}}}};
}

} // namespace

ReadinessItem assessRobustness(const TrialRunner& run, const ScoreOptions& options, Progress& progress) {
    ReadinessItem item;
    item.demand = QStringLiteral("robustness");
    item.title = QStringLiteral("Robustness");
    const std::vector<HostileScene> scenes = hostileScenes();
    progress.begin(QStringLiteral("hostile scenes"), static_cast<long long>(scenes.size()));
    int survived = 0, refused = 0, died = 0;
    AgainstNothing all;
    double cleanShare = kNan;
    QJsonArray rows;
    for (const HostileScene& h : scenes) {
        const TrialRun trial = run(*h.scene);
        progress.advance();
        QJsonObject row{{QStringLiteral("scene"), h.name},
                        {QStringLiteral("what"), h.what},
                        {QStringLiteral("end"), endWord(trial.end)},
                        {QStringLiteral("seconds"), trial.seconds}};
        QString line = QStringLiteral("%1 (%2): %3").arg(h.name, h.what, endWord(trial.end));
        if (trial.end == TrialRun::End::Crashed || trial.end == TrialRun::End::TimedOut) {
            ++died;
            line += QStringLiteral(", ") + trial.message;
        } else if (trial.end == TrialRun::End::Refused) {
            ++refused;
            line += QStringLiteral(": ") + trial.message;
        } else {
            ++survived;
            line += QStringLiteral(", %1 objects").arg(trial.result->objects.size());
            if (!h.garbage) {
                const SceneScore score = scoreScene(*h.scene, *trial.result, options);
                const AgainstNothing a = compareWithNothing(score);
                line += QStringLiteral(", %1 of %2 found, median flux error of blended ones %3, %4 of %5 worse than "
                                       "without deblending, %6 lost")
                            .arg(score.foundCount())
                            .arg(score.eligibleCount())
                            .arg(percent(a.typical))
                            .arg(a.worse)
                            .arg(a.compared)
                            .arg(a.lost);
                row.insert(QStringLiteral("found"), score.foundCount());
                row.insert(QStringLiteral("asked"), score.eligibleCount());
                row.insert(QStringLiteral("compared"), a.compared);
                row.insert(QStringLiteral("worse"), a.worse);
                row.insert(QStringLiteral("lost"), a.lost);
                if (h.name == QLatin1String("clean")) {
                    cleanShare = a.share();
                } else {
                    all.lost += a.lost;
                    all.compared += a.compared;
                    all.worse += a.worse;
                    all.unfit += a.unfit;
                    if (std::abs(a.worst) - std::abs(a.worstWithout) >
                        std::abs(all.worst) - std::abs(all.worstWithout)) {
                        all.worst = a.worst;
                        all.worstWithout = a.worstWithout;
                    }
                }
            }
        }
        item.details << line;
        rows.append(row);
    }
    item.values = {{QStringLiteral("scenes"), rows},           {QStringLiteral("survived"), survived},
                   {QStringLiteral("refused"), refused},       {QStringLiteral("died"), died},
                   {QStringLiteral("compared"), all.compared}, {QStringLiteral("worse"), all.worse},
                   {QStringLiteral("lost"), all.lost},         {QStringLiteral("not_finite"), all.unfit}};
    item.finding =
        QStringLiteral(
            "%1 of %2 hostile scenes done, %3 refused in words, %4 crashed or hung. With artefacts "
            "%5 of the blended objects are lost or have a worse flux than without deblending (%6 on the clean "
            "scene)")
            .arg(survived)
            .arg(scenes.size())
            .arg(refused)
            .arg(died)
            .arg(percent(all.share()), percent(cleanShare));
    if (all.worse > 0) {
        item.finding += QStringLiteral("; at worst %1 off where not deblending is %2 off")
                            .arg(percent(std::abs(all.worst)), percent(std::abs(all.worstWithout)));
    }
    // What artefacts spoil of that which is right without them: crowded blends are lost on the clean scene too.
    const double before = std::isfinite(cleanShare) ? cleanShare : 0.0;
    const double spoilt = before > kMostWrong ? 1.0 : std::max(0.0, (all.share() - before) / (1.0 - before));
    item.values.insert(QStringLiteral("spoilt"), spoilt);
    item.finding += QStringLiteral("; artefacts spoil %1 of what is right without them.").arg(percent(spoilt));
    item.verdict = died > 0 || all.unfit > 0                                  ? Verdict::Poor
                   : !std::isfinite(all.share()) || all.share() <= kGoodWorse ? Verdict::Good
                   : all.share() <= kFairWorse                                ? Verdict::Fair
                                                                              : Verdict::Poor;
    return item;
}

ReadinessItem assessPerformance(const TrialRunner& run, Progress& progress) {
    ReadinessItem item;
    item.demand = QStringLiteral("performance");
    item.title = QStringLiteral("Cost");
    struct Field {
        int side;
        double density;
    };
    // Sides grow at one density, densities at one side: pixels and objects move apart.
    static constexpr Field fields[] = {{160, 60}, {320, 15}, {320, 60}, {320, 180}, {640, 15}, {640, 60}, {960, 60}};
    progress.begin(QStringLiteral("fields of growing size"), std::ssize(fields));
    std::vector<double> logPixels, logObjects, logSeconds;
    QJsonArray rows;
    double seconds = 0.0, objects = 0.0;
    for (const Field& f : fields) {
        const ScenePtr scene = simulateScene(fieldRecipe(f.side, f.density), 5, 0, nullptr, 0);
        const TrialRun trial = run(*scene);
        progress.advance();
        if (!trial.result) {
            item.details << QStringLiteral("%1 x %1 pixels: %2").arg(f.side).arg(trial.message);
            continue;
        }
        const double t = trial.processorSeconds, n = static_cast<double>(trial.result->objects.size());
        item.details << QStringLiteral("%1 x %1 pixels, %2 objects: %3 s").arg(f.side).arg(n).arg(t, 0, 'g', 3);
        rows.append(QJsonObject{{QStringLiteral("pixels"), double(f.side) * f.side},
                                {QStringLiteral("objects"), n},
                                {QStringLiteral("seconds"), t}});
        if (!(n > 0.0) || !(t > 0.0)) continue;
        seconds += t;
        objects += n;
        logPixels.push_back(std::log(double(f.side) * f.side));
        logObjects.push_back(std::log(n));
        logSeconds.push_back(std::log(t));
    }
    const std::vector<double> both = linearFit({logPixels, logObjects}, logSeconds);
    const double perObject = objects > 0.0 ? seconds / objects : double(kNan);
    item.values = {{QStringLiteral("fields"), rows}};
    if (both.size() < 2) {
        item.finding = QStringLiteral("The fields gave too few objects to say.");
        return item;
    }
    const double sum = both[0] + both[1];
    item.values.insert(QStringLiteral("seconds_per_object"), perObject);
    item.values.insert(QStringLiteral("exponent_pixels"), both[0]);
    item.values.insert(QStringLiteral("exponent_objects"), both[1]);
    item.values.insert(QStringLiteral("exponent_together"), sum);
    // Jackknife (Tukey 1958, Ann. Math. Statist. 29, 614): how far one field alone moves the exponents.
    std::vector<double> without[3];
    for (size_t left = 0; left < logSeconds.size(); ++left) {
        const auto but = [left](std::vector<double> v) {
            v.erase(v.begin() + static_cast<std::ptrdiff_t>(left));
            return v;
        };
        const std::vector<double> fit = linearFit({but(logPixels), but(logObjects)}, but(logSeconds));
        if (fit.size() < 2) continue;
        without[0].push_back(fit[0]);
        without[1].push_back(fit[1]);
        without[2].push_back(fit[0] + fit[1]);
    }
    double errors[3];
    for (int k = 0; k < 3; ++k) {
        const auto n = static_cast<double>(without[k].size());
        errors[k] = n > 2.0 ? standardDeviation(without[k]) * std::sqrt(n - 1.0) : double(kNan);
    }
    item.values.insert(QStringLiteral("exponent_pixels_error"), errors[0]);
    item.values.insert(QStringLiteral("exponent_objects_error"), errors[1]);
    item.values.insert(QStringLiteral("exponent_together_error"), errors[2]);
    const auto withError = [](double value, double error) {
        return std::isfinite(error) ? QStringLiteral("%1 \u00b1 %2").arg(value, 0, 'f', 2).arg(error, 0, 'f', 2)
                                    : QString::number(value, 'f', 2);
    };
    item.finding = QStringLiteral("%1 s of one processor per object in three bands. The time grows as pixels to the %2 "
                                  "times objects to the %3; with both together to the %4.")
                       .arg(QString::number(perObject, 'g', 2), withError(both[0], errors[0]),
                            withError(both[1], errors[1]), withError(sum, errors[2]));
    item.verdict = perObject <= kGoodSeconds && sum <= kGoodExponent   ? Verdict::Good
                   : perObject <= kFairSeconds && sum <= kFairExponent ? Verdict::Fair
                                                                       : Verdict::Poor;
    return item;
}

ReadinessItem assessUniformity(const TrialRunner& run, const ScoreOptions& options, Progress& progress) {
    ReadinessItem item;
    item.demand = QStringLiteral("uniformity");
    item.title = QStringLiteral("Uniformity");
    struct Condition {
        QString name, survey;
        double seeing, exposure;
    };
    std::vector<Condition> conditions = {
        {QStringLiteral("lsst"), QStringLiteral("lsst"), 1.0, 1.0},
        {QStringLiteral("lsst, seeing x 0.75"), QStringLiteral("lsst"), 0.75, 1.0},
        {QStringLiteral("lsst, seeing x 1.35"), QStringLiteral("lsst"), 1.35, 1.0},
        {QStringLiteral("lsst, a fifth of the exposure"), QStringLiteral("lsst"), 1.0, 0.2}};
    for (const char* survey : {"hsc", "des", "cfht", "euclid-vis"}) {
        try {
            (void)Survey::load(QLatin1String(survey));
            conditions.push_back({QLatin1String(survey), QLatin1String(survey), 1.0, 1.0});
        } catch (const Error&) {
            // Not among the installed surveys.
        }
    }
    progress.begin(QStringLiteral("conditions"), static_cast<long long>(conditions.size()) * kUniformityStamps);
    double lowC = 2.0, highC = -1.0, lowF = 2.0, highF = -1.0;
    using Sums = std::vector<std::vector<double>>; // [condition][stamp]
    Sums allAsked, allFound, allBright, allClose;
    QJsonArray rows;
    for (const Condition& c : conditions) {
        double asked = 0.0, found = 0.0, bright = 0.0, close = 0.0;
        std::vector<double> ofStamp(kUniformityStamps, 0.0);
        std::vector<double> askedOf = ofStamp, foundOf = ofStamp, brightOf = ofStamp, closeOf = ofStamp;
        std::vector<SceneScore> scores(kUniformityStamps);
        TaskPool::shared().parallelFor(kUniformityStamps, [&](int i) {
            const ScenePtr scene = simulateScene(stampRecipe(c.survey, c.seeing, c.exposure), 11, i, nullptr, 1);
            const TrialRun trial = run(*scene);
            ScoreOptions own = options;
            own.band.clear();
            own.images = own.masks = false;
            scores[static_cast<size_t>(i)] = scoreScene(*scene, trial.result ? *trial.result : Result{}, own);
            progress.advance();
        });
        for (size_t i = 0; i < scores.size(); ++i) {
            for (const TruthScore& t : scores[i].truths) {
                if (!t.eligible) continue;
                askedOf[i] += 1.0;
                foundOf[i] += t.objectId > 0;
                const BandScore& b = t.bands[static_cast<size_t>(scores[i].reference)];
                if (!(b.trueSnr >= kLeastBandSnr)) continue;
                brightOf[i] += 1.0;
                closeOf[i] += std::abs(b.error()) < 0.2;
            }
            asked += askedOf[i];
            found += foundOf[i];
            bright += brightOf[i];
            close += closeOf[i];
        }
        if (asked < 10.0 || bright < 10.0) {
            item.details << QStringLiteral("%1: too few objects").arg(c.name);
            continue;
        }
        const double completeness = found / asked, within = close / bright;
        allAsked.push_back(askedOf);
        allFound.push_back(foundOf);
        allBright.push_back(brightOf);
        allClose.push_back(closeOf);
        lowC = std::min(lowC, completeness);
        highC = std::max(highC, completeness);
        lowF = std::min(lowF, within);
        highF = std::max(highF, within);
        item.details << QStringLiteral("%1: completeness %2, flux within 20 %: %3 (%4 objects)")
                            .arg(c.name)
                            .arg(completeness, 0, 'f', 2)
                            .arg(within, 0, 'f', 2)
                            .arg(asked);
        rows.append(QJsonObject{{QStringLiteral("condition"), c.name},
                                {QStringLiteral("completeness"), completeness},
                                {QStringLiteral("within20"), within},
                                {QStringLiteral("objects"), asked}});
    }
    item.values = {{QStringLiteral("conditions"), rows}};
    if (rows.size() < 2) {
        item.finding = QStringLiteral("Too few conditions could be simulated.");
        return item;
    }
    // The lowest and the highest of several shares lie apart by chance too.
    const RangeOfShares moveC = rangeOfShares(allFound, allAsked), moveF = rangeOfShares(allClose, allBright);
    const double move = std::max(moveC.beyondChance(), moveF.beyondChance());
    item.values.insert(QStringLiteral("completeness_range_by_chance"), moveC.chance);
    item.values.insert(QStringLiteral("within20_range_by_chance"), moveF.chance);
    item.values.insert(QStringLiteral("beyond_chance"), move);
    item.values.insert(QStringLiteral("completeness_range"), highC - lowC);
    item.values.insert(QStringLiteral("within20_range"), highF - lowF);
    item.finding =
        QStringLiteral("Over %1 conditions completeness goes from %2 to %3, fluxes within 20 % from %4 to %5 "
                       "(by chance alone they would move by %6 and %7).")
            .arg(rows.size())
            .arg(lowC, 0, 'f', 2)
            .arg(highC, 0, 'f', 2)
            .arg(lowF, 0, 'f', 2)
            .arg(highF, 0, 'f', 2)
            .arg(moveC.chance, 0, 'f', 2)
            .arg(moveF.chance, 0, 'f', 2);
    item.verdict = move <= kGoodMove ? Verdict::Good : move <= kFairMove ? Verdict::Fair : Verdict::Poor;
    return item;
}

ReadinessItem assessBattleTesting(const std::vector<RealRun>& runs) {
    ReadinessItem item;
    item.demand = QStringLiteral("battle-testing");
    item.title = QStringLiteral("Real data");
    if (runs.empty()) {
        item.finding = QStringLiteral("No real scenes were given (--real).");
        return item;
    }
    int objects = 0, failures = 0, bad = 0;
    double megapixels = 0.0, seconds = 0.0;
    for (const RealRun& r : runs) {
        objects += r.objects;
        megapixels += r.megapixels;
        seconds += r.seconds;
        bad += r.badFluxes;
        failures += !r.failure.isEmpty();
        item.details
            << (r.failure.isEmpty()
                    ? QStringLiteral("%1: %2 objects in %3 s").arg(r.sceneId).arg(r.objects).arg(r.seconds, 0, 'f', 1)
                    : QStringLiteral("%1: %2").arg(r.sceneId, r.failure));
    }
    item.values = {{QStringLiteral("scenes"), static_cast<int>(runs.size())},
                   {QStringLiteral("objects"), objects},
                   {QStringLiteral("megapixels"), megapixels},
                   {QStringLiteral("seconds"), seconds},
                   {QStringLiteral("failures"), failures},
                   {QStringLiteral("without_flux"), bad}};
    item.finding =
        QStringLiteral("%1 real scenes, %2 megapixels over all bands, %3 objects; %4 scenes failed, %5 objects have no "
                       "finite flux.")
            .arg(runs.size())
            .arg(megapixels, 0, 'f', 1)
            .arg(objects)
            .arg(failures)
            .arg(bad);
    item.verdict = failures > 0 ? Verdict::Poor : runs.size() >= kManyScenes ? Verdict::Good : Verdict::Fair;
    return item;
}

ReadinessItem assessCalibration(const PipelineReport& report, const QString& band) {
    ReadinessItem item;
    item.demand = QStringLiteral("calibration");
    item.title = QStringLiteral("Likelihood errors");
    const MetricValue* alone = report.metric(QStringLiteral("pull_scatter:isolated:") + band);
    const MetricValue* all = report.metric(QStringLiteral("pull_scatter:all:") + band);
    const MetricValue* blended = report.metric(QStringLiteral("pull_scatter:blended:") + band);
    const MetricValue* pit = report.metric(QStringLiteral("pit:all"));
    if (!all) {
        item.finding = QStringLiteral("The catalogue has no flux errors.");
        return item;
    }
    const auto words = [](const MetricValue* m) {
        return m && std::isfinite(m->value) ? QString::number(m->value, 'f', 2) : QStringLiteral("unknown");
    };
    item.finding =
        QStringLiteral("Flux errors over stated errors scatter by %1 for isolated and %2 for blended objects "
                       "(1 = honest); distance of the integral transform from uniform %3.")
            .arg(words(alone), words(blended), words(pit));
    double worst = 1.0;
    for (const MetricValue* m : {alone, blended, all}) {
        if (m && m->value > 0.0) worst = std::max(worst, std::max(m->value, 1.0 / m->value));
    }
    item.values = {{QStringLiteral("worst_factor"), worst}};
    item.verdict = worst <= kGoodPull ? Verdict::Good : worst <= kFairPull ? Verdict::Fair : Verdict::Poor;
    return item;
}

} // namespace blendscope
