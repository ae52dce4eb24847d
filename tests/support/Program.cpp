#include "support/Program.h"

#include <QFile>
#include <QJsonDocument>
#include <QProcess>

namespace blendscope::test {

QJsonObject Output::json() const {
    return QJsonDocument::fromJson(out.toUtf8()).object();
}

bool Output::oneLine() const {
    return error.count(QLatin1Char('\n')) == 1 && out.isEmpty();
}

Output runProgram(const QString& program, const QStringList& arguments, int seconds) {
    QProcess process;
    process.start(program, arguments);
    Output output;
    if (!process.waitForFinished(1000 * seconds)) return output;
    output.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2;
    output.out = QString::fromUtf8(process.readAllStandardOutput());
    output.error = QString::fromUtf8(process.readAllStandardError());
    return output;
}

QString blendProgram() {
    return QStringLiteral(BLENDSCOPE_BINARY_DIR "/bin/blend");
}

Output blend(const QStringList& arguments) {
    return runProgram(blendProgram(), arguments);
}

QByteArray contents(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace blendscope::test
