#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>
#include <QStringList>

namespace blendscope::test {

/// What a program said and how it ended.
struct Output {
    int code = -1; ///< its exit code; -2 where it crashed, -1 where it did not end
    QString out, error;
    [[nodiscard]] QJsonObject json() const;
    /// One sentence on standard error and nothing else: a failure as a person should see it.
    [[nodiscard]] bool oneLine() const;
};

/// Runs a program to its end.
[[nodiscard]] Output runProgram(const QString& program, const QStringList& arguments, int seconds = 300);
/// The command line of this build, and a run of it.
[[nodiscard]] QString blendProgram();
[[nodiscard]] Output blend(const QStringList& arguments);

/// The bytes of a file; empty where it cannot be read.
[[nodiscard]] QByteArray contents(const QString& path);

} // namespace blendscope::test
