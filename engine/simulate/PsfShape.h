#pragma once

#include "simulate/PsfModel.h"

#include <QString>

namespace blendscope {

class RecipeReader;

/// What kind of PSF a survey or a recipe has; JSON keys "kind", "beta", "mirror", "obscuration", "file".
struct PsfShape {
    /// "moffat", "kolmogorov" (with a mirror: diffraction comes after the FWHM), "gaussian", "airy" (a Gaussian widens
    /// it to the FWHM), "image" (a FITS file with an extension PSF_<band> a band, or one image for all; effective PSFs
    /// in pixels of the survey, whose FWHM is scaled where the seeing is).
    QString kind = QStringLiteral("moffat");
    double beta = 3.5;         ///< Moffat exponent
    double mirrorMetres = 0.0; ///< diameter; 0 = no diffraction
    double obscuration = 0.0;  ///< of the diameter
    QString file;

    /// Throws UsageError that names the key; keys that are absent stay as they are in `before`.
    [[nodiscard]] static PsfShape read(const RecipeReader& json, const PsfShape& before);
};

/// Makes PSFs of one shape for many widths and bands; tables are computed once.
class PsfMaker {
public:
    /// Throws UsageError, ReadError (images).
    PsfMaker(const PsfShape& shape, const std::vector<QString>& bands);
    /// `fwhm` in pixels; `seeing`: the factor by which it differs from the survey's, for images.
    [[nodiscard]] PsfModel make(size_t band, double fwhm, double seeing, double wavelengthNm,
                                double pixelScaleArcsec) const;

private:
    PsfShape m_shape;
    std::vector<PsfModel> m_unit; ///< of width 1: the shape; for images one a band
    std::vector<PsfModel> m_airy, m_gaussian;
};

} // namespace blendscope
