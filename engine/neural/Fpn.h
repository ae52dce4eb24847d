#pragma once

#include "neural/ConvBlock.h"

#include <vector>

namespace blendscope {

/// Feature pyramid (Lin et al. 2017, arXiv:1612.03144): every level of a ResNet with the coarser ones added from above,
/// all with `out` channels.
class FpnImpl : public torch::nn::Module {
public:
    /// `in`: channels of the levels, finest first; each level has half the size of the one before it.
    FpnImpl(const std::vector<int>& in, int out, Norm norm = Norm::None);
    /// Finest first, as `levels`.
    std::vector<torch::Tensor> forward(const std::vector<torch::Tensor>& levels);

private:
    std::vector<ConvBlock> m_lateral, m_smooth;
};
TORCH_MODULE(Fpn);

} // namespace blendscope
