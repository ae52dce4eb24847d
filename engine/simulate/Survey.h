#pragma once

#include "simulate/PsfShape.h"

#include <QJsonObject>
#include <QString>
#include <vector>

namespace blendscope {

/// One band of a survey, coadded.
struct SurveyBand {
    QString name;
    double exposureSeconds = 0.0;
    double skyMagnitude = 0.0; ///< AB mag per arcsec^2
    double fwhmArcsec = 0.0;   ///< of the PSF
    double zeroPoint = 0.0;    ///< AB mag of one electron a second
    double wavelength = 0.0;   ///< effective, nm
    double readNoise = 0.0;    ///< electrons a pixel, all exposures together
};

/// Depth, seeing and sky of a survey: resources/surveys/<id>.json.
struct Survey {
    QString id;
    QString title;
    double pixelScale = 0.0; ///< arcsec
    double gain = 1.0;       ///< electrons per count
    PsfShape psf;
    std::vector<SurveyBand> bands;

    /// By id ("lsst"), or the path of a JSON file. Throws UsageError (unknown, naming those there are; a value that
    /// makes no sense, naming its key), ReadError.
    [[nodiscard]] static Survey load(const QString& idOrPath);
    /// Throws UsageError that names the key.
    [[nodiscard]] static Survey fromJson(const QJsonObject& json);

    [[nodiscard]] int bandIndex(const QString& name) const; ///< -1 if absent

    /// Expected electrons of the whole exposure for an AB magnitude.
    [[nodiscard]] double electrons(const SurveyBand& band, double magnitude) const;
    /// Mean sky, electrons per pixel.
    [[nodiscard]] double skyElectrons(const SurveyBand& band) const;
    /// Magnitude of one count of the coadd: Band::zeroPoint of a simulated scene.
    [[nodiscard]] double countZeroPoint(const SurveyBand& band) const;
};

} // namespace blendscope
