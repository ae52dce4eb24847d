#pragma once

#include "neural/Norm.h"

namespace blendscope {

/// Convolution, norm, and (unless `activation` is off) SiLU; "same" padding for stride 1, halving for stride 2.
/// [n, in, y, x] -> [n, out, ceil(y / stride), ceil(x / stride)].
class ConvBlockImpl : public torch::nn::Module {
public:
    ConvBlockImpl(int in, int out, Norm norm, int kernel = 3, int stride = 1, bool activation = true);
    torch::Tensor forward(const torch::Tensor& x);

private:
    torch::nn::Conv2d m_conv{nullptr};
    torch::nn::AnyModule m_norm;
    bool m_activation;
};
TORCH_MODULE(ConvBlock);

} // namespace blendscope
