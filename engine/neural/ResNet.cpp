#include "neural/ResNet.h"

namespace blendscope {

BasicBlockImpl::BasicBlockImpl(int in, int out, Norm norm, int stride, double dropout) {
    m_first = register_module("first", ConvBlock(in, out, norm, 3, stride));
    m_second = register_module("second", ConvBlock(out, out, norm, 3, 1, false));
    if (in != out || stride != 1) m_shortcut = register_module("shortcut", ConvBlock(in, out, norm, 1, stride, false));
    if (dropout > 0.0) m_dropout = register_module("dropout", McDropout(dropout));
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& x) {
    torch::Tensor y = m_first->forward(x);
    if (m_dropout) y = m_dropout->forward(y);
    y = m_second->forward(y);
    return torch::silu(y + (m_shortcut ? m_shortcut->forward(x) : x));
}

ResNetImpl::ResNetImpl(const ResNetOptions& options) : m_options(options) {
    const int stemKernel = options.stemStride > 1 ? 5 : 3;
    m_stem =
        register_module("stem", ConvBlock(options.in, options.width, options.norm, stemKernel, options.stemStride));
    int radius = stemKernel / 2, step = options.stemStride;
    for (int level = 0; level < levels(); ++level) {
        torch::nn::Sequential blocks;
        for (int i = 0; i < options.blocks[static_cast<std::size_t>(level)]; ++i) {
            const bool down = level > 0 && i == 0;
            const int in = down ? channels(level - 1) : channels(level);
            blocks->push_back(BasicBlock(in, channels(level), options.norm, down ? 2 : 1, options.dropout));
            radius += step;
            if (down) step *= 2;
            radius += step;
        }
        m_levels.push_back(register_module("level" + std::to_string(level), blocks));
    }
    m_radius = radius;
}

std::vector<torch::Tensor> ResNetImpl::features(const torch::Tensor& x) {
    std::vector<torch::Tensor> out;
    torch::Tensor y = m_stem->forward(x);
    for (torch::nn::Sequential& level : m_levels) {
        y = level->forward(y);
        out.push_back(y);
    }
    return out;
}

torch::Tensor ResNetImpl::forward(const torch::Tensor& x) {
    return features(x).back();
}

} // namespace blendscope
