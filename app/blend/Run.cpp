#include "Arguments.h"
#include "Console.h"
#include "Positions.h"
#include "SceneFlags.h"
#include "Verbs.h"

#include "io/ResultFolder.h"
#include "io/Table.h"
#include "jobs/TaskPool.h"
#include "method/Pipeline.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QSaveFile>
#include <QSet>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace blendscope::cli {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Scenes up to this size are run side by side, one thread each; larger ones one after the other on all threads.
constexpr long long kSmallSceneBytes = 64ll << 20;
// Scenes up to this size are read before the clock of the computing starts; larger ones by region as needed.
constexpr long long kPreloadBytes = 3ll << 30;

/// What became of one scene.
struct Outcome {
    QString id;
    QString folder;
    int objects = 0, blends = 0;
    double readSeconds = 0.0, computeSeconds = 0.0;
    bool done = false;     ///< its folder was written
    bool complete = false; ///< and holds all blends
    QString error;
    QStringList csv;
};

struct Plan {
    OpenOptions open;
    Pipeline pipeline;
    const Registry& registry;
    QString device;
    int threads = 0;
    QString out;
    bool several = false;
    std::optional<Positions> positions;
};

/// Where a scene's result goes below --out: the file's name up to its first dot, or the scene's id where it is made of
/// several files.
QString folderName(const SceneFiles& files) {
    QString name =
        files.files.size() == 1 ? QFileInfo(files.files.first()).fileName().section(QLatin1Char('.'), 0, 0) : files.id;
    if (name.isEmpty()) name = files.id;
    return name.replace(QLatin1Char('/'), QLatin1Char('_'));
}

void checkPipeline(const Pipeline& pipeline, const Registry& registry) {
    for (const Pipeline::Stage& stage : pipeline.stages) {
        const auto method = registry.create(stage.method);
        Parameters parameters(registry.find(stage.method)->parameters);
        for (auto it = stage.parameters.begin(); it != stage.parameters.end(); ++it) {
            try {
                parameters.set(it.key(), it.value().toVariant());
            } catch (const UsageError& e) {
                throw UsageError(QStringLiteral("method %1: %2").arg(stage.method, e.message()));
            }
        }
    }
}

void preload(const Scene& scene, Progress& progress) {
    progress.begin(QStringLiteral("reading"), static_cast<long long>(scene.bands.size()));
    if (3 * scene.imageBytes() > kPreloadBytes) return;
    for (const Band& band : scene.bands) {
        (void)band.image->readAll();
        if (band.variance) (void)band.variance->readAll();
        if (band.mask) (void)band.mask->readAll();
        progress.advance();
    }
}

Outcome runScene(const ScenePtr& scene, const QString& folder, const Plan& plan, int threads, double openSeconds,
                 Progress& progress) {
    Outcome outcome;
    outcome.id = scene->id;
    outcome.folder = folder;
    const Clock::time_point start = Clock::now();
    preload(*scene, progress);
    outcome.readSeconds = openSeconds + secondsSince(start);
    RunOptions options;
    options.threads = threads;
    options.device = plan.device;
    if (plan.positions) {
        options.usePositions = true;
        options.positions = plan.positions->of(scene->id);
    }
    const ResultPtr result = runPipeline(*scene, plan.pipeline, plan.registry, progress, options);
    for (const StageTiming& stage : result->stages) {
        outcome.computeSeconds += stage.seconds;
    }
    writeResult(*result, *scene, folder, outcome.readSeconds, plan.open);
    outcome.objects = static_cast<int>(result->objects.size());
    outcome.blends = static_cast<int>(result->blends.size());
    outcome.csv = catalogCsvLines(*result, *scene, true);
    outcome.complete = result->complete;
    outcome.done = true;
    return outcome;
}

