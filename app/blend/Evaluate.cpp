#include "Arguments.h"
#include "Console.h"
#include "SceneFlags.h"
#include "Verbs.h"

#include "judge/Recovery.h"
#include "method/Pipeline.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <chrono>
#include <cmath>

namespace blendscope::cli {

namespace {

struct Contender {
    QString name;
    Pipeline pipeline;
    RecoveryTally tally;
    double seconds = 0.0;
    int failures = 0;
};

void writeText(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

QString number(double v, int digits) {
    return std::isfinite(v) ? QString::number(v, 'f', digits) : QString();
}

QString cell(double v, int digits, int width) {
    return (std::isfinite(v) ? QString::number(v, 'f', digits) : QStringLiteral("-")).rightJustified(width);
}

/// One row a truth object and pipeline; bands that a scene lacks stay empty.
QByteArray matchesCsv(const std::vector<Contender>& contenders) {
    QStringList bands;
    for (const Contender& c : contenders) {
        for (size_t i = 0; i < c.tally.matches().size(); ++i) {
            for (const QString& name : c.tally.bandsOf(i)) {
                if (!bands.contains(name)) bands << name;
            }
        }
    }
    QStringList header = {QStringLiteral("scene_id"), QStringLiteral("pipeline"), QStringLiteral("truth_id"),
                          QStringLiteral("kind"),     QStringLiteral("x"),        QStringLiteral("y"),
                          QStringLiteral("id"),       QStringLiteral("distance"), QStringLiteral("flags")};
    for (const QString& b : bands) {
        header << QStringLiteral("true_mag_") + b << QStringLiteral("mag_") + b << QStringLiteral("true_flux_") + b
               << QStringLiteral("flux_") + b << QStringLiteral("flux_err_") + b;
    }
    QStringList lines = {header.join(QLatin1Char(','))};
    for (const Contender& c : contenders) {
        for (size_t i = 0; i < c.tally.matches().size(); ++i) {
            const RecoveryMatch& m = c.tally.matches()[i];
            QStringList row = {m.sceneId,
                               c.name,
                               QString::number(m.truthId),
                               m.kind,
                               number(m.x, 3),
                               number(m.y, 3),
                               m.objectId > 0 ? QString::number(m.objectId) : QString(),
                               number(m.distancePixels, 3),
                               flagWords(m.flags)};
            for (const QString& b : bands) {
                const auto place = c.tally.bandsOf(i).indexOf(b);
                const RecoveryMatch::BandValue v =
                    place >= 0 ? m.bands[static_cast<size_t>(place)] : RecoveryMatch::BandValue{};
                row << number(v.trueMagnitude, 4) << number(v.magnitude, 4);
                for (const double flux : {v.trueFlux, v.flux, v.fluxErr}) {
                    row << (std::isfinite(flux) ? QString::number(flux, 'g', 7) : QString());
                }
            }
            lines << row.join(QLatin1Char(','));
        }
    }
    return (lines.join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8();
}

QString statisticsLine(const QString& label, const RecoveryStatistics& s) {
    return QStringLiteral("  %1%2%3%4%5%6%7")
        .arg(label.leftJustified(12), cell(s.truths, 0, 7), cell(s.recovered, 0, 11), cell(s.bias, 3, 9),
             cell(s.scatter, 3, 9), cell(s.within20, 2, 9), cell(s.pull, 2, 7));
}

QString report(const Contender& c) {
    const RecoverySummary s = c.tally.summary();
    QString text = QStringLiteral("%1: %2 of %3 true objects recovered (%4 %) in %5 scenes, %6 detections, "
                                  "median distance %7 px, %8 s\n")
                       .arg(c.name)
                       .arg(s.recovered)
                       .arg(s.truths)
                       .arg(s.truths ? 100.0 * s.recovered / s.truths : 0.0, 0, 'f', 1)
                       .arg(s.scenes)
                       .arg(s.detections)
                       .arg(cell(s.medianDistancePixels, 2, 0).trimmed())
                       .arg(c.seconds, 0, 'f', 1);
    text += QStringLiteral("  band, mag     truths  recovered     bias  scatter  in 20 %   pull\n");
    for (const RecoveryBand& band : s.bands) {
        text += statisticsLine(band.band, band.all) + QLatin1Char('\n');
        for (const RecoveryStatistics& bin : band.bins) {
            const QString label = QStringLiteral("  %1-%2").arg(bin.bright, 0, 'f', 1).arg(bin.faint, 0, 'f', 1);
            text += statisticsLine(label, bin) + QLatin1Char('\n');
        }
    }
    return text;
}

} // namespace

int runEvaluate(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("scenes"), QStringLiteral("DIR"),
         QStringLiteral("scenes with truth: a folder, a file or a list (repeatable)")},
        {QStringLiteral("pipeline"), QStringLiteral("P"),
         QStringLiteral("a JSON file, or methods joined by + (repeatable; default threshold+factorize)")},
        {QStringLiteral("set"), QStringLiteral("METHOD.KEY=VALUE"),
         QStringLiteral("a parameter, for every pipeline that has the method (repeatable)")},
        {QStringLiteral("at-truth"), {}, QStringLiteral("deblend at the true positions instead of those detected")},
        {QStringLiteral("snr"), QStringLiteral("N"),
         QStringLiteral("leave out true objects whose snr_det is below N (default 0)")},
        {QStringLiteral("radius"), QStringLiteral("ARCSEC"),
         QStringLiteral("matching radius is the larger of this (default 0.4) and half a PSF FWHM")},
        {QStringLiteral("bin"), QStringLiteral("MAG"), QStringLiteral("width of the magnitude bins (default 1)")},
        {QStringLiteral("threads"), QStringLiteral("N"),
         QStringLiteral("at most N threads; the result does not depend on it")},
        {QStringLiteral("out"), QStringLiteral("DIR"),
         QStringLiteral("folder for matches.csv, evaluation.json and report.txt")}};
    const std::vector<Arguments::Flag> scene = sceneFlags();
    flags.insert(flags.end(), scene.begin(), scene.end());
    Arguments arguments(QStringLiteral("evaluate"), QStringLiteral("[SCENE...]"),
                        QStringLiteral("Runs pipelines on scenes with truth and reports how many true objects are\n"
                                       "recovered, and the bias and scatter of their magnitudes (measured - true)."),
                        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    const QStringList paths = arguments.values(QStringLiteral("scenes")) + arguments.words();
    if (paths.isEmpty()) throw UsageError(QStringLiteral("blend evaluate needs --scenes"));
    const QDir out(arguments.required(QStringLiteral("out")));
    const OpenOptions open = openOptions(arguments);
    RecoveryOptions options;
    options.leastSnr = arguments.real(QStringLiteral("snr"), 0.0, 0.0, 1e9);
    options.radiusArcsec = arguments.real(QStringLiteral("radius"), options.radiusArcsec, 0.0, 1e6);
    options.binMagnitudes = arguments.real(QStringLiteral("bin"), options.binMagnitudes, 0.05, 50.0);
    options.byPosition = arguments.has(QStringLiteral("at-truth"));
    RunOptions run;
    run.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    run.usePositions = options.byPosition;

    const Registry registry;
    QStringList pipelines = arguments.values(QStringLiteral("pipeline"));
    if (pipelines.isEmpty()) pipelines << QStringLiteral("threshold+factorize");
    std::vector<Contender> contenders;
    QStringList used;
    for (const QString& text : pipelines) {
        Contender c{QFileInfo(text).isFile() ? QFileInfo(text).completeBaseName() : text, Pipeline::parse(text),
                    RecoveryTally(options)};
        for (const Contender& other : contenders) {
            if (other.name == c.name) throw UsageError(QStringLiteral("two pipelines are named \"%1\"").arg(c.name));
        }
        for (const QString& assignment : arguments.values(QStringLiteral("set"))) {
            const QString method = assignment.section(QLatin1Char('.'), 0, 0);
            for (const Pipeline::Stage& stage : c.pipeline.stages) {
                if (stage.method != method) continue;
                c.pipeline.set(assignment);
                used << assignment;
                break;
            }
        }
        for (const Pipeline::Stage& stage : c.pipeline.stages) {
            (void)registry.create(stage.method);
        }
        contenders.push_back(std::move(c));
    }
    for (const QString& assignment : arguments.values(QStringLiteral("set"))) {
        if (!used.contains(assignment)) throw UsageError(QStringLiteral("no pipeline takes --set %1").arg(assignment));
    }
    const std::vector<SceneFiles> groups = groupSceneFiles(paths, open);
    if (!QDir().mkpath(out.path())) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(out.path()));

