#include "Arguments.h"
#include "Console.h"
#include "SceneFlags.h"
#include "Verbs.h"

#include "figure/BlendFigure.h"
#include "figure/FigureFile.h"
#include "figure/SceneFigure.h"
#include "io/ResultFolder.h"

#include <algorithm>

namespace blendscope::cli {

namespace {

struct Subject {
    ScenePtr scene;
    ResultPtr result; ///< null for a bare scene
};

ScenePtr onlyScene(const QStringList& paths, const OpenOptions& options, const QString& id, Progress& progress) {
    const std::vector<ScenePtr> scenes = openScenes(paths, options, &progress);
    for (const ScenePtr& scene : scenes) {
        if (scene->id == id) return scene;
    }
    if (scenes.empty())
        throw ReadError(QStringLiteral("there is no scene in %1").arg(paths.join(QStringLiteral(", "))));
    if (scenes.size() > 1) {
        throw UsageError(QStringLiteral("blend render shows one scene, but there are %1").arg(scenes.size()));
    }
    return scenes.front();
}

Subject openSubject(const QString& path, const Arguments& arguments, Progress& progress) {
    const OpenOptions options = openOptions(arguments);
    if (!isResultFolder(path)) return {onlyScene({path}, options, options.name, progress), nullptr};
    const ScenePtr scene = openSceneOfResult(path, options, arguments.value(QStringLiteral("scene")), &progress);
    return {scene, readResult(*scene, path)};
}

int bandOf(const Scene& scene, const QString& name) {
    const int index = scene.bandIndex(name);
    if (index < 0) {
        throw UsageError(
            QStringLiteral("no band \"%1\"; there are %2").arg(name, scene.bandNames().join(QStringLiteral(", "))));
    }
    return index;
}

/// The default colours with a chosen band for each channel, each as strong as it is by default.
RgbSettings chosenRgb(const Scene& scene, const QStringList& names) {
    if (names.size() != 3) throw UsageError(QStringLiteral("--rgb wants three bands: red, green, blue, as i,r,g"));
    Scene three = scene;
    three.bands.clear();
    std::vector<size_t> index;
    for (const QString& name : names) {
        index.push_back(static_cast<size_t>(bandOf(scene, name.trimmed())));
        three.bands.push_back(scene.bands[index.back()]);
    }
    const RgbSettings base = defaultRgb(three);
    RgbSettings chosen = base;
    chosen.level.assign(scene.bands.size(), 0.0f);
    for (size_t c = 0; c < 3; ++c) {
        float strength = 0.0f;
        for (size_t channel = 0; channel < 3; ++channel) {
            strength = std::max(strength, base.weights[channel][c]);
        }
        chosen.weights[c].assign(scene.bands.size(), 0.0f);
        chosen.weights[c][index[c]] = strength;
        chosen.level[index[c]] = base.level[c];
    }
    return chosen;
}

Box parseRegion(const QString& text) {
    const QStringList parts = text.split(QLatin1Char(','));
    bool ok = parts.size() == 4;
    int v[4] = {};
    for (qsizetype i = 0; ok && i < 4; ++i) {
        v[i] = parts[i].trimmed().toInt(&ok);
    }
    if (!ok || v[2] < 1 || v[3] < 1)
        throw UsageError(QStringLiteral("--region is \"%1\", wanted x0,y0,width,height").arg(text));
    return {v[0], v[1], v[2], v[3]};
}

} // namespace

int runRender(const QStringList& words, Console& console) {
    std::vector<Arguments::Flag> flags = {
        {QStringLiteral("out"), QStringLiteral("FILE"), QStringLiteral("the picture: .png, .jpg, .svg or .pdf")},
        {QStringLiteral("band"), QStringLiteral("BAND"), QStringLiteral("one band in grey")},
        {QStringLiteral("rgb"), QStringLiteral("R,G,B"),
         QStringLiteral("bands for red, green and blue (default: by wavelength)")},
        {QStringLiteral("region"), QStringLiteral("X0,Y0,W,H"), QStringLiteral("a part of the scene, pixels")},
        {QStringLiteral("zoom"), QStringLiteral("Z"),
         QStringLiteral("picture pixels an image pixel (default: about 1000 in all)")},
        {QStringLiteral("overlay"), QStringLiteral("LIST"),
         QStringLiteral("of seg,peaks,ellipses,truth, or none (default: seg,ellipses for a result, none for a scene)")},
        {QStringLiteral("blend"), QStringLiteral("ID"),
         QStringLiteral("one blend of a result: data, model, residual, each component, spectra")},
        {QStringLiteral("scene"), QStringLiteral("SCENE"),
         QStringLiteral("the scene of a result, where its files have moved")}};
    const std::vector<Arguments::Flag> scene = sceneFlags();
    flags.insert(flags.end(), scene.begin(), scene.end());
    Arguments arguments(
        QStringLiteral("render"), QStringLiteral("SCENE|DIR"),
        QStringLiteral("Draws a scene, or what was found in it (DIR: a result folder), as the window shows it."),
        flags);
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().size() != 1)
        throw UsageError(QStringLiteral("blend render needs one scene or result folder"));
    const QString out = arguments.required(QStringLiteral("out"));
    if (arguments.has(QStringLiteral("band")) && arguments.has(QStringLiteral("rgb"))) {
        throw UsageError(QStringLiteral("--band and --rgb exclude each other"));
    }
    SceneFigureOptions options;
    options.zoom = arguments.real(QStringLiteral("zoom"), 0.0, 0.001, 200.0);
    if (arguments.has(QStringLiteral("region")))
        options.region = parseRegion(arguments.value(QStringLiteral("region")));

