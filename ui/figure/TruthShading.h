#pragma once

#include "core/Scene.h"

#include <QImage>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Ids of the true objects by pixel in `region` (CV_32S): the truth segmentation, or the object with the most light in
/// the middle band, where its isolated image says that it stands above a fraction of the noise. Empty where the scene
/// has neither. Throws ReadError.
[[nodiscard]] cv::Mat truthIds(const Scene& scene, const Box& region);

/// Truth as colour shading, a picture pixel an image pixel, y up; `colours`: palette index by id, `alpha` 0..255.
[[nodiscard]] QImage truthShading(const cv::Mat& ids, const std::vector<int>& colours, int alpha);

} // namespace blendscope
