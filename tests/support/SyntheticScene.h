#pragma once

#include "core/Scene.h"

#include <cstdint>
#include <vector>

namespace blendscope::test {

/// A round Gaussian object, flux in counts per band.
struct Blob {
    double x = 0.0, y = 0.0;
    double sigma = 2.0; ///< pixel, PSF included
    std::vector<double> flux;
};

/// A scene in memory: blobs integrated at pixel centres, white noise of `sigma` counts in every band, constant variance
/// plane, Gaussian PSF of `psfFwhm` pixels, zero point 30, a tangent-plane WCS of 0.2 arcsec per pixel. Bands are
/// named g, r, i, z, y, u in this order. noise = false leaves the image noiseless (the variance stays).
[[nodiscard]] Scene syntheticScene(cv::Size size, int bands, const std::vector<Blob>& blobs, double sigma = 1.0,
                                   double psfFwhm = 4.0, std::uint64_t seed = 1, bool noise = true);

} // namespace blendscope::test
