#include "neural/UNet.h"

#include "core/Error.h"

#include <algorithm>

namespace blendscope {

int UNetImpl::channels(int level) const {
    return std::min(m_options.mostWidth, m_options.width << level);
}

UNetImpl::UNetImpl(const UNetOptions& options) : m_options(options) {
    const Norm norm = options.norm;
    int radius = 0;
    for (int level = 0; level <= options.depth; ++level) {
        const int in = level == 0 ? options.in : channels(level - 1);
        torch::nn::Sequential blocks(ConvBlock(in, channels(level), norm, 3, level == 0 ? 1 : 2),
                                     ConvBlock(channels(level), channels(level), norm));
        radius += level == 0 ? 2 : (1 << (level - 1)) + (1 << level);
        m_down.push_back(register_module("down" + std::to_string(level), blocks));
    }
    for (int level = options.depth - 1; level >= 0; --level) {
        m_reduce.push_back(
            register_module("reduce" + std::to_string(level), ConvBlock(channels(level + 1), channels(level), norm)));
        torch::nn::Sequential blocks(ConvBlock(2 * channels(level), channels(level), norm),
                                     ConvBlock(channels(level), channels(level), norm));
        m_up.push_back(register_module("up" + std::to_string(level), blocks));
        // A doubled pixel stands for one that is up to a coarse cell away; then three convolutions.
        radius += (1 << (level + 1)) + 3 * (1 << level);
    }
    m_radius = radius;
    if (options.dropout > 0.0) m_dropout = register_module("dropout", McDropout(options.dropout, true));
    m_head = register_module("head", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels(0), options.out, 1)));
}

torch::Tensor UNetImpl::features(const torch::Tensor& x) {
    if (x.dim() != 4 || x.size(2) % stride() != 0 || x.size(3) % stride() != 0)
        throw UsageError(QStringLiteral("this network wants sides that are multiples of %1").arg(stride()));
    std::vector<torch::Tensor> levels;
    torch::Tensor y = x;
    for (torch::nn::Sequential& down : m_down) {
        y = down->forward(y);
        levels.push_back(y);
    }
    if (m_dropout) y = m_dropout->forward(y);
    for (std::size_t i = 0; i < m_up.size(); ++i) {
        y = m_reduce[i]->forward(torch::upsample_nearest2d(y, std::vector<std::int64_t>{2 * y.size(2), 2 * y.size(3)}));
        y = m_up[i]->forward(torch::cat({y, levels[levels.size() - 2 - i]}, 1));
    }
    return y;
}

torch::Tensor UNetImpl::forward(const torch::Tensor& x) {
    return m_head->forward(features(x));
}

} // namespace blendscope
