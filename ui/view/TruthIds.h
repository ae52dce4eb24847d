#pragma once

#include "core/Scene.h"

namespace blendscope {

/// Which true object has most of the light in each pixel: CV_32S [y, x], 0 = none. The file's truth segmentation, or
/// made of the isolated images (above a fifth of the noise and a thousandth of the object's peak); empty where there is
/// neither, or where making it would take minutes. Throws ReadError.
[[nodiscard]] cv::Mat truthIdImage(const Scene& scene);

} // namespace blendscope
