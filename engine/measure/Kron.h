#pragma once

#include "measure/Aperture.h"

namespace blendscope {

/// First radial moment (Kron 1980, ApJS 43, 305) as SExtractor takes it (Bertin & Arnouts 1996, section 7.4): the mean
/// of the elliptical radius weighted with the light within `reach` times the ellipse of rms axes, in units of these
/// axes. A Gaussian gives sqrt(pi / 2), an ideal exponential disk 2 scale lengths. NaN where the light is not positive.
[[nodiscard]] double kronRadius(const cv::Mat& image, const Ellipse& rms, double reach = 6.0);

} // namespace blendscope
