#include "Suspect.h"

#include "Console.h"
#include "SceneFlags.h"

#include "io/ResultFolder.h"
#include "io/SceneNames.h"
#include "io/TruthTable.h"
#include "judge/Judge.h"
#include "judge/Suspicion.h"
#include "method/Pipeline.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <cmath>

namespace blendscope::cli {

namespace {

/// Rows of a catalogue in the scene's pixels: x and y, or ra and dec by its WCS. Flux is the first column of fluxes, or
/// from the first of magnitudes.
std::vector<ReferenceObject> catalogueReference(const QString& path, const Scene& scene) {
    QFile file(path);
    if (!looksLikeFits(path) && !file.open(QIODevice::ReadOnly)) {
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    }
    const Table table = looksLikeFits(path) ? readTruthTable(path) : parseCsv(file.readAll());
    const TableColumn *x = table.find(QStringLiteral("x")), *y = table.find(QStringLiteral("y"));
    const TableColumn *ra = table.find(QStringLiteral("ra")), *dec = table.find(QStringLiteral("dec"));
    const bool sky = ra && dec && scene.wcs.isValid();
    if (!sky && !(x && y)) {
        throw ReadError(
            QStringLiteral("%1 has no columns ra and dec (with a WCS in the scene), nor x and y").arg(path));
    }
    const TableColumn *flux = nullptr, *magnitude = nullptr, *error = nullptr, *significance = nullptr;
    for (const TableColumn& c : table.columns) {
        const QString name = c.name.toLower();
        if (name == QLatin1String("significance") || name == QLatin1String("snr")) significance = &c;
        if (name.startsWith(QLatin1String("flux_err"))) {
            if (!error) error = &c;
        } else if (name == QLatin1String("flux") ||
                   (name.startsWith(QLatin1String("flux_")) && !name.contains(QLatin1String("radius")))) {
            if (!flux) flux = &c;
        } else if (name.startsWith(QLatin1String("mag")) && !name.contains(QLatin1String("err"))) {
            if (!magnitude) magnitude = &c;
        }
    }
    std::vector<ReferenceObject> list;
    for (qsizetype i = 0; i < table.rows(); ++i) {
        ReferenceObject r;
        r.row = static_cast<int>(i) + 1;
        if (sky) {
            const auto pixel = scene.wcs.toPixel({ra->number(i), dec->number(i)});
            if (!pixel) continue;
            r.x = pixel->x;
            r.y = pixel->y;
        } else {
            r.x = x->number(i);
            r.y = y->number(i);
        }
        if (!std::isfinite(r.x) || !std::isfinite(r.y)) continue;
        if (flux) {
            r.flux = flux->number(i);
        } else if (magnitude) {
            r.flux = std::pow(10.0, -0.4 * magnitude->number(i));
        }
        if (significance) {
            r.significance = significance->number(i);
        } else if (flux && error) {
            r.significance = r.flux / error->number(i);
        }
        list.push_back(r);
    }
    return list;
}

/// What became of objects injected into copies of the scene: a judged result of one, or its scene, which the pipeline
/// of the suspected result then looks at.
void addInjections(Judgement& all, const QString& path, const Scene& scene, const Result& result,
                   const Arguments& arguments, Progress& progress) {
    const auto add = [&](const Judgement& one) {
        all.objects.insert(all.objects.end(), one.objects.begin(), one.objects.end());
    };
    if (isResultFolder(path)) {
        QFile file(QDir(path).filePath(QStringLiteral("judgement.json")));
        if (!file.open(QIODevice::ReadOnly)) {
            throw ReadError(
                QStringLiteral("%1 was not judged yet: blend judge --truth SCENE2 --result %1 does it").arg(path));
        }
        add(judgementFromJson(QJsonDocument::fromJson(file.readAll()).object()));
        return;
    }
    const Registry registry;
    const Pipeline pipeline = arguments.has(QStringLiteral("pipeline"))
                                  ? Pipeline::parse(arguments.value(QStringLiteral("pipeline")))
                                  : Pipeline::fromJson(result.pipeline);
    for (const ScenePtr& injected : openScenes({path}, openOptions(arguments), &progress)) {
        if (!injected->truth || injected->truth->objects.empty())
            throw UsageError(QStringLiteral("%1 says of no object that it was injected").arg(path));
        if (injected->size != scene.size)
            throw UsageError(QStringLiteral("%1 has another size than %2: objects were injected into another scene")
                                 .arg(path, scene.id));
        const ResultPtr seen = runPipeline(*injected, pipeline, registry, progress);
        progress.check();
        JudgeOptions options;
        options.complete = false;
        options.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
        add(judge(*injected, *seen, registry, progress, options));
    }
}

QString textOf(const std::vector<Suspicion>& list) {
    QMap<QString, int> counts;
    for (const Suspicion& s : list) {
        ++counts[QStringLiteral("suspected %1, by %2").arg(outcomeWord(s.outcome), evidenceWord(s.evidence))];
    }
    QString text;
    for (auto it = counts.begin(); it != counts.end(); ++it) {
        text += QStringLiteral("%1 %2\n").arg(it.value()).arg(it.key());
    }
    int shown = 0;
    for (const Suspicion& s : list) {
        if (++shown > 20) {
            text += QStringLiteral("... and %1 more in suspicions.json\n").arg(list.size() - 20);
            break;
        }
        text += QStringLiteral("x %1 y %2, %3 (%4): %5\n")
                    .arg(s.x, 0, 'f', 1)
                    .arg(s.y, 0, 'f', 1)
                    .arg(outcomeWord(s.outcome))
                    .arg(s.strength, 0, 'f', 2)
                    .arg(s.words);
    }
    return text;
}

} // namespace

int runSuspect(const Arguments& arguments, Console& console) {
    const QStringList folders = arguments.values(QStringLiteral("result"));
    if (folders.isEmpty())
        throw UsageError(QStringLiteral("blend judge needs --result, and --truth or evidence to go by"));
    const OpenOptions open = openOptions(arguments);
    SuspicionOptions options;
    options.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    Progress progress(console.token());
    const Console::ProgressLine line(console, progress);

    const ScenePtr scene =
        openSceneOfResult(folders.front(), open, arguments.value(QStringLiteral("scene")), &progress);
    const ResultPtr result = readResult(*scene, folders.front());
    for (const QString& warning : result->warnings) {
        if (warning.startsWith(QStringLiteral("catalog.fits was not read"))) {
            throw ReadError(QStringLiteral("%1: %2").arg(folders.front(), warning));
        }
    }
    std::vector<Suspicion> all = suspectResiduals(*scene, *result, progress, options);
    const auto add = [&all](const std::vector<Suspicion>& more) { all.insert(all.end(), more.begin(), more.end()); };
    add(suspectByCounts(*scene, *result, options));
    for (qsizetype i = 1; i < folders.size(); ++i) {
        const ResultPtr other = readResult(*scene, folders[i]);
        add(suspectDisagreement(*scene, *result, *other, QFileInfo(folders[i]).fileName(), options));
    }
    QStringList notes;
    if (arguments.has(QStringLiteral("injections"))) {
        Judgement injected;
        for (const QString& path : arguments.values(QStringLiteral("injections"))) {
            addInjections(injected, path, *scene, *result, arguments, progress);
        }
        int alone = 0, recognized = 0;
        for (const TruthVerdict& t : injected.objects) {
            if (!t.known || !t.detectedAlone) continue;
            ++alone;
            recognized += t.outcome == Outcome::Recognized;
        }
        notes << QStringLiteral("of %1 injected objects that would be detected alone %2 were recognized")
                     .arg(alone)
                     .arg(recognized);
        add(suspectByInjections(*scene, *result, injected, options));
    }
    if (arguments.has(QStringLiteral("reference"))) {
        const QString path = arguments.value(QStringLiteral("reference"));
        const QString name = QFileInfo(path).completeBaseName();
        const bool deeper = arguments.has(QStringLiteral("deeper"));
        std::vector<ReferenceObject> reference;
        PixelPosition offset{0.0, 0.0};
        if (isResultFolder(path)) {
            const ScenePtr sharper = openSceneOfResult(path, {}, {}, &progress);
            reference = referenceOf(*scene, *result, *sharper, *readResult(*sharper, path), &offset);
        } else {
            OpenOptions how;
            if (arguments.has(QStringLiteral("reference-psf")))
                how.psf.insert(QString(), arguments.value(QStringLiteral("reference-psf")));
            std::vector<ScenePtr> scenes;
            if (looksLikeFits(path) || QFileInfo(path).isDir()) {
                try {
                    scenes = openScenes({path}, how, &progress);
                } catch (const ReadError&) {
                    // No image in it: a catalogue.
                }
            }
            if (scenes.empty()) {
                reference = catalogueReference(path, *scene);
            } else {
                const Pipeline pipeline =
                    Pipeline::parse(arguments.value(QStringLiteral("pipeline"), QStringLiteral("threshold+partition")));
                const ResultPtr seen = runPipeline(*scenes.front(), pipeline, Registry(), progress);
                reference = referenceOf(*scene, *result, *scenes.front(), *seen, &offset);
            }
        }
        if (offset.x != 0.0 || offset.y != 0.0) {
            notes << QStringLiteral("the reference was shifted by %1, %2 pixels onto the detections")
                         .arg(offset.x, 0, 'f', 2)
                         .arg(offset.y, 0, 'f', 2);
        }
        notes << QStringLiteral("%1 has %2 objects").arg(name).arg(reference.size());
        add(suspectByReference(*scene, *result, reference, name, deeper, options));
    }
    progress.check();
    QJsonObject json = toJson(all);
    json.insert(QStringLiteral("scene_id"), scene->id);
    json.insert(QStringLiteral("notes"), QJsonArray::fromStringList(notes));
    if (!arguments.has(QStringLiteral("keep"))) {
        QSaveFile file(QDir(folders.front()).filePath(QStringLiteral("suspicions.json")));
        const QByteArray bytes = QJsonDocument(json).toJson();
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
            throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(file.fileName(), file.errorString()));
        }
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson(json);
    } else {
        console.print(textOf(all) + notes.join(QLatin1Char('\n')));
    }
    return 0;
}

} // namespace blendscope::cli
