#include "Arguments.h"
#include "Console.h"
#include "Contender.h"
#include "SceneFlags.h"
#include "Trial.h"
#include "Verbs.h"

#include "figure/FailurePictures.h"
#include "figure/FigureFile.h"
#include "figure/PlotFigure.h"
#include "figure/ReportPage.h"
#include "jobs/TaskPool.h"
#include "judge/MetricsBuilder.h"
#include "judge/ScoredRun.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>
#include <chrono>
#include <cmath>
#include <mutex>

namespace blendscope::cli {

namespace {

// Files up to this size are evaluated side by side, one thread each: the cost per object is then that of one core.
constexpr long long kSmallFileBytes = 8ll << 20;

void writeText(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

void writeLines(const QString& path, const QStringList& lines) {
    writeText(path, (lines.join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8());
}

/// What one scene gave: a score a contender, in their order.
struct SceneOutcome {
    ScenePtr scene;
    std::vector<SceneScore> scores;
    std::vector<double> seconds;
    bool truth = false;
};

struct Plan {
    std::vector<SceneFiles> groups;
    OpenOptions open;
    ScoreOptions score;
    RunOptions run;
    std::vector<Contender> contenders;
    bool judge = true;
    std::optional<bool> complete; ///< whether truth names every object; nothing = found out
};

std::vector<PixelPosition> truePositions(const Scene& scene) {
    std::vector<PixelPosition> out;
    for (const TruthObject& t : scene.truth->objects) {
        out.push_back({t.x, t.y});
    }
    return out;
}

/// `alone`: nothing else is computed meanwhile.
SceneOutcome evaluateScene(const ScenePtr& scene, const Plan& plan, const Registry& registry, bool alone,
                           Console& console) {
    SceneOutcome out;
    out.scene = scene;
    out.truth = scene->truth && !scene->truth->objects.empty();
    RunOptions run = plan.run;
    if (!alone) run.threads = 1;
    if (run.usePositions && out.truth) run.positions = truePositions(*scene);
    run.usePositions = run.usePositions && out.truth;
    for (const Contender& c : plan.contenders) {
        const auto start = std::chrono::steady_clock::now();
        Progress progress(console.token());
        ScoredRunOptions options;
        options.score = plan.score;
        options.complete = plan.complete;
        if (plan.judge && out.truth && !plan.score.byPosition) {
            options.judge.emplace();
            options.judge->threads = run.threads;
        }
        if (c.runs()) options.cost = alone ? ScoredRunOptions::Cost::Process : ScoredRunOptions::Cost::Thread;
        ScoredRun done = scoredRun(
            *scene, [&] { return c.resultFor(*scene, registry, progress, run); },
            c.runs() ? c.pipeline().toJson() : QJsonObject(), registry, progress, options);
        for (const QString& problem : std::as_const(done.problems)) {
            console.note(QStringLiteral("blend: %1, %2: %3").arg(scene->id, c.name(), problem));
        }
        out.scores.push_back(std::move(done.score));
        out.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return out;
}

std::vector<SceneOutcome> evaluateAll(const Plan& plan, const Registry& registry, Console& console) {
    std::vector<std::vector<SceneOutcome>> found(plan.groups.size());
    Progress overall(console.token());
    overall.begin(QStringLiteral("scenes"), static_cast<long long>(plan.groups.size()));
    const Console::ProgressLine line(console, overall);
    const auto one = [&](size_t i, bool alone) {
        overall.check();
        std::vector<ScenePtr> scenes;
        try {
            scenes = openScene(plan.groups[i], plan.open);
        } catch (const ReadError& e) {
            console.note(QStringLiteral("blend: %1: %2").arg(plan.groups[i].id, e.message()));
        }
        for (const ScenePtr& scene : scenes) {
            found[i].push_back(evaluateScene(scene, plan, registry, alone, console));
        }
        overall.advance();
    };
    std::vector<size_t> small, large;
    for (size_t i = 0; i < plan.groups.size(); ++i) {
        long long bytes = 0;
        for (const QString& file : plan.groups[i].files) {
            bytes += QFileInfo(file).size() * (file.endsWith(QStringLiteral(".gz")) ? 4 : 1);
        }
        (bytes <= kSmallFileBytes ? small : large).push_back(i);
    }
    TaskPool::shared().parallelFor(
        static_cast<int>(small.size()), [&](int k) { one(small[static_cast<size_t>(k)], false); }, plan.run.threads);
    for (const size_t i : large) {
        one(i, true);
    }
    std::vector<SceneOutcome> out;
    for (std::vector<SceneOutcome>& group : found) {
        std::move(group.begin(), group.end(), std::back_inserter(out));
    }
    return out;
}

/// One row a true object and contender; bands that a scene lacks stay empty.
Table objectTable(const std::vector<ScoredPipeline>& pipelines) {
    QStringList bands;
    for (const ScoredPipeline& p : pipelines) {
        for (const SceneScore& s : p.scenes) {
            for (const QString& b : s.bands) {
                if (!bands.contains(b)) bands << b;
            }
        }
    }
    struct Row {
        const ScoredPipeline* pipeline;
        const SceneScore* scene;
        const TruthScore* truth;
    };
    std::vector<Row> rows;
    for (const ScoredPipeline& p : pipelines) {
        for (const SceneScore& s : p.scenes) {
            for (const TruthScore& t : s.truths) {
                rows.push_back({&p, &s, &t});
            }
        }
    }
    Table table;
    const auto text = [&](const char* name, auto get) {
        QStringList v;
        for (const Row& r : rows) {
            v << get(r);
        }
        table.columns.push_back({QLatin1String(name), {}, std::move(v), -1});
    };
    const auto number = [&](const QString& name, auto get) {
        TableColumn::Floats v;
        v.reserve(rows.size());
        for (const Row& r : rows) {
            v.push_back(static_cast<float>(get(r)));
        }
        table.columns.push_back({name, {}, std::move(v), -1});
    };
    text("scene_id", [](const Row& r) { return r.scene->sceneId; });
    text("pipeline", [](const Row& r) { return r.pipeline->name; });
    number(QStringLiteral("truth_id"), [](const Row& r) { return r.truth->truthId; });
    text("kind", [](const Row& r) { return r.truth->kind; });
    number(QStringLiteral("eligible"), [](const Row& r) { return r.truth->eligible; });
    number(QStringLiteral("x"), [](const Row& r) { return r.truth->x; });
    number(QStringLiteral("y"), [](const Row& r) { return r.truth->y; });
    number(QStringLiteral("snr"), [](const Row& r) { return r.truth->snr; });
    number(QStringLiteral("magnitude"), [](const Row& r) { return r.truth->magnitude; });
    number(QStringLiteral("blendedness"), [](const Row& r) { return r.truth->blendedness; });
    number(QStringLiteral("neighbour_arcsec"), [](const Row& r) { return r.truth->neighbourArcsec; });
    number(QStringLiteral("neighbour_mag"), [](const Row& r) { return r.truth->neighbourMagnitudes; });
    number(QStringLiteral("blend"), [](const Row& r) { return r.truth->group; });
    number(QStringLiteral("id"), [](const Row& r) { return r.truth->objectId; });
    number(QStringLiteral("distance"), [](const Row& r) { return r.truth->distancePixels; });
    text("match", [](const Row& r) { return r.truth->eligible ? matchOutcomeName(r.truth->outcome) : QString(); });
    text("outcome", [](const Row& r) { return r.scene->judged ? outcomeWord(r.truth->verdict) : QString(); });
    text("flags", [](const Row& r) { return flagWords(r.truth->flags); });
    number(QStringLiteral("mask_iou"), [](const Row& r) { return r.truth->maskIou; });
    number(QStringLiteral("size_error"), [](const Row& r) { return r.truth->sizeError; });
    number(QStringLiteral("e1_error"), [](const Row& r) { return r.truth->e1Error; });
    number(QStringLiteral("e2_error"), [](const Row& r) { return r.truth->e2Error; });
    for (const QString& band : bands) {
        const auto value = [&](double BandScore::*member) {
            return [band, member](const Row& r) {
                const auto b = r.scene->bands.indexOf(band);
                return b < 0 ? double(kNan) : r.truth->bands[static_cast<size_t>(b)].*member;
            };
        };
        number(QStringLiteral("true_flux_") + band, value(&BandScore::trueFlux));
        number(QStringLiteral("snr_") + band, value(&BandScore::trueSnr));
        number(QStringLiteral("flux_") + band, value(&BandScore::flux));
        number(QStringLiteral("flux_err_") + band, value(&BandScore::fluxErr));
    }
    return table;
}

/// The scenes of the worst blends are run (or read) once more and drawn.
std::vector<FailurePicture> failuresOf(const std::vector<ScoredPipeline>& scored,
                                       const std::vector<SceneOutcome>& outcomes, const Plan& plan,
                                       const Registry& registry, int count, Console& console) {
    Progress overall(console.token());
    const Console::ProgressLine line(console, overall);
    FailureSource source;
    source.scene = [&](int scene) { return outcomes[static_cast<size_t>(scene)].scene; };
    source.result = [&](int pipeline, const Scene& scene) {
        Progress progress(console.token());
        RunOptions run = plan.run;
        if (run.usePositions) run.positions = truePositions(scene);
        return plan.contenders[static_cast<size_t>(pipeline)].resultFor(scene, registry, progress, run);
    };
    return pictureFailures(scored, count, source, overall);
}

/// Every plot and every pictured failure as files, for papers and pages.
void writeFigures(const MetricsReport& report, const std::vector<FailurePicture>& failures, const QDir& dir) {
    if (!QDir().mkpath(dir.path())) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(dir.path()));
    constexpr QSize size(460, 310);
    for (const PlotData& plot : report.plots) {
        for (const char* ending : {".png", ".svg"}) {
            saveFigure(
                dir.filePath(plot.id + QLatin1String(ending)), size,
                [&](QPainter& painter) { paintPlot(painter, QRectF(QPointF(0, 0), QSizeF(size)), plot); }, 1.5);
        }
    }
    std::vector<int> count(report.pipelines.size(), 0);
    for (const FailurePicture& f : failures) {
        const QString name = QStringLiteral("failure_%1_%2.png").arg(f.pipeline + 1).arg(++count[size_t(f.pipeline)]);
        if (!f.image.save(dir.filePath(name)))
            throw WriteError(QStringLiteral("%1 cannot be written").arg(dir.filePath(name)));
    }
}

/// Scenes without truth, run for what becomes of them.
RealRun realRun(const SceneOutcome& outcome, size_t contender) {
    const SceneScore& score = outcome.scores[contender];
    RealRun run;
    run.sceneId = outcome.scene->id;
    run.objects = score.objects;
    run.badFluxes = score.withoutFlux;
    run.megapixels = 1e-6 * static_cast<double>(outcome.scene->imageBytes()) / sizeof(float);
    run.seconds = outcome.seconds[contender];
    run.failure = score.failure;
    return run;
}

void assessReadiness(MetricsReport& report, const Plan& plan, const std::vector<std::vector<RealRun>>& real,
                     const Registry& registry, Console& console) {
    for (size_t k = 0; k < plan.contenders.size(); ++k) {
        const Contender& c = plan.contenders[k];
        std::vector<ReadinessItem>& card = report.pipelines[k].readiness;
        if (c.runs()) {
            Progress progress(console.token());
            const Console::ProgressLine line(console, progress, c.name() + QStringLiteral(": "));
            const auto here = [&](const Scene& s) { return runHere(s, c.pipeline(), registry, console.token()); };
            card.push_back(assessRobustness([&](const Scene& s) { return runApart(s, c.pipeline(), console.token()); },
                                            ScoreOptions{}, progress));
            card.push_back(assessPerformance(here, progress));
            card.push_back(assessUniformity(here, ScoreOptions{}, progress));
        }
        card.push_back(assessBattleTesting(real[k]));
        card.push_back(assessCalibration(report.pipelines[k], report.band));
    }
}

/// The head-to-head table as text: a row a metric, a column a pipeline.
QString reportText(const MetricsReport& report) {
    QStringList rows;
    if (report.pipelines.empty()) return {};
    std::vector<const MetricValue*> metrics;
    qsizetype width = 0;
    for (const QString& id : leadingMetrics(report)) {
        const MetricValue* m = nullptr;
        for (const PipelineReport& p : report.pipelines) {
            if (!m) m = p.metric(id);
        }
        if (!m) continue;
        metrics.push_back(m);
        width = std::max(width, m->title.size());
    }
    QString head = QString().leftJustified(width);
    for (const PipelineReport& p : report.pipelines) {
        head += QStringLiteral("  ") + p.name.leftJustified(20);
    }
    rows << head;
    for (const MetricValue* m : metrics) {
        QString row = m->title.leftJustified(width);
        for (const PipelineReport& p : report.pipelines) {
            const MetricValue* own = p.metric(m->id);
            const QString value = own ? valueText(own->value, own->error) : QStringLiteral("-");
            row += QStringLiteral("  ") + value.leftJustified(20);
        }
        rows << row;
    }
    return rows.join(QLatin1Char('\n'));
}

} // namespace

int runEvaluate(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("scenes"), QStringLiteral("DIR"),
         QStringLiteral("scenes with truth: a folder, a file or a list (repeatable)")},
        {QStringLiteral("pipeline"), QStringLiteral("[NAME=]P"),
         QStringLiteral("a JSON file, or methods joined by +; a name tells several apart (repeatable; default "
                        "threshold+factorize)")},
        {QStringLiteral("set"), QStringLiteral("[NAME:]METHOD.KEY=VALUE"),
         QStringLiteral("a parameter, for every pipeline that has the method or for the one named (repeatable)")},
        {QStringLiteral("results"), QStringLiteral("[NAME=]DIR"),
         QStringLiteral("results that are there already: a folder of blend run, or another program's catalogue with "
                        "x, y, flux_<band> (repeatable)")},
        {QStringLiteral("at-truth"), {}, QStringLiteral("deblend at the true positions instead of those detected")},
        {QStringLiteral("real"), QStringLiteral("DIR"),
         QStringLiteral("real scenes, run for what becomes of them (repeatable)")},
        {QStringLiteral("no-readiness"),
         {},
         QStringLiteral("leave out the pipeline-readiness card: hostile scenes, scaling, uniformity")},
        {QStringLiteral("incomplete"),
         {},
         QStringLiteral("the scenes hold objects that truth does not name (default: found out by judging)")},
        {QStringLiteral("complete"), {}, QStringLiteral("truth names every object")},
        {QStringLiteral("no-outcomes"), {}, QStringLiteral("do not run the detector on each object alone")},
        {QStringLiteral("snr"), QStringLiteral("N"),
         QStringLiteral("true objects count from this S/N on (snr_det; default 10)")},
        {QStringLiteral("radius"), QStringLiteral("ARCSEC"), QStringLiteral("matching radius (default 1)")},
        {QStringLiteral("band"), QStringLiteral("B"),
         QStringLiteral("band of reference (default: the one nearest to 750 nm)")},
        {QStringLiteral("bin"), QStringLiteral("MAG"), QStringLiteral("width of the magnitude bins (default 1)")},
        {QStringLiteral("bootstrap"), QStringLiteral("N"), QStringLiteral("resamples for the errors (default 200)")},
        {QStringLiteral("worst"), QStringLiteral("N"),
         QStringLiteral("how many failures of each pipeline to picture (default 8)")},
        {QStringLiteral("figures"), {}, QStringLiteral("also write every plot as PNG and SVG, into DIR/figures")},
        {QStringLiteral("title"), QStringLiteral("TEXT"), QStringLiteral("of the report")},
        {QStringLiteral("threads"), QStringLiteral("N"),
         QStringLiteral("at most N threads; the result does not depend on it")},
        {QStringLiteral("out"), QStringLiteral("DIR"),
         QStringLiteral("folder for report.html, metrics.csv, plots.csv, objects.csv and evaluation.json")}};
    const std::vector<Arguments::Flag> scene = sceneFlags();
    flags.insert(flags.end(), scene.begin(), scene.end());
    Arguments arguments(QStringLiteral("evaluate"), QStringLiteral("[SCENE...]"),
                        QStringLiteral("Compares pipelines, or results that are there already, on scenes with truth:\n"
                                       "one report with every metric, its bootstrap error and paired differences."),
                        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    const QStringList paths = arguments.values(QStringLiteral("scenes")) + arguments.words();
    if (paths.isEmpty()) throw UsageError(QStringLiteral("blend evaluate needs --scenes"));
    const QDir out(arguments.required(QStringLiteral("out")));
    Plan plan;
    plan.open = openOptions(arguments);
    plan.score.leastSnr = arguments.real(QStringLiteral("snr"), plan.score.leastSnr, 0.0, 1e9);
    plan.score.knownSnr = std::min(plan.score.knownSnr, plan.score.leastSnr);
    plan.score.radiusArcsec = arguments.real(QStringLiteral("radius"), plan.score.radiusArcsec, 0.0, 1e6);
    plan.score.band = arguments.value(QStringLiteral("band"));
    plan.score.byPosition = arguments.has(QStringLiteral("at-truth"));
    plan.run.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    plan.run.usePositions = plan.score.byPosition;
    if (arguments.has(QStringLiteral("incomplete"))) plan.complete = false;
    if (arguments.has(QStringLiteral("complete"))) plan.complete = true;
    plan.judge = !arguments.has(QStringLiteral("no-outcomes"));
    BuildOptions build;
    build.title = arguments.value(QStringLiteral("title"), QStringLiteral("Evaluation of deblending"));
    build.magnitudeBin = arguments.real(QStringLiteral("bin"), build.magnitudeBin, 0.05, 50.0);
    build.replicates = arguments.integer(QStringLiteral("bootstrap"), build.replicates, 0, 100000);
    build.curveReplicates = std::min(build.curveReplicates, build.replicates);

    const Registry registry;
    QStringList pipelines = arguments.values(QStringLiteral("pipeline"));
    if (pipelines.isEmpty() && !arguments.has(QStringLiteral("results")))
        pipelines << QStringLiteral("threshold+factorize");
    for (const QString& text : pipelines) {
        plan.contenders.push_back(Contender::fromPipeline(text));
    }
    for (const QString& text : arguments.values(QStringLiteral("results"))) {
        plan.contenders.push_back(Contender::fromResults(text));
    }
    for (size_t i = 0; i < plan.contenders.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            if (plan.contenders[i].name() != plan.contenders[j].name()) continue;
            throw UsageError(QStringLiteral("two pipelines are named \"%1\": name them, as --pipeline deep=%1")
                                 .arg(plan.contenders[i].name()));
        }
    }
    assignSettings(plan.contenders, arguments.values(QStringLiteral("set")));
    for (const Contender& c : plan.contenders) {
        for (const Pipeline::Stage& stage : c.pipeline().stages) {
            (void)registry.create(stage.method);
        }
    }
    plan.groups = groupSceneFiles(paths + arguments.values(QStringLiteral("real")), plan.open);
    if (!QDir().mkpath(out.path())) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(out.path()));

