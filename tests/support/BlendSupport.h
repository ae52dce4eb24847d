#pragma once

#include "core/Random.h"
#include "core/Result.h"
#include "deblend/BlendData.h"

#include <vector>

namespace blendscope::test {

/// A galaxy with a Sersic profile of index n (0 = point source) through a Gaussian PSF, pixel units.
struct Galaxy {
    double x = 0.0, y = 0.0;
    double flux = 1.0;
    double halfLight = 2.0; ///< along the major axis
    double axisRatio = 1.0;
    double angle = 0.0; ///< deg from +x towards +y
    double index = 1.0;
};

/// Its noiseless image (CV_32F), sampled 5 x 5 per pixel, PSF sigma in pixels.
[[nodiscard]] cv::Mat drawGalaxy(const Galaxy& galaxy, cv::Size size, double psfSigma);

/// A blend in memory that owns what BlendInput points to.
struct BlendCase {
    BlendInput input;
    Footprint footprint;
    std::vector<Psf> psf;

    BlendCase() = default;
    BlendCase(const BlendCase&) = delete;
    BlendCase& operator=(const BlendCase&) = delete;
};

/// Fills `blend` with these noiseless images per band plus noise of sigma (and Poisson noise where gain > 0), the box
/// at `origin` of the scene; the footprint is where the first band's noiseless image exceeds sigma.
void makeBlend(BlendCase& blend, const std::vector<cv::Mat>& noiseless, double sigma, double gain, double psfSigma,
               const std::vector<Peak>& peaks, Random* noise = nullptr, cv::Point origin = {10, 20});

} // namespace blendscope::test
