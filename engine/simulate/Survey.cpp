#include "simulate/Survey.h"

#include "core/Error.h"
#include "method/Registry.h"
#include "simulate/RecipeReader.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <cmath>

namespace blendscope {

Survey Survey::load(const QString& idOrPath) {
    const QDir folder(resourceFolder() + QStringLiteral("/surveys"));
    QString path = folder.filePath(idOrPath.toLower() + QStringLiteral(".json"));
    if (!QFileInfo::exists(path)) path = idOrPath;
    if (!QFileInfo(path).isFile()) {
        QStringList known = folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name);
        known.replaceInStrings(QStringLiteral(".json"), QString());
        throw UsageError(
            QStringLiteral("there is no survey \"%1\" (there is: %2)").arg(idOrPath, known.join(QStringLiteral(", "))));
    }
    return fromJson(readJsonFile(path));
}

Survey Survey::fromJson(const QJsonObject& json) {
    const RecipeReader r(json, QStringLiteral("survey"));
    r.allow({"id", "title", "source", "sources", "pixel_scale", "gain", "psf", "psf_beta", "bands"});
    Survey s;
    s.id = r.text("id");
    s.title = r.text("title", s.id);
    s.pixelScale = r.number("pixel_scale", 1e-3, 1e3);
    s.gain = r.number("gain", 1e-6, 1e9, 1.0);
    s.psf.beta = r.number("psf_beta", 1.1, 50.0, 3.5);
    const RecipeReader psf = r.object("psf");
    psf.allow({"kind", "beta", "mirror", "obscuration", "file"});
    s.psf = PsfShape::read(psf, s.psf);
    for (const RecipeReader& b : r.list("bands")) {
        b.allow({"name", "exposure", "sky", "fwhm", "zero_point", "wavelength", "read_noise"});
        SurveyBand band;
        band.name = b.text("name");
        band.exposureSeconds = b.number("exposure", 1e-3, 1e9);
        band.skyMagnitude = b.number("sky", 0.0, 40.0);
        band.fwhmArcsec = b.number("fwhm", 1e-4, 1e3);
        band.zeroPoint = b.number("zero_point", -20.0, 60.0);
        band.wavelength = b.number("wavelength", 10.0, 1e6);
        band.readNoise = b.number("read_noise", 0.0, 1e6, 0.0);
        if (s.bandIndex(band.name) >= 0) {
            throw UsageError(QStringLiteral("survey: band \"%1\" comes twice").arg(band.name));
        }
        s.bands.push_back(band);
    }
    if (s.bands.empty()) throw UsageError(QStringLiteral("survey: \"bands\" is empty"));
    return s;
}

int Survey::bandIndex(const QString& name) const {
    for (size_t b = 0; b < bands.size(); ++b) {
        if (bands[b].name.compare(name, Qt::CaseInsensitive) == 0) return static_cast<int>(b);
    }
    return -1;
}

double Survey::electrons(const SurveyBand& band, double magnitude) const {
    return band.exposureSeconds * std::pow(10.0, 0.4 * (band.zeroPoint - magnitude));
}

double Survey::skyElectrons(const SurveyBand& band) const {
    return electrons(band, band.skyMagnitude) * pixelScale * pixelScale;
}

double Survey::countZeroPoint(const SurveyBand& band) const {
    return band.zeroPoint + 2.5 * std::log10(band.exposureSeconds / gain);
}

} // namespace blendscope
