#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// A local maximum of an image and how it stands out.
struct TreePeak {
    int x = 0, y = 0;
    float height = 0.0f;
    float saddle = 0.0f;  ///< highest level at which its island joins that of a higher peak; the lowest level of its
                          ///< island for the highest peak
    double excess = 0.0;  ///< sum of (value - saddle) over its island above the saddle
    bool highest = false; ///< of its island
};

/// All maxima of `image` (CV_32F) inside `inside` (CV_8U, nonzero), highest first: the limit of SExtractor's
/// multi-threshold tree (Bertin & Arnouts 1996, section 5) for infinitely many levels. Pixels are taken from high to
/// low; where two islands meet, the lower peak ends with that level as its saddle. Plateaus count as one peak. Costs
/// O(n log n). 8-connectivity; ties go to the first pixel in reading order.
[[nodiscard]] std::vector<TreePeak> findPeaks(const cv::Mat& image, const cv::Mat& inside);

/// Position of a maximum to a fraction of a pixel by a parabola through its neighbours in x and in y; moves by at most
/// half a pixel.
[[nodiscard]] cv::Point2d refinedPeak(const cv::Mat& image, int x, int y);

} // namespace blendscope
