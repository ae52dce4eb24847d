#pragma once

#include "measure/AdaptiveMoments.h"

namespace blendscope {

/// Blendedness (Bosch et al. 2018, PASJ 70, S5, section 4.9.11): 1 - child / parent, both fluxes weighted with the
/// Gaussian of the child's own moments. `child` and `parent`: CV_32F of one size, in which the moments are. 0 alone,
/// towards 1 buried; held within 0 and 1; NaN where the parent has no positive light.
[[nodiscard]] double blendedness(const cv::Mat& child, const cv::Mat& parent, const Moments& moments);

} // namespace blendscope