    int withoutTruth = 0, withTruth = 0;
    {
        Progress overall(console.token());
        overall.begin(QStringLiteral("scenes"), static_cast<long long>(groups.size()));
        const Console::ProgressLine line(console, overall);
        for (const SceneFiles& files : groups) {
            std::vector<ScenePtr> scenes;
            try {
                scenes = openScene(files, open);
            } catch (const ReadError& e) {
                console.note(QStringLiteral("blend: %1: %2").arg(files.id, e.message()));
            }
            for (const ScenePtr& s : scenes) {
                if (!s->truth || s->truth->objects.empty()) {
                    ++withoutTruth;
                    continue;
                }
                ++withTruth;
                run.positions.clear();
                for (const TruthObject& t : s->truth->objects) {
                    run.positions.push_back({t.x, t.y});
                }
                for (Contender& c : contenders) {
                    Progress progress(console.token());
                    const auto start = std::chrono::steady_clock::now();
                    try {
                        const ResultPtr result = runPipeline(*s, c.pipeline, registry, progress, run);
                        progress.check();
                        c.tally.add(*s, *result);
                    } catch (const CancelledError&) {
                        throw;
                    } catch (const Error& e) {
                        ++c.failures;
                        // A scene on which a method fails counts as one without detections.
                        c.tally.add(*s, Result{});
                        console.note(QStringLiteral("blend: %1, %2: %3").arg(s->id, c.name, e.message()));
                    }
                    c.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
                }
            }
            overall.advance();
        }
    }
    if (withTruth == 0) {
        throw ReadError(QStringLiteral("none of %1 scenes has a truth table").arg(std::max<size_t>(groups.size(), 1)));
    }

