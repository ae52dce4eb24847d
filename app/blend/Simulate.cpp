#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "io/SceneReader.h"
#include "simulate/Simulator.h"

#include <QDir>
#include <QJsonArray>

namespace blendscope::cli {

int runSimulate(const QStringList& words, Console& console) {
    Arguments arguments(
        QStringLiteral("simulate"), QStringLiteral("RECIPE"),
        QStringLiteral("Draws scenes with truth. The same recipe and seed give the same scenes.\n"
                       "RECIPE: %1, or a JSON file.")
            .arg(recipeNames().join(QStringLiteral(", "))),
        {{QStringLiteral("count"), QStringLiteral("N"), QStringLiteral("how many scenes (default 1)")},
         {QStringLiteral("seed"), QStringLiteral("S"), QStringLiteral("default 1")},
         {QStringLiteral("first"), QStringLiteral("I"), QStringLiteral("number of the first scene (default 0)")},
         {QStringLiteral("threads"), QStringLiteral("N"),
          QStringLiteral("at most N threads; the scenes do not depend on it")},
         {QStringLiteral("plain"), {}, QStringLiteral("write .fits, not .fits.gz")},
         {QStringLiteral("out"), QStringLiteral("DIR"), QStringLiteral("folder for the scenes")}});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().size() != 1) throw UsageError(QStringLiteral("blend simulate needs one recipe, as demo"));
    const int count = arguments.integer(QStringLiteral("count"), 1, 1, 1000000);
    const int seed = arguments.integer(QStringLiteral("seed"), 1, 0, 2147483647);
    const int first = arguments.integer(QStringLiteral("first"), 0, 0, 2147483647 - count);
    const int threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    const QDir dir(arguments.required(QStringLiteral("out")));
    const QJsonObject recipe = loadRecipe(arguments.words().first());
    if (!QDir().mkpath(dir.path())) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(dir.path()));

    QJsonArray scenes;
    for (int i = first; i < first + count; ++i) {
        Progress progress(console.token());
        const Console::ProgressLine line(console, progress,
                                         count > 1 ? QStringLiteral("scene %1 of %2: ").arg(i - first + 1).arg(count)
                                                   : QString());
        const ScenePtr scene = simulateScene(recipe, static_cast<std::uint64_t>(seed), i, &progress, threads);
        const QString ending =
            arguments.has(QStringLiteral("plain")) ? QStringLiteral(".fits") : QStringLiteral(".fits.gz");
        const QString path = dir.filePath(scene->id + ending);
        writeScene(*scene, path);
        const int objects = scene->truth ? static_cast<int>(scene->truth->objects.size()) : 0;
        scenes.append(QJsonObject{{QStringLiteral("scene_id"), scene->id},
                                  {QStringLiteral("path"), path},
                                  {QStringLiteral("objects"), objects}});
        if (!arguments.has(QStringLiteral("json"))) {
            console.print(QStringLiteral("%1: %2 objects on %3 x %4 pixels")
                              .arg(path)
                              .arg(objects)
                              .arg(scene->size.width)
                              .arg(scene->size.height));
        }
    }
    if (arguments.has(QStringLiteral("json")))
        console.printJson({{QStringLiteral("seed"), seed}, {QStringLiteral("scenes"), scenes}});
    return 0;
}

} // namespace blendscope::cli
