#pragma once

#include "io/FitsHeader.h"

#include <QStringList>
#include <limits>
#include <optional>

namespace blendscope {

/// What headers say about the meaning of counts.
struct Calibration {
    double zeroPoint = std::numeric_limits<double>::quiet_NaN(); ///< AB mag of one count; NaN = unknown
    double gain = 0.0;                                           ///< electrons per count; 0 = unknown
    bool skySubtracted = false;
    QStringList notes; ///< sentences: where a value is not simply a keyword's
};

/// Keywords of the image's own header, then of the file's primary header. Zero points from MAGZERO, PHOTZP, ZP, MAGZPT,
/// FLUXMAG0, PHOTFLAM with PHOTPLAM (STScI's AB formula), PIXAR_SR (JWST, MJy/sr), else from BUNIT (nanomaggy, nJy...).
[[nodiscard]] Calibration readCalibration(const FitsHeader& image, const FitsHeader& primary);

/// FWHM of the PSF by keyword: in arcsec (PSFFWHM, SEEING, IQFINAL...), or in pixels (FWHM where SExtractor-like
/// pipelines wrote it). Nothing if unknown. `pixelScale` in arcsec, 0 = unknown.
struct HeaderFwhm {
    double pixels = 0.0;
    QString keyword;
};
[[nodiscard]] std::optional<HeaderFwhm> readFwhm(const FitsHeader& image, const FitsHeader& primary, double pixelScale);

} // namespace blendscope