    Progress progress(console.token());
    const Subject subject = openSubject(arguments.words().first(), arguments, progress);
    const QString overlay = arguments.value(QStringLiteral("overlay"),
                                            subject.result ? QStringLiteral("seg,ellipses") : QStringLiteral("none"));
    for (const QString& name : overlay.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        if (name == QLatin1String("seg")) {
            options.masks = true;
        } else if (name == QLatin1String("peaks")) {
            options.peaks = true;
        } else if (name == QLatin1String("ellipses")) {
            options.ellipses = true;
        } else if (name == QLatin1String("truth")) {
            options.truth = true;
        } else if (name != QLatin1String("none")) {
            throw UsageError(
                QStringLiteral("--overlay has \"%1\", wanted seg, peaks, ellipses, truth or none").arg(name));
        }
    }
    if ((options.masks || options.peaks || options.ellipses) && !subject.result) {
        throw UsageError(QStringLiteral("--overlay %1 needs a result folder, this is a scene").arg(overlay));
    }
    if (options.truth && !subject.scene->truth)
        throw UsageError(QStringLiteral("the scene %1 has no truth").arg(subject.scene->id));
    if (arguments.has(QStringLiteral("band"))) {
        options.band = bandOf(*subject.scene, arguments.value(QStringLiteral("band")));
    } else if (arguments.has(QStringLiteral("rgb"))) {
        options.rgb = chosenRgb(*subject.scene, arguments.value(QStringLiteral("rgb")).split(QLatin1Char(',')));
    } else if (subject.scene->bands.size() == 1) {
        options.band = 0;
    }

    QSize size;
    if (arguments.has(QStringLiteral("blend"))) {
        if (!subject.result) throw UsageError(QStringLiteral("--blend needs a result folder, this is a scene"));
        const int id = arguments.integer(QStringLiteral("blend"), 0, 1, 2147483647);
        const BlendFigure figure(*subject.scene, *subject.result, id, options.band);
        size = figure.size();
        saveFigure(out, size, [&](QPainter& painter) { figure.paint(painter); });
    } else {
        const SceneFigure figure(*subject.scene, subject.result.get(), options);
        size = figure.size();
        saveFigure(out, size, [&](QPainter& painter) { figure.paint(painter); });
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("picture"), out},
                           {QStringLiteral("scene_id"), subject.scene->id},
                           {QStringLiteral("width"), size.width()},
                           {QStringLiteral("height"), size.height()}});
    } else {
        console.print(out);
    }
    return 0;
}

} // namespace blendscope::cli
