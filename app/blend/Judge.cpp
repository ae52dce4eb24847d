#include "Arguments.h"
#include "Console.h"
#include "SceneFlags.h"
#include "Suspect.h"
#include "Verbs.h"

#include "io/ResultFolder.h"
#include "io/SceneNames.h"
#include "io/TruthTable.h"
#include "judge/Judge.h"
#include "judge/MetricsBuilder.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

namespace blendscope::cli {

namespace {

/// A result folder and the scene that holds its truth.
struct Case {
    QString folder;
    SceneFiles files; ///< of the truth; none = the scene that the result names, with the truth of a table
};

struct Judged {
    Judgement judgement;
    SceneScore score;
};

void writeText(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

/// The folder itself, or the results of several scenes below it, by name.
QStringList resultFolders(const QString& folder) {
    if (!QFileInfo(folder).isDir()) throw ReadError(QStringLiteral("the result folder %1 does not exist").arg(folder));
    if (isResultFolder(folder)) return {folder};
    QStringList list;
    const QDir dir(folder);
    for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
        if (isResultFolder(dir.filePath(name))) list << dir.filePath(name);
    }
    if (list.isEmpty()) {
        throw ReadError(
            QStringLiteral("%1 is no result folder (it has no run.json), nor are there any in it").arg(folder));
    }
    return list;
}

/// A table of positions, not a scene.
bool isTable(const QString& path) {
    const QFileInfo info(path);
    if (!info.isFile()) return false;
    if (!looksLikeFits(path)) {
        return !path.endsWith(QStringLiteral(".txt"), Qt::CaseInsensitive) &&
               !path.endsWith(QStringLiteral(".lst"), Qt::CaseInsensitive);
    }
    try {
        return openScenes({path}).empty();
    } catch (const Error&) {
        return true; // no image in it: a table, or the reading of it says what is wrong
    }
}

/// Pairs results with scenes by the scene's id or the folder's name; one of each belong together in any case.
std::vector<Case> pairUp(const QStringList& folders, const std::vector<SceneFiles>& groups, Console& console) {
    if (folders.size() == 1 && groups.size() == 1) return {{folders.front(), groups.front()}};
    QMap<QString, size_t> byName;
    for (size_t i = 0; i < groups.size(); ++i) {
        byName.insert(groups[i].id, i);
        if (!groups[i].files.isEmpty()) {
            byName.insert(QFileInfo(groups[i].files.front()).fileName().section(QLatin1Char('.'), 0, 0), i);
        }
    }
    std::vector<Case> cases;
    QStringList alone;
    for (const QString& folder : folders) {
        const QString name = QFileInfo(folder).fileName();
        auto it = byName.find(name);
        if (it == byName.end()) {
            try {
                it = byName.find(readRunRecord(folder).sceneId);
            } catch (const ReadError&) {
            }
        }
        if (it == byName.end()) {
            alone << name;
        } else {
            cases.push_back({folder, groups[*it]});
        }
    }
    if (!alone.isEmpty()) {
        console.note(QStringLiteral("blend: no truth for %1")
                         .arg(alone.size() > 5 ? QStringLiteral("%1 results").arg(alone.size())
                                               : alone.join(QStringLiteral(", "))));
    }
    if (cases.empty())
        throw UsageError(QStringLiteral("none of %1 results is of a scene with truth").arg(folders.size()));
    return cases;
}

/// Outcomes into the catalogue and blends.csv, and the whole judgement beside them.
void writeJudgement(const Judgement& judgement, const Result& result, const Scene& scene, const QString& folder) {
    Result judged = result;
    QMap<int, const DetectionVerdict*> byId;
    for (const DetectionVerdict& d : judgement.detections) {
        byId.insert(d.id, &d);
    }
    QMap<int, Outcome> outcomeOfGroup;
    for (const BlendVerdict& b : judgement.blends) {
        outcomeOfGroup.insert(b.id, b.outcome);
    }
    QMap<int, QString> ofBlend;
    for (Object& o : judged.objects) {
        const DetectionVerdict* d = byId.value(o.id);
        o.outcome = d ? outcomeWord(d->outcome) : QString();
        if (d) ofBlend.insert(o.parent, outcomeWord(outcomeOfGroup.value(d->blend, Outcome::Unknown)));
    }
    writeOutcomes(judged, scene, folder, ofBlend);
    writeText(QDir(folder).filePath(QStringLiteral("judgement.json")), QJsonDocument(toJson(judgement)).toJson());
}

/// The catalogue of all scenes, made again of those of each.
void joinCatalogues(const QString& folder, const QStringList& folders) {
    const QString path = QDir(folder).filePath(QStringLiteral("catalog.csv"));
    if (folders.contains(folder) || !QFile::exists(path)) return;
    std::vector<QStringList> tables;
    for (const QString& one : folders) {
        QFile file(QDir(one).filePath(QStringLiteral("catalog.csv")));
        if (!file.open(QIODevice::ReadOnly)) return;
        tables.push_back(QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'), Qt::SkipEmptyParts));
    }
    writeText(path, (joinCsv(tables).join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8());
}

QString ratesText(const OutcomeRates& rates) {
    QString text;
    const auto lines = [&](const QString& title, const QMap<Outcome, int>& counts) {
        int total = 0;
        for (const int n : counts) {
            total += n;
        }
        text += QStringLiteral("%1: %2\n").arg(title).arg(total);
        for (const Outcome outcome : allOutcomes()) {
            const int n = counts.value(outcome);
            if (n == 0) continue;
            text += QStringLiteral("  %1%2  %3 %\n")
                        .arg(outcomeWord(outcome).leftJustified(14))
                        .arg(n, 6)
                        .arg(100.0 * n / std::max(1, total), 5, 'f', 1);
        }
    };
    lines(QStringLiteral("blends"), rates.blends);
    lines(QStringLiteral("objects"), rates.objects);
    lines(QStringLiteral("of these, would be detected alone"), rates.detectable);
    lines(QStringLiteral("detections"), rates.detections);
    return text;
}

QJsonObject withScene(const QJsonValue& value, const QString& sceneId) {
    QJsonObject json = value.toObject();
    json.insert(QStringLiteral("scene_id"), sceneId);
    return json;
}

QJsonObject metricsJson(std::vector<SceneScore> scores, const QString& title) {
    const MetricsReport report = buildReport({{title, {}, std::move(scores), 0.0, 0}}, {});
    QJsonObject metrics = toJson(report)
                              .value(QStringLiteral("pipelines"))
                              .toArray()
                              .at(0)
                              .toObject()
                              .value(QStringLiteral("metrics"))
                              .toObject();
    return metrics;
}

} // namespace

int runJudge(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("truth"), QStringLiteral("T"),
         QStringLiteral(
             "scenes with truth (a file, a folder, a list), or a table (CSV or FITS) with x, y, flux_<band> ...")},
        {QStringLiteral("result"), QStringLiteral("DIR"),
         QStringLiteral("a result folder, or one that holds the results of several scenes; without --truth, further "
                        "--result are compared with the first")},
        {QStringLiteral("reference"), QStringLiteral("R"),
         QStringLiteral(
             "without --truth: a sharper or deeper scene (with WCS), its result folder, or a catalogue with x, y "
             "of this scene's pixels or ra, dec, and flux or mag")},
        {QStringLiteral("reference-psf"), QStringLiteral("PSF"),
         QStringLiteral("of the reference scene: a FITS file or a FWHM")},
        {QStringLiteral("deeper"), {}, QStringLiteral("the reference would show everything that is there")},
        {QStringLiteral("injections"), QStringLiteral("I"),
         QStringLiteral(
             "without --truth: a scene that blend inject made of this one, or its judged result: blends near "
             "injected objects that were not recognized are suspected; several are added up")},
        {QStringLiteral("scene"), QStringLiteral("S"), QStringLiteral("the scene of the results, where it has moved")},
        {QStringLiteral("pipeline"), QStringLiteral("P"),
         QStringLiteral("the detector that looks at each object alone (default: the one that made the result)")},
        {QStringLiteral("realisations"), QStringLiteral("N"),
         QStringLiteral("also judge N further realisations of the noise, for probabilities")},
        {QStringLiteral("seed"), QStringLiteral("S"), QStringLiteral("of the noise that is drawn (default 1)")},
        {QStringLiteral("least-snr"), QStringLiteral("N"),
         QStringLiteral("fainter true objects count nowhere (default 1)")},
        {QStringLiteral("incomplete"),
         {},
         QStringLiteral("the scenes hold objects that truth does not name (default: found out)")},
        {QStringLiteral("complete"), {}, QStringLiteral("truth names every object")},
        {QStringLiteral("each"), {}, QStringLiteral("a scene for every object alone: slow, for checking")},
        {QStringLiteral("keep"), {}, QStringLiteral("leave the result folder as it is")},
        {QStringLiteral("snr"), QStringLiteral("N"),
         QStringLiteral("for the metrics: true objects count from this S/N on (default 10)")},
        {QStringLiteral("radius"), QStringLiteral("ARCSEC"),
         QStringLiteral("for the metrics: matching radius (default 1)")},
        {QStringLiteral("band"), QStringLiteral("B"),
         QStringLiteral("for the metrics: band of reference (default: the one nearest to 750 nm)")},
        {QStringLiteral("threads"), QStringLiteral("N"),
         QStringLiteral("at most N threads; the judgement does not depend on it")}};
    const std::vector<Arguments::Flag> sceneOptions = sceneFlags();
    flags.insert(flags.end(), sceneOptions.begin(), sceneOptions.end());
    Arguments arguments(
        QStringLiteral("judge"), {},
        QStringLiteral(
            "Says what became of every true object, detection and blend: recognized, unrecognized, shredded,\n"
            "merged or undetected, by running the same detector on each object alone in the same noise. Writes\n"
            "the outcomes into the result's catalogue, and judgement.json beside it.\n"
            "Without --truth outcomes are suspected, with their evidence, and written to suspicions.json: light that\n"
            "models leave over and counts that a method gives always, further results (--result again), a sharper\n"
            "or deeper reference (--reference) and injected objects (--injections) where they are given."),
        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (!arguments.has(QStringLiteral("truth"))) return runSuspect(arguments, console);
    const QString truth = arguments.required(QStringLiteral("truth")),
                  folder = arguments.required(QStringLiteral("result"));
    const OpenOptions open = openOptions(arguments);
    JudgeOptions options;
    options.realisations = arguments.integer(QStringLiteral("realisations"), 0, 0, 100000);
    options.seed = static_cast<std::uint64_t>(arguments.integer(QStringLiteral("seed"), 1, 0, 2147483647));
    options.leastSnr = arguments.real(QStringLiteral("least-snr"), options.leastSnr, 0.0, 1e9);
    options.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    if (arguments.has(QStringLiteral("incomplete"))) options.complete = false;
    if (arguments.has(QStringLiteral("complete"))) options.complete = true;
    if (arguments.has(QStringLiteral("each"))) options.isolation = JudgeOptions::Isolation::Each;
    if (arguments.has(QStringLiteral("pipeline")))
        options.pipeline = Pipeline::parse(arguments.value(QStringLiteral("pipeline")));
    ScoreOptions scoring;
    scoring.leastSnr = arguments.real(QStringLiteral("snr"), scoring.leastSnr, 0.0, 1e9);
    scoring.knownSnr = std::min(scoring.knownSnr, scoring.leastSnr);
    scoring.radiusArcsec = arguments.real(QStringLiteral("radius"), scoring.radiusArcsec, 0.0, 1e6);
    scoring.band = arguments.value(QStringLiteral("band"));
    const Registry registry;

    const QStringList folders = resultFolders(folder);
    std::optional<Table> table;
    std::vector<Case> cases;
    if (isTable(truth)) {
        table = readTruthTable(truth);
        if (folders.size() > 1 && !table->find(QStringLiteral("scene_id"))) {
            throw UsageError(
                QStringLiteral("the truth table has no column scene_id, but there are %1 results").arg(folders.size()));
        }
        for (const QString& one : folders) {
            cases.push_back({one, {}});
        }
    } else {
        cases = pairUp(folders, groupSceneFiles({truth}, open), console);
    }

    std::vector<Judgement> judgements;
    std::vector<SceneScore> scores;
    OutcomeRates rates;
    QStringList notes;
    int failures = 0;
    QString lastError;
    Progress overall(console.token());
    overall.begin(QStringLiteral("scenes"), static_cast<long long>(cases.size()));
    std::optional<Console::ProgressLine> overallLine;
    if (cases.size() > 1) overallLine.emplace(console, overall);
    for (const Case& one : cases) {
        Progress progress(console.token());
        std::optional<Console::ProgressLine> line;
        if (cases.size() == 1) line.emplace(console, progress);
        try {
            ScenePtr scene;
            if (table) {
                const ScenePtr parent = openSceneOfResult(one.folder, open);
                auto with = std::make_shared<Scene>(*parent);
                Truth own;
                own.objects = truthObjects(*table, with->bands, with->id);
                with->truth = std::move(own);
                scene = with;
            } else {
                const std::vector<ScenePtr> scenes = openScene(one.files, open);
                for (const ScenePtr& s : scenes) {
                    if (!scene && s->truth) scene = s;
                }
                if (!scene) throw ReadError(QStringLiteral("%1 has no truth").arg(one.files.id));
            }
            const ResultPtr result = readResult(*scene, one.folder);
            // What cannot be read would be written back as nothing.
            for (const QString& warning : result->warnings) {
                if (warning.startsWith(QStringLiteral("catalog.fits was not read"))) {
                    throw ReadError(QStringLiteral("%1: %2").arg(one.folder, warning));
                }
                // Of another size: a result of another scene.
                if (warning.startsWith(QStringLiteral("segmentation.fits was not read")) &&
                    warning.contains(QStringLiteral(", the scene "))) {
                    throw ReadError(QStringLiteral("%1 is not a result of %2: %3").arg(one.folder, scene->id, warning));
                }
                if (warning.startsWith(QStringLiteral("segmentation.fits was not read")))
                    notes << scene->id + QStringLiteral(": ") + warning;
            }
            const Judgement judgement = judge(*scene, *result, registry, progress, options);
            if (!arguments.has(QStringLiteral("keep"))) writeJudgement(judgement, *result, *scene, one.folder);
            rates.add(judgement);
            scores.push_back(scoreScene(*scene, *result, scoring));
            if (options.complete) scores.back().complete = *options.complete;
            addJudgement(scores.back(), judgement);
            judgements.push_back(judgement);
        } catch (const CancelledError&) {
            throw;
        } catch (const Error& e) {
            if (cases.size() == 1) throw;
            ++failures;
            lastError = e.message();
            console.note(QStringLiteral("blend: %1: %2").arg(QFileInfo(one.folder).fileName(), e.message()));
        }
        overall.advance();
    }
    overallLine.reset();
    if (judgements.empty()) throw Error(lastError);
    if (!arguments.has(QStringLiteral("keep"))) joinCatalogues(folder, folders);

    double seconds = 0.0;
    int isolated = 0;
    for (const Judgement& j : judgements) {
        seconds += j.seconds;
        isolated += j.isolatedScenes;
        for (const QString& note : j.notes) {
            const QString sentence = judgements.size() > 1 ? note : j.sceneId + QStringLiteral(": ") + note;
            if (!notes.contains(sentence)) notes << sentence;
        }
    }
    if (arguments.has(QStringLiteral("json"))) {
        QJsonObject json;
        if (judgements.size() == 1) {
            json = toJson(judgements.front());
        } else {
            QMap<QString, QJsonArray> lists;
            QStringList ids;
            for (const Judgement& j : judgements) {
                const QJsonObject own = toJson(j);
                ids << j.sceneId;
                for (const char* key : {"objects", "neighbours", "detections", "blends", "singles"}) {
                    for (const QJsonValue v : own.value(QLatin1String(key)).toArray()) {
                        lists[QLatin1String(key)].append(withScene(v, j.sceneId));
                    }
                }
            }
            for (const char* key : {"objects", "neighbours", "detections", "blends", "singles"}) {
                json.insert(QLatin1String(key), lists.value(QLatin1String(key)));
            }
            json.insert(QStringLiteral("scenes"), QJsonArray::fromStringList(ids));
            json.insert(QStringLiteral("isolated_scenes"), isolated);
            json.insert(QStringLiteral("seconds"), seconds);
        }
        json.insert(QStringLiteral("notes"), QJsonArray::fromStringList(notes));
        json.insert(QStringLiteral("failed"), failures);
        json.insert(QStringLiteral("rates"), toJson(rates));
        json.insert(QStringLiteral("metrics"), metricsJson(std::move(scores), QFileInfo(folder).fileName()));
        console.printJson(json);
    } else {
        QString text = QStringLiteral("%1 %2, %3 runs of the detector on objects alone, %4 s\n")
                           .arg(judgements.size())
                           .arg(judgements.size() == 1 ? QStringLiteral("scene") : QStringLiteral("scenes"))
                           .arg(isolated)
                           .arg(seconds, 0, 'f', 1);
        text += ratesText(rates);
        if (judgements.size() == 1 && judgements.front().blends.size() <= 60) {
            for (const BlendVerdict& b : judgements.front().blends) {
                if (b.isBlend())
                    text += QStringLiteral("blend %1, %2: %3\n").arg(b.id).arg(outcomeWord(b.outcome), b.words);
            }
        }
        for (const QString& note : std::as_const(notes)) {
            text += note + QLatin1Char('\n');
        }
        console.print(text.trimmed());
    }
    return failures > 0 ? 1 : 0;
}

} // namespace blendscope::cli
