#pragma once

#include <torch/types.h>

namespace blendscope {

/// Samples regions of interest from feature maps at real positions, bilinearly and differentiably, without rounding to
/// cells (He et al. 2017, arXiv:1703.06870, section 3). One sample a bin: bins are no larger than a cell or two here.
///
/// `features` [N, C, H, W]: cell (i, j) stands for the pixel at (j, i) * stride. `boxes` [R, 4] as x0, y0, x1, y1 in
/// pixels (edges; see FloatBox). `image` [R], int64: which of the N each box lies in. Returns [R, C, size, size], row
/// first; positions beyond the map take its border. Gradients flow to the features alone. Throws UsageError for shapes
/// that do not fit.
[[nodiscard]] torch::Tensor roiAlign(const torch::Tensor& features, const torch::Tensor& boxes,
                                     const torch::Tensor& image, int size, double stride);

/// Pixel positions of the bins' centres: [R, size, size, 2] as x, y.
[[nodiscard]] torch::Tensor roiGrid(const torch::Tensor& boxes, int size);

} // namespace blendscope
