#include "Trial.h"

#include "io/ResultFolder.h"
#include "io/SceneReader.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <chrono>

namespace blendscope::cli {

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TrialRun failed(TrialRun::End end, const QString& message, double seconds) {
    TrialRun out;
    out.end = end;
    out.message = message;
    out.seconds = seconds;
    return out;
}

} // namespace

TrialRun runApart(const Scene& scene, const Pipeline& pipeline, const CancelToken& token, int secondsAllowed) {
    const auto start = std::chrono::steady_clock::now();
    const QTemporaryDir dir;
    const QString path = dir.filePath(QStringLiteral("scene.fits"));
    const QString recipe = dir.filePath(QStringLiteral("pipeline.json")), out = dir.filePath(QStringLiteral("result"));
    try {
        writeScene(scene, path);
    } catch (const Error& e) {
        return failed(TrialRun::End::Refused, e.message(), secondsSince(start));
    }
    QFile file(recipe);
    if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(pipeline.toJson()).toJson()) < 0)
        return failed(TrialRun::End::Refused, file.errorString(), secondsSince(start));
    file.close();
    QProcess process;
    process.start(QCoreApplication::applicationFilePath(),
                  {QStringLiteral("run"), path, QStringLiteral("--pipeline"), recipe, QStringLiteral("--name"),
                   scene.id, QStringLiteral("--threads"), QStringLiteral("1"), QStringLiteral("--out"), out});
    while (!process.waitForFinished(100)) {
        if (process.state() == QProcess::NotRunning) break;
        if (!token.cancelled() && secondsSince(start) < secondsAllowed) continue;
        process.kill();
        process.waitForFinished(2000);
        token.check();
        return failed(TrialRun::End::TimedOut, QStringLiteral("stopped after %1 s").arg(secondsAllowed),
                      secondsSince(start));
    }
    const QString words = QString::fromUtf8(process.readAllStandardError()).trimmed().section(QLatin1Char('\n'), -1);
    if (process.exitStatus() != QProcess::NormalExit)
        return failed(TrialRun::End::Crashed, words.isEmpty() ? QStringLiteral("ended by a signal") : words,
                      secondsSince(start));
    if (process.exitCode() != 0)
        return failed(words.contains(QLatin1String("unexpected failure")) ? TrialRun::End::Crashed
                                                                          : TrialRun::End::Refused,
                      QString(words).remove(QStringLiteral("blend: ")), secondsSince(start));
    try {
        TrialRun done;
        done.result = readResult(scene, out);
        done.seconds = secondsSince(start);
        return done;
    } catch (const Error& e) {
        return failed(TrialRun::End::Crashed, e.message(), secondsSince(start));
    }
}

} // namespace blendscope::cli
