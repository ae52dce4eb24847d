#include "Arguments.h"
#include "Console.h"
#include "SceneFlags.h"
#include "Verbs.h"

#include "io/SceneReader.h"
#include "simulate/Injector.h"
#include "simulate/Simulator.h"

#include <QJsonArray>

namespace blendscope::cli {

int runInject(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("recipe"), QStringLiteral("R"),
         QStringLiteral("what to put in: a recipe as for simulate (galaxies, stars, groups, objects)")},
        {QStringLiteral("seed"), QStringLiteral("S"), QStringLiteral("default 1")},
        {QStringLiteral("index"), QStringLiteral("I"), QStringLiteral("number of the draw of objects (default 0)")},
        {QStringLiteral("realization"), QStringLiteral("I"),
         QStringLiteral("number of the draw of the added light's noise (default 0)")},
        {QStringLiteral("threads"), QStringLiteral("N"),
         QStringLiteral("at most N threads; the scene does not depend on it")},
        {QStringLiteral("out"), QStringLiteral("SCENE2"), QStringLiteral("the new scene, .fits or .fits.gz")}};
    const std::vector<Arguments::Flag> scene = sceneFlags();
    flags.insert(flags.end(), scene.begin(), scene.end());
    Arguments arguments(QStringLiteral("inject"), QStringLiteral("SCENE"),
                        QStringLiteral("Puts simulated objects into a scene, through its own PSFs, with the noise of "
                                       "their light, and writes the scene with their truth."),
                        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().isEmpty()) throw UsageError(QStringLiteral("blend inject needs a scene"));
    const int seed = arguments.integer(QStringLiteral("seed"), 1, 0, 2147483647);
    const int index = arguments.integer(QStringLiteral("index"), 0, 0, 2147483647);
    const int realization = arguments.integer(QStringLiteral("realization"), 0, 0, 2147483647);
    const int threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    const QString out = arguments.required(QStringLiteral("out"));
    const QJsonObject recipe = loadRecipe(arguments.required(QStringLiteral("recipe")));

    Progress progress(console.token());
    const Console::ProgressLine line(console, progress, QString());
    const std::vector<ScenePtr> scenes = openScenes(arguments.words(), openOptions(arguments), &progress);
    if (scenes.size() != 1) {
        throw UsageError(QStringLiteral("blend inject takes one scene, these files hold %1").arg(scenes.size()));
    }
    const Injector injector(scenes.front());
    const std::vector<Galaxy> objects = injector.objects(recipe, static_cast<std::uint64_t>(seed), index);
    if (objects.empty()) throw UsageError(QStringLiteral("the recipe has no objects for this scene"));
    const ScenePtr made = injector.inject(objects, static_cast<std::uint64_t>(seed), realization, &progress, threads);
    writeScene(*made, out);

    QJsonArray rows;
    for (const TruthObject& o : made->truth->objects) {
        if (o.columns.value(QStringLiteral("injected")) != 1.0) continue;
        rows.append(QJsonObject{{QStringLiteral("id"), o.id},
                                {QStringLiteral("kind"), o.kind},
                                {QStringLiteral("x"), o.x},
                                {QStringLiteral("y"), o.y},
                                {QStringLiteral("snr_det"), o.columns.value(QStringLiteral("snr_det"))}});
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("scene_id"), made->id},
                           {QStringLiteral("path"), out},
                           {QStringLiteral("seed"), seed},
                           {QStringLiteral("injected"), rows}});
    } else {
        console.print(QStringLiteral("%1: %2 objects injected").arg(out).arg(rows.size()));
    }
    return 0;
}

} // namespace blendscope::cli
