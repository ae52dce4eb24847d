#pragma once

#include "core/Scene.h"

#include <QPainterPath>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Pixels of a region that no method may use: masked, without weight (variance NaN, infinite or not positive), or
/// outside the file's footprint, in any of `bands` (indices). CV_8U, 1 = unusable, every `step`th pixel. NaN in the
/// image itself is another matter: pictures show it as no data. Throws ReadError.
[[nodiscard]] cv::Mat unusablePixels(const Scene& scene, const std::vector<int>& bands, const Box& region, int step);

/// The area of the nonzero pixels (CV_8U), y down, a unit a pixel; row 0 is the bottom line.
[[nodiscard]] QPainterPath areaOf(const cv::Mat& pixels);

} // namespace blendscope
