#pragma once

#include <torch/types.h>

#include <vector>

namespace blendscope {

/// Centres of objects as a map of probabilities at full resolution, and back (Zhou et al. 2019, arXiv:1904.07850).
struct Centre {
    float x = 0.0f, y = 0.0f; ///< pixel
    float score = 0.0f;       ///< 0..1
};

/// Target map [H, W], CPU float: 1 in the pixel of each centre, a Gaussian of `sigma` pixels around it, the larger
/// where they overlap. Centres outside the map are left out.
[[nodiscard]] torch::Tensor centreTarget(const std::vector<Centre>& centres, int height, int width, double sigma);

/// Focal loss of such a map: `logits`, `target` and `weight` (0 = do not care) of one shape. The sum over pixels
/// divided by the number of centres (at least one): -(1 - p)^2 log p at centres, -(1 - target)^4 p^2 log(1 - p)
/// elsewhere.
[[nodiscard]] torch::Tensor centreLoss(const torch::Tensor& logits, const torch::Tensor& target,
                                       const torch::Tensor& weight);

/// Local maxima (of 3 x 3 pixels) of a map of probabilities [H, W] above `least`, best first, at most `most`. Of equal
/// neighbours the first in reading order counts. Positions are whole pixels.
[[nodiscard]] std::vector<Centre> centrePeaks(const torch::Tensor& map, float least, int most);

} // namespace blendscope
