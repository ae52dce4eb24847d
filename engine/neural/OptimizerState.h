#pragma once

#include "neural/Tensors.h"

#include <torch/torch.h>

namespace blendscope {

/// What an AdamW or SGD optimizer remembers of each parameter, as tensors, so that a checkpoint is data alone and
/// readable by any LibTorch version. `names` are those of the parameters, in the order of the optimizer's groups.
[[nodiscard]] Tensors optimizerState(torch::optim::Optimizer& optimizer, const std::vector<std::string>& names);

/// The reverse. Throws MethodError where something is missing or of another shape.
void setOptimizerState(torch::optim::Optimizer& optimizer, const std::vector<std::string>& names, const Tensors& state);

} // namespace blendscope
