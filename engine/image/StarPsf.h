#pragma once

#include "core/Psf.h"
#include "core/Scene.h"

#include <optional>

namespace blendscope {

/// Limits of the choice of stars.
struct StarPsfOptions {
    int mostPixels = 1536;             ///< side of the central part of the image that is searched
    double minimumSignificance = 30.0; ///< peak over sky noise of the lightly smoothed image
    int fewestStars = 4;               ///< below this the answer is: not known
    int mostStars = 120;               ///< the brightest are taken
    double sizeSpread = 0.08;          ///< half width in ln FWHM of the stellar locus
};

/// A PSF estimated from the stars of an image.
struct StarPsf {
    Psf psf;
    int stars = 0;
};

/// Finds isolated, round, unsaturated sources that share the smallest common size (the stellar locus), and stacks them:
/// centred by sub-pixel shifts, scaled to equal flux, clipped pixel by pixel, the noisy wings smoothed in azimuth.
/// Nothing if there are too few. Reads at most the central part of the image, so that the time is bounded; the same
/// answer for any number of threads. Throws ReadError.
[[nodiscard]] std::optional<StarPsf> estimateStarPsf(const Band& band, const StarPsfOptions& options = {});

} // namespace blendscope
