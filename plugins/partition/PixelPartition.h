#pragma once

#include "core/Box.h"
#include "core/Detection.h"

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Divides the pixels of a footprint among its peaks after the idea of Bertin & Arnouts (1996), section 6: a peak owns
/// its *core*, the pixels connected to it above the highest level at which it is still apart from its neighbours; all
/// other pixels go to the object whose bivariate Gaussian, with the amplitude and moments of its core, is largest
/// there. (SExtractor draws the owner by chance in proportion to these Gaussians; here the largest wins, so that runs
/// can be repeated.) Cores come from one flood in order of brightness instead of a set of thresholds: this is the limit
/// of infinitely many. Time goes as n log n of the pixels.
class PixelPartition {
public:
    /// `image`: CV_32F, smoothed; `inside`: CV_8U of the same size, nonzero in the footprint. `peaks` in pixels of the
    /// matrices; those outside get no core. `leastSigma`: least rms size of an object, pixel (the PSF's).
    PixelPartition(const cv::Mat& image, const cv::Mat& inside, const std::vector<Peak>& peaks, double leastSigma,
                   double coreFraction);

    /// CV_32S: peak index + 1 inside the footprint, 0 outside.
    [[nodiscard]] const cv::Mat& labels() const { return m_labels; }

private:
    struct Gaussian {
        double x = 0.0, y = 0.0, logAmplitude = 0.0;
        double xx = 0.0, xy = 0.0, yy = 0.0; ///< inverse covariance
        bool valid = false;
    };

    void floodCores(const cv::Mat& image, const cv::Mat& inside, const std::vector<Peak>& peaks, double coreFraction);
    void fitCores(const cv::Mat& image, const std::vector<Peak>& peaks, double leastSigma);
    void divideRest(const cv::Mat& inside);

    cv::Mat m_labels;
    std::vector<double> m_floor; ///< per peak: level at which its core ends
    std::vector<Gaussian> m_gaussians;
};

} // namespace blendscope