    std::vector<SceneOutcome> outcomes = evaluateAll(plan, registry, console);
    std::vector<std::vector<RealRun>> real(plan.contenders.size());
    for (const SceneOutcome& o : outcomes) {
        for (size_t k = 0; k < real.size() && !o.truth; ++k) {
            real[k].push_back(realRun(o, k));
        }
    }
    std::erase_if(outcomes, [](const SceneOutcome& o) { return !o.truth; });
    if (outcomes.empty()) {
        throw ReadError(
            QStringLiteral("none of %1 scenes has a truth table").arg(std::max<size_t>(plan.groups.size(), 1)));
    }
    std::vector<ScoredPipeline> scored;
    int failed = 0;
    for (size_t k = 0; k < plan.contenders.size(); ++k) {
        ScoredPipeline p;
        p.name = plan.contenders[k].name();
        p.definition = plan.contenders[k].definition();
        for (SceneOutcome& o : outcomes) {
            p.failures += !o.scores[k].failure.isEmpty();
            p.seconds += o.seconds[k];
            p.scenes.push_back(std::move(o.scores[k]));
        }
        failed += p.failures;
        scored.push_back(std::move(p));
    }
    MetricsReport report = buildReport(scored, build);
    const qsizetype without = real.empty() ? 0 : static_cast<qsizetype>(real.front().size());
    if (without > 0)
        report.notes << QStringLiteral("%1 scenes have no truth: they count as real data alone.").arg(without);
    if (!arguments.has(QStringLiteral("no-readiness"))) assessReadiness(report, plan, real, registry, console);

    writeLines(out.filePath(QStringLiteral("metrics.csv")), metricsCsv(report));
    writeLines(out.filePath(QStringLiteral("plots.csv")), plotsCsv(report));
    writeLines(out.filePath(QStringLiteral("objects.csv")), csvLines(objectTable(scored)));
    const int worst = arguments.integer(QStringLiteral("worst"), 8, 0, 1000);
    const std::vector<FailurePicture> failures = failuresOf(scored, outcomes, plan, registry, worst, console);
    writeText(out.filePath(QStringLiteral("report.html")), reportPage(report, failures));
    if (arguments.has(QStringLiteral("figures")))
        writeFigures(report, failures, QDir(out.filePath(QStringLiteral("figures"))));
    const QJsonObject json = toJson(report);
    writeText(out.filePath(QStringLiteral("evaluation.json")), QJsonDocument(json).toJson());
    for (const QString& note : std::as_const(report.notes)) {
        console.note(QStringLiteral("blend: ") + note);
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson(json);
    } else {
        console.print(reportText(report));
        console.print(QStringLiteral("\nreport: %1").arg(out.filePath(QStringLiteral("report.html"))));
    }
    return failed > 0 ? 1 : 0;
}

} // namespace blendscope::cli
