#include "neural/ConvBlock.h"

namespace blendscope {

ConvBlockImpl::ConvBlockImpl(int in, int out, Norm norm, int kernel, int stride, bool activation)
    : m_norm(makeNorm(norm, out)), m_activation(activation) {
    m_conv = register_module(
        "conv",
        torch::nn::Conv2d(
            torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(norm == Norm::None)));
    torch::nn::init::kaiming_normal_(m_conv->weight, 0.0, torch::kFanIn, torch::kReLU);
    if (norm != Norm::None) register_module("norm", m_norm.ptr());
}

torch::Tensor ConvBlockImpl::forward(const torch::Tensor& x) {
    const torch::Tensor y = m_norm.forward(m_conv->forward(x));
    return m_activation ? torch::silu(y) : y;
}

} // namespace blendscope
