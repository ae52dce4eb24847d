#include "SceneFlags.h"

namespace blendscope::cli {

std::vector<Arguments::Flag> sceneFlags() {
    return {
        {QStringLiteral("bands"), QStringLiteral("g,r,i"),
         QStringLiteral("names of the image planes, in the files' order")},
        {QStringLiteral("zeropoint"), QStringLiteral("[BAND=]MAG"),
         QStringLiteral("magnitude of one count, for all bands or for one (repeatable)")},
        {QStringLiteral("psf"), QStringLiteral("[BAND=]PSF"),
         QStringLiteral("a FITS file, or a FWHM as 0.8arcsec or 3.2pix (repeatable)")},
        {QStringLiteral("resample"), {}, QStringLiteral("bring bands with another grid onto that of the first")},
        {QStringLiteral("name"), QStringLiteral("ID"), QStringLiteral("scene_id, where there is one scene")},
    };
}

OpenOptions openOptions(const Arguments& arguments) {
    OpenOptions options;
    for (const QString& band : arguments.value(QStringLiteral("bands")).split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        options.bands << band.trimmed();
    }
    for (const QString& text : arguments.values(QStringLiteral("zeropoint"))) {
        const qsizetype equals = text.indexOf(QLatin1Char('='));
        bool ok = false;
        const double magnitude = text.mid(equals + 1).toDouble(&ok);
        if (!ok) throw UsageError(QStringLiteral("--zeropoint is \"%1\", wanted a magnitude or BAND=MAG").arg(text));
        options.zeroPoint.insert(equals < 0 ? QString() : text.left(equals), magnitude);
    }
    for (const QString& text : arguments.values(QStringLiteral("psf"))) {
        const qsizetype equals = text.indexOf(QLatin1Char('='));
        options.psf.insert(equals < 0 ? QString() : text.left(equals), text.mid(equals + 1));
    }
    options.resample = arguments.has(QStringLiteral("resample"));
    options.name = arguments.value(QStringLiteral("name"));
    return options;
}

} // namespace blendscope::cli
