#pragma once

#include <map>
#include <opencv2/core.hpp>
#include <string>
#include <torch/torch.h>

namespace blendscope {

/// Tensors by name, in a fixed order. What a sample, a batch or a file of weights is made of.
using Tensors = std::map<std::string, torch::Tensor>;

/// All on one device; those that are there already are shared.
[[nodiscard]] Tensors onDevice(const Tensors& tensors, const torch::Device& device);

/// A plane as a tensor [y, x] that owns its memory: float32 of CV_32F, int64 of CV_32S, uint8 of CV_8U. Throws
/// UsageError for other types.
[[nodiscard]] torch::Tensor toTensor(const cv::Mat& plane);

/// A tensor [y, x] of any device as a CV_32F plane that owns its memory. Throws UsageError for other shapes.
[[nodiscard]] cv::Mat toMat(const torch::Tensor& plane);

} // namespace blendscope
