#pragma once

#include <limits>
#include <opencv2/core.hpp>

namespace blendscope {

/// How alike the image of an object is to its true, noiseless one. Negative pixels and pixels that are not finite count
/// as empty in both. NaN where nothing was compared, or an image is empty and the number has no meaning; the
/// correlation with an empty image is 0.
struct ImageMetrics {
    /// sum(m t) / sqrt(sum m^2 sum t^2): 1 = the same shape, whatever the flux.
    double correlation = std::numeric_limits<double>::quiet_NaN();
    /// Peak signal-to-noise ratio (dB) and structural similarity (Wang et al. 2004, IEEE TIP 13, 600) of each image
    /// divided by its own maximum, as the Blending ToolKit defines them: blind to the total flux.
    double psnrOwn = std::numeric_limits<double>::quiet_NaN();
    double ssimOwn = std::numeric_limits<double>::quiet_NaN();
    double ssimOwnNear = std::numeric_limits<double>::quiet_NaN(); ///< the same in a 41 x 41 box on the object
    /// The same with both images divided by the true maximum, a common range: a wrong flux shows.
    double psnr = std::numeric_limits<double>::quiet_NaN();
    double ssim = std::numeric_limits<double>::quiet_NaN();
    double ssimNear = std::numeric_limits<double>::quiet_NaN();
    /// Mean squared residual, counts^2.
    double msr = std::numeric_limits<double>::quiet_NaN();
    /// sum m / sum t - 1
    double fluxError = std::numeric_limits<double>::quiet_NaN();
};

/// `model` and `truth`: CV_32F [y, x] of one size with the object at (x, y).
[[nodiscard]] ImageMetrics compareImages(const cv::Mat& model, const cv::Mat& truth, double x, double y);

/// Structural similarity with a flat 7 x 7 window, sample covariances and data range 1, averaged over the windows that
/// lie inside; CV_64F of one size. NaN for images smaller than the window.
[[nodiscard]] double structuralSimilarity(const cv::Mat& a, const cv::Mat& b);

} // namespace blendscope
