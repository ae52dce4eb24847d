#pragma once

#include "core/Result.h"
#include "neural/Patch.h"

#include <torch/types.h>
#include <vector>

namespace blendscope {

/// Planes of the network's input: residual of each band slot, model of each band slot, known peaks.
inline constexpr int kResidualPlanes = 13;

/// All components' models of a result in a box: CV_32F per band, counts.
[[nodiscard]] std::vector<cv::Mat> modelIn(const Result& result, const Box& box, std::size_t bands);

/// What the network looks at, [kResidualPlanes, y, x] of the patch: the residual as a pull, each pixel by its own noise
/// (sky, detector, and the model's Poisson noise where `gain` > 0 says that the weights lack it), the model in sigmas
/// of the sky, and a Gaussian of one pixel at every known peak. `matched`: band of each slot, -1 = absent; `peaks` in
/// pixels of the scene.
[[nodiscard]] torch::Tensor residualInput(const Patch& patch, const std::vector<cv::Mat>& model,
                                          const std::vector<double>& gain, const std::vector<int>& matched,
                                          const std::vector<Peak>& peaks);

/// Peaks of all footprints.
[[nodiscard]] std::vector<Peak> peaksOf(const Result& result);

} // namespace blendscope
