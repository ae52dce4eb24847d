#pragma once

#include "core/Random.h"

#include <opencv2/core.hpp>

namespace blendscope {

/// The noise of one band: Poisson of sky and sources, read noise, neighbours correlated as resampling leaves them.
struct NoiseModel {
    double skyElectrons = 0.0;  ///< mean, a pixel
    double readElectrons = 0.0; ///< rms, a pixel
    double gain = 1.0;          ///< electrons per count
    /// FWHM in pixels of the Gaussian that mixes the noise of neighbours; 0 = white. The variance of a pixel stays that
    /// of white noise, as coadds state it.
    double correlation = 0.0;

    /// Rms of the sky, counts.
    [[nodiscard]] double sigma() const;
    /// Sky-subtracted counts with noise from noiseless counts (CV_32F), in place.
    void apply(cv::Mat& image, Random& random) const;
};

} // namespace blendscope
