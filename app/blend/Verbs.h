#pragma once

#include <QStringList>

namespace blendscope::cli {

class Console;

/// One file a verb. `arguments` are those after the verb; the return value is the exit code; throws Error, which Main
/// turns into one line and exit code 2 (UsageError) or 1.
int runInfo(const QStringList& arguments, Console& console);
int runMethods(const QStringList& arguments, Console& console);
int runRun(const QStringList& arguments, Console& console);
int runSimulate(const QStringList& arguments, Console& console);
int runInject(const QStringList& arguments, Console& console);
int runJudge(const QStringList& arguments, Console& console);
int runEvaluate(const QStringList& arguments, Console& console);
int runRender(const QStringList& arguments, Console& console);
int runMerge(const QStringList& arguments, Console& console);
int runTrust(const QStringList& arguments, Console& console);
int runTrain(const QStringList& arguments, Console& console);
int runBench(const QStringList& arguments, Console& console);

} // namespace blendscope::cli
