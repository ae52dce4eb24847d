#pragma once

#include "core/Result.h"
#include "deblend/BlendData.h"

namespace blendscope {

/// Divides the data of a blend among its components in proportion to their models, pixel by pixel and band by band.
/// Inside the footprint the shares add up to the data to float rounding; a pixel in which no model has flux in that
/// band goes to the component whose model has light nearest to it (then the nearest peak). Outside the footprint, and
/// in unusable pixels, the share is the model's fraction of the data where the models reach, and is not required to add
/// up. Boxes of the components grow to hold the pixels that they take. `children` are in the order of the output.
[[nodiscard]] std::vector<Component> apportion(const BlendInput& blend, const BlendOutput& output,
                                               const std::vector<int>& ids);

/// The child (index from 1) with the most light in each pixel of the footprint, in S/N over bands; 0 outside.
/// CV_32S of the blend's box. Each child keeps at least the pixel of its peak.
[[nodiscard]] cv::Mat dominantLabels(const BlendInput& blend, const BlendOutput& output);

/// Takes out of `labels` (child index from 1, CV_32S of the blend's box) the pixels in which the children's models
/// together stay below the sky noise in every band (a child that is fainter than that everywhere: below half its
/// peak): what remains is the mask that an eye would draw.
void trimLabels(const BlendInput& blend, const BlendOutput& output, cv::Mat& labels);

} // namespace blendscope