void writeLines(const QString& path, const QStringList& lines) {
    QSaveFile file(path);
    const QByteArray bytes =
        lines.isEmpty() ? QByteArray() : (lines.join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

struct Shard {
    int index = 0, count = 1;
};

Shard parseShard(const QString& text) {
    bool okI = false, okN = false;
    const Shard shard{text.section(QLatin1Char('/'), 0, 0).toInt(&okI), text.section(QLatin1Char('/'), 1).toInt(&okN)};
    if (!okI || !okN || shard.count < 1 || shard.index < 0 || shard.index >= shard.count) {
        throw UsageError(QStringLiteral("--shard is \"%1\", wanted i/n with i from 0 to n - 1").arg(text));
    }
    return shard;
}

QJsonObject outcomeJson(const Outcome& o) {
    QJsonObject json{{QStringLiteral("scene_id"), o.id},
                     {QStringLiteral("objects"), o.objects},
                     {QStringLiteral("blends"), o.blends},
                     {QStringLiteral("read_seconds"), o.readSeconds},
                     {QStringLiteral("compute_seconds"), o.computeSeconds},
                     {QStringLiteral("complete"), o.complete}};
    if (o.done) json.insert(QStringLiteral("folder"), o.folder);
    if (!o.error.isEmpty()) json.insert(QStringLiteral("error"), o.error);
    return json;
}

QString outcomeText(const Outcome& o) {
    return QStringLiteral("%1: %2 objects in %3 blends, read in %4 s, computed in %5 s%6")
        .arg(o.id)
        .arg(o.objects)
        .arg(o.blends)
        .arg(o.readSeconds, 0, 'f', 2)
        .arg(o.computeSeconds, 0, 'f', 2)
        .arg(o.complete ? QString() : QStringLiteral(" (stopped before the end)"));
}

/// One group of files: usually one scene, several where a file holds several grids.
std::vector<Outcome> runGroup(const SceneFiles& files, const QString& folder, const Plan& plan, int threads,
                              Progress& progress) {
    std::vector<Outcome> outcomes;
    const Clock::time_point start = Clock::now();
    const std::vector<ScenePtr> scenes = openScene(files, plan.open, &progress);
    const double openSeconds = secondsSince(start);
    for (const ScenePtr& scene : scenes) {
        const QString own = scenes.size() == 1 ? folder
                                               : folder + QLatin1Char('/') +
                                                     QString(scene->id).replace(QLatin1Char('/'), QLatin1Char('_'));
        outcomes.push_back(runScene(scene, own, plan, threads, openSeconds, progress));
    }
    return outcomes;
}

long long fileBytes(const SceneFiles& files) {
    long long bytes = 0;
    for (const QString& file : files.files) {
        const bool packed = file.endsWith(QStringLiteral(".gz")) || file.endsWith(QStringLiteral(".fz"));
        bytes += QFileInfo(file).size() * (packed ? 4 : 1);
    }
    return bytes;
}

std::vector<Outcome> runAll(const std::vector<SceneFiles>& groups, const std::vector<QString>& folders,
                            const Plan& plan, Console& console) {
    std::vector<std::vector<Outcome>> found(groups.size());
    Progress overall(console.token());
    const auto one = [&](size_t i, int threads, Progress& progress) {
        try {
            found[i] = runGroup(groups[i], folders[i], plan, threads, progress);
        } catch (const Error& e) {
            Outcome outcome;
            outcome.id = groups[i].id;
            outcome.error = e.message();
            found[i] = {outcome};
            if (groups.size() > 1 && !console.token().cancelled()) {
                console.note(QStringLiteral("blend: %1: %2").arg(groups[i].id, e.message()));
            }
        } catch (const std::exception& e) {
            Outcome outcome;
            outcome.id = groups[i].id;
            outcome.error = QStringLiteral("unexpected failure: %1").arg(QString::fromUtf8(e.what()));
            found[i] = {outcome};
            console.note(QStringLiteral("blend: %1: %2").arg(groups[i].id, outcome.error));
        }
    };

    std::vector<size_t> small, large;
    for (size_t i = 0; i < groups.size(); ++i) {
        (groups.size() > 1 && fileBytes(groups[i]) < kSmallSceneBytes ? small : large).push_back(i);
    }
    const int workers = static_cast<int>(std::min<size_t>(
        small.size(), static_cast<size_t>(plan.threads > 0 ? plan.threads : TaskPool::shared().threads())));
    if (!small.empty()) {
        overall.begin(QStringLiteral("scenes"), static_cast<long long>(small.size()));
        const Console::ProgressLine line(console, overall);
        std::atomic<size_t> next{0};
        const auto work = [&] {
            for (size_t k = next++; k < small.size() && !console.token().cancelled(); k = next++) {
                Progress progress(console.token());
                // With fewer scenes than threads the blends of a scene share what is left over.
                one(small[k], static_cast<int>(small.size()) < 2 * workers ? plan.threads : 1, progress);
                try {
                    overall.advance();
                } catch (const CancelledError&) {
                }
            }
        };
        std::vector<std::thread> threads;
        for (int t = 1; t < workers; ++t) {
            threads.emplace_back(work);
        }
        work();
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    for (const size_t i : large) {
        if (console.token().cancelled()) break;
        Progress progress(console.token());
        const Console::ProgressLine line(console, progress,
                                         groups.size() > 1 ? groups[i].id + QStringLiteral(": ") : QString());
        one(i, plan.threads, progress);
    }

    std::vector<Outcome> all;
    for (const auto& outcomes : found) {
        all.insert(all.end(), outcomes.begin(), outcomes.end());
    }
    return all;
}

} // namespace

int runRun(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("pipeline"), QStringLiteral("P"),
         QStringLiteral("a JSON file, or methods joined by + (default threshold+factorize)")},
        {QStringLiteral("set"), QStringLiteral("METHOD.KEY=VALUE"),
         QStringLiteral("a parameter; blend methods lists them (repeatable)")},
        {QStringLiteral("positions"), QStringLiteral("CAT"),
         QStringLiteral(
             "deblend at these positions: CSV or FITS with x, y (0-based), and scene_id for several scenes")},
        {QStringLiteral("device"), QStringLiteral("auto|cpu|cuda"),
         QStringLiteral("where methods that can use a GPU compute")},
        {QStringLiteral("threads"), QStringLiteral("N"),
         QStringLiteral("at most N threads; the result does not depend on it")},
        {QStringLiteral("shard"), QStringLiteral("I/N"),
         QStringLiteral("every N-th scene from I (0-based) alone; writes catalog.I.csv")},
        {QStringLiteral("out"), QStringLiteral("DIR"),
         QStringLiteral("the result folder; of several scenes, a folder for each below it")}};
    const std::vector<Arguments::Flag> scene = sceneFlags();
    flags.insert(flags.end(), scene.begin(), scene.end());
    Arguments arguments(QStringLiteral("run"), QStringLiteral("SCENE..."),
                        QStringLiteral("Detects, deblends and measures the objects of scenes.\n"
                                       "SCENE: files, folders, lists (.txt), or a.fits,b.fits for one scene."),
                        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().isEmpty()) throw UsageError(QStringLiteral("blend run needs a scene"));
    const Registry registry;
    Plan plan{openOptions(arguments),
              Pipeline::parse(arguments.value(QStringLiteral("pipeline"), QStringLiteral("threshold+factorize"))),
              registry,
              arguments.value(QStringLiteral("device"), QStringLiteral("auto")),
              arguments.integer(QStringLiteral("threads"), 0, 1, 1024),
              arguments.required(QStringLiteral("out")),
              false,
              {}};
    if (plan.device != QLatin1String("auto") && plan.device != QLatin1String("cpu") &&
        plan.device.section(QLatin1Char(':'), 0, 0) != QLatin1String("cuda")) {
        throw UsageError(QStringLiteral("--device is \"%1\", wanted auto, cpu or cuda").arg(plan.device));
    }
    for (const QString& assignment : arguments.values(QStringLiteral("set"))) {
        plan.pipeline.set(assignment);
    }
    checkPipeline(plan.pipeline, registry);
    std::optional<Shard> shard;
    if (arguments.has(QStringLiteral("shard"))) shard = parseShard(arguments.value(QStringLiteral("shard")));

    std::vector<SceneFiles> groups = groupSceneFiles(arguments.words(), plan.open);
    if (groups.empty())
        throw ReadError(QStringLiteral("there is no scene in %1").arg(arguments.words().join(QStringLiteral(", "))));
    plan.several = groups.size() > 1 || shard.has_value();
    if (arguments.has(QStringLiteral("positions"))) {
        plan.positions = Positions::read(arguments.value(QStringLiteral("positions")));
        if (groups.size() > 1 && !plan.positions->namesScenes()) {
            throw UsageError(
                QStringLiteral("the positions have no column scene_id, but there are %1 scenes").arg(groups.size()));
        }
    }

    std::vector<QString> folders;
    QMap<QString, int> uses;
    for (const SceneFiles& files : groups) {
        ++uses[folderName(files)];
    }
    for (const SceneFiles& files : groups) {
        const QString name = folderName(files);
        // Two names that differ only behind the first dot would overwrite each other.
        const QString unique =
            uses.value(name) > 1 ? QString(files.id).replace(QLatin1Char('/'), QLatin1Char('_')) : name;
        folders.push_back(plan.several ? plan.out + QLatin1Char('/') + unique : plan.out);
    }
    if (shard) {
        std::vector<SceneFiles> ownGroups;
        std::vector<QString> ownFolders;
        for (size_t i = static_cast<size_t>(shard->index); i < groups.size(); i += static_cast<size_t>(shard->count)) {
            ownGroups.push_back(groups[i]);
            ownFolders.push_back(folders[i]);
        }
        groups = ownGroups;
        folders = ownFolders;
    }
    if (!QDir().mkpath(plan.out)) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(plan.out));

    const Clock::time_point start = Clock::now();
    const std::vector<Outcome> outcomes = runAll(groups, folders, plan, console);
    const bool cancelled = console.token().cancelled();

    std::vector<QStringList> tables;
    QJsonArray scenes;
    int failures = 0;
    const bool json = arguments.has(QStringLiteral("json"));
    for (const Outcome& outcome : outcomes) {
        if (!outcome.csv.isEmpty()) tables.push_back(outcome.csv);
        if (!outcome.error.isEmpty()) ++failures;
        scenes.append(outcomeJson(outcome));
        if (!json && outcome.done && (!plan.several || outcomes.size() <= 20)) console.print(outcomeText(outcome));
    }
    if (plan.several) {
        const QString name = shard ? QStringLiteral("catalog.%1.csv").arg(shard->index) : QStringLiteral("catalog.csv");
        writeLines(plan.out + QLatin1Char('/') + name, joinCsv(tables));
    }
    if (json) {
        console.printJson({{QStringLiteral("out"), plan.out},
                           {QStringLiteral("pipeline"), plan.pipeline.toJson()},
                           {QStringLiteral("scenes"), scenes},
                           {QStringLiteral("failed"), failures},
                           {QStringLiteral("cancelled"), cancelled},
                           {QStringLiteral("seconds"), secondsSince(start)}});
    } else if (outcomes.size() > 20) {
        console.print(QStringLiteral("%1 scenes in %2 s, results in %3")
                          .arg(outcomes.size() - static_cast<size_t>(failures))
                          .arg(secondsSince(start), 0, 'f', 1)
                          .arg(plan.out));
    }
    if (cancelled) {
        console.note(QStringLiteral("blend: stopped; what was done is in %1").arg(plan.out));
        return 1;
    }
    if (failures > 0 && groups.size() == 1) throw Error(outcomes.front().error);
    if (failures > 0) {
        console.note(QStringLiteral("blend: %1 of %2 scenes failed").arg(failures).arg(outcomes.size()));
        return 1;
    }
    return 0;
}

} // namespace blendscope::cli