    QString text;
    QJsonArray results;
    int failures = 0;
    for (const Contender& c : contenders) {
        text += report(c) + QLatin1Char('\n');
        QJsonObject json = toJson(c.tally.summary());
        json.insert(QStringLiteral("pipeline"), c.name);
        json.insert(QStringLiteral("definition"), c.pipeline.toJson());
        json.insert(QStringLiteral("seconds"), c.seconds);
        json.insert(QStringLiteral("failed"), c.failures);
        results.append(json);
        failures += c.failures;
    }
    const QJsonObject json{
        {QStringLiteral("radius_arcsec"), options.radiusArcsec}, {QStringLiteral("radius_fwhm"), options.radiusFwhm},
        {QStringLiteral("least_snr"), options.leastSnr},         {QStringLiteral("at_truth"), options.byPosition},
        {QStringLiteral("without_truth"), withoutTruth},         {QStringLiteral("pipelines"), results}};
    writeText(out.filePath(QStringLiteral("matches.csv")), matchesCsv(contenders));
    writeText(out.filePath(QStringLiteral("report.txt")), text.toUtf8());
    writeText(out.filePath(QStringLiteral("evaluation.json")), QJsonDocument(json).toJson());
    if (withoutTruth > 0)
        console.note(QStringLiteral("blend: %1 scenes have no truth and were left out").arg(withoutTruth));
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson(json);
    } else {
        console.print(text.trimmed());
    }
    return failures > 0 ? 1 : 0;
}

} // namespace blendscope::cli
