#include "Arguments.h"
#include "Console.h"
#include "SceneFlags.h"
#include "Verbs.h"

#include <QJsonArray>
#include <cmath>

namespace blendscope::cli {

namespace {

QString originWord(Psf::Origin origin) {
    switch (origin) {
    case Psf::Origin::None:
        return QStringLiteral("unknown");
    case Psf::Origin::Given:
        return QStringLiteral("given");
    case Psf::Origin::FromFwhm:
        return QStringLiteral("from its FWHM");
    case Psf::Origin::Stars:
        return QStringLiteral("from stars");
    case Psf::Origin::Assumed:
        return QStringLiteral("assumed");
    }
    return {};
}

// JSON knows no NaN: null says "unknown".
QJsonValue numberOrNull(double value) {
    return std::isfinite(value) ? QJsonValue(value) : QJsonValue();
}

QJsonObject bandJson(const Band& band) {
    QJsonArray planes;
    for (auto it = band.maskNames.begin(); it != band.maskNames.end(); ++it) {
        planes.append(it.key());
    }
    return {{QStringLiteral("name"), band.name},
            {QStringLiteral("wavelength_nm"), band.wavelength > 0 ? QJsonValue(band.wavelength) : QJsonValue()},
            {QStringLiteral("zero_point"), numberOrNull(band.zeroPoint)},
            {QStringLiteral("gain"), band.gain > 0 ? QJsonValue(band.gain) : QJsonValue()},
            {QStringLiteral("psf"), originWord(band.psf.origin)},
            {QStringLiteral("fwhm_pixels"), band.psf.known() ? QJsonValue(band.psf.fwhmPixels) : QJsonValue()},
            {QStringLiteral("sky_subtracted"), band.skySubtracted},
            {QStringLiteral("variance_is_sky_only"), band.varianceIsSkyOnly},
            {QStringLiteral("mask"), band.mask != nullptr},
            {QStringLiteral("mask_planes"), planes}};
}

QJsonObject sceneJson(const Scene& scene) {
    QJsonArray bands, files;
    for (const Band& band : scene.bands) {
        bands.append(bandJson(band));
    }
    for (const SceneFile& file : scene.files) {
        files.append(QJsonObject{{QStringLiteral("path"), file.path},
                                 {QStringLiteral("hdus"), QJsonArray::fromStringList(file.hdus)}});
    }
    QJsonObject json{
        {QStringLiteral("scene_id"), scene.id},
        {QStringLiteral("width"), scene.size.width},
        {QStringLiteral("height"), scene.size.height},
        {QStringLiteral("pixel_scale_arcsec"), scene.pixelScale > 0 ? QJsonValue(scene.pixelScale) : QJsonValue()},
        {QStringLiteral("wcs"), scene.wcs.isValid()},
        {QStringLiteral("bands"), bands},
        {QStringLiteral("peaks_in_file"), static_cast<int>(scene.filePeaks.size())},
        {QStringLiteral("files"), files},
        {QStringLiteral("assumptions"), QJsonArray::fromStringList(scene.assumptions)},
        {QStringLiteral("warnings"), QJsonArray::fromStringList(scene.warnings)}};
    if (const auto centre = scene.wcs.toSky((scene.size.width - 1) / 2.0, (scene.size.height - 1) / 2.0)) {
        json.insert(QStringLiteral("centre"),
                    QJsonObject{{QStringLiteral("ra"), centre->ra}, {QStringLiteral("dec"), centre->dec}});
    }
    if (scene.truth) {
        json.insert(QStringLiteral("truth"),
                    QJsonObject{{QStringLiteral("objects"), static_cast<int>(scene.truth->objects.size())},
                                {QStringLiteral("isolated_images"), !scene.truth->isolated.empty()},
                                {QStringLiteral("segmentation"), scene.truth->segmentation != nullptr}});
    }
    return json;
}

QString sceneText(const Scene& scene) {
    QString text = QStringLiteral("%1  %2 x %3 pixels").arg(scene.id).arg(scene.size.width).arg(scene.size.height);
    if (scene.pixelScale > 0) text += QStringLiteral(", %1 arcsec/pixel").arg(scene.pixelScale, 0, 'g', 4);
    if (const auto centre = scene.wcs.toSky((scene.size.width - 1) / 2.0, (scene.size.height - 1) / 2.0)) {
        text += QStringLiteral(", centre %1 %2 deg").arg(centre->ra, 0, 'f', 5).arg(centre->dec, 0, 'f', 5);
    }
    text += QLatin1Char('\n');
    for (const Band& band : scene.bands) {
        text += QStringLiteral("  band %1").arg(band.name.leftJustified(6));
        text += std::isfinite(band.zeroPoint) ? QStringLiteral("  zero point %1").arg(band.zeroPoint, 0, 'f', 3)
                                              : QStringLiteral("  zero point unknown");
        text += band.psf.known() ? QStringLiteral("  PSF %1, FWHM %2 pixels")
                                       .arg(originWord(band.psf.origin))
                                       .arg(band.psf.fwhmPixels, 0, 'f', 2)
                                 : QStringLiteral("  PSF unknown");
        if (band.gain > 0) text += QStringLiteral("  gain %1").arg(band.gain, 0, 'g', 4);
        if (band.mask) text += QStringLiteral("  mask");
        text += QLatin1Char('\n');
    }
    if (scene.truth) text += QStringLiteral("  truth  %1 objects\n").arg(scene.truth->objects.size());
    for (const SceneFile& file : scene.files) {
        text += QStringLiteral("  file %1\n").arg(file.path);
        for (const QString& hdu : file.hdus) {
            text += QStringLiteral("    %1\n").arg(hdu);
        }
    }
    for (const QString& sentence : scene.assumptions) {
        text += QStringLiteral("  assumed: %1\n").arg(sentence);
    }
    for (const QString& sentence : scene.warnings) {
        text += QStringLiteral("  warning: %1\n").arg(sentence);
    }
    return text;
}

} // namespace

int runInfo(const QStringList& words, Console& console) {
    Arguments arguments(QStringLiteral("info"), QStringLiteral("SCENE..."),
                        QStringLiteral("Says what is in scenes: bands, grid, PSF, and everything that is assumed.\n"
                                       "SCENE: files, folders, lists (.txt), or a.fits,b.fits for one scene."),
                        sceneFlags());
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().isEmpty()) throw UsageError(QStringLiteral("blend info needs a scene"));
    const OpenOptions options = openOptions(arguments);
    const bool json = arguments.has(QStringLiteral("json"));
    QJsonArray scenes;
    int failures = 0;
    const std::vector<SceneFiles> groups = groupSceneFiles(arguments.words(), options);
    for (const SceneFiles& files : groups) {
        console.token().check();
        try {
            for (const ScenePtr& scene : openScene(files, options)) {
                if (json) {
                    scenes.append(sceneJson(*scene));
                } else {
                    console.print(sceneText(*scene));
                }
            }
        } catch (const CancelledError&) {
            throw;
        } catch (const Error& e) {
            if (groups.size() == 1) throw;
            ++failures;
            console.note(QStringLiteral("blend: %1").arg(e.message()));
        }
    }
    if (json) console.printJson({{QStringLiteral("scenes"), scenes}});
    return failures > 0 ? 1 : 0;
}

} // namespace blendscope::cli
