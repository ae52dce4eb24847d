#pragma once

#include <opencv2/core.hpp>

namespace blendscope {

/// Radius (pixel) of the circle about (x, y) that holds `fraction` of `total` light, as SExtractor's FLUX_RADIUS: the
/// curve of growth of `image` (CV_32F), pixels sampled 5 x 5 near the centre, first crossing. NaN where the curve does
/// not reach it within maxRadius or total is not positive.
[[nodiscard]] double lightRadius(const cv::Mat& image, double x, double y, double total, double maxRadius,
                                 double fraction = 0.5);

} // namespace blendscope
