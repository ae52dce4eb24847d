#include "neural/PyramidNet.h"

#include <torch/torch.h>

namespace blendscope {

namespace {

constexpr int kSceneWidth = 32; ///< of the layer that seeing and bands go through before they modulate blocks

torch::Tensor upsampled(const torch::Tensor& x) {
    namespace F = torch::nn::functional;
    return F::interpolate(
        x, F::InterpolateFuncOptions().scale_factor(std::vector<double>{2.0, 2.0}).mode(torch::kNearest));
}

} // namespace

torch::nn::Conv2d heConvolution(int in, int out, int side, int stride) {
    torch::nn::Conv2d conv(torch::nn::Conv2dOptions(in, out, side).stride(stride).padding(side / 2));
    torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanIn, torch::kReLU);
    torch::nn::init::zeros_(conv->bias);
    return conv;
}

ConditionedBlockImpl::ConditionedBlockImpl(int channels, int condition) {
    m_first = register_module("first", heConvolution(channels, channels, 3));
    m_second = register_module("second", heConvolution(channels, channels, 3));
    m_modulation = register_module("modulation", torch::nn::Linear(condition, 2 * channels));
    torch::nn::init::zeros_(m_modulation->weight);
    torch::nn::init::zeros_(m_modulation->bias);
    m_gain = register_parameter("gain", torch::zeros({1}));
}

torch::Tensor ConditionedBlockImpl::forward(const torch::Tensor& x, const torch::Tensor& condition) {
    const auto modulation = m_modulation(condition).unsqueeze(2).unsqueeze(3).chunk(2, 1);
    const torch::Tensor inner = torch::relu(m_first(x) * (1 + modulation[0]) + modulation[1]);
    return torch::relu(x + m_gain * m_second(inner));
}

PyramidNetImpl::PyramidNetImpl(const PyramidOptions& o) : m_options(o) {
    m_stem = register_module("stem", heConvolution(o.inputs, o.widths[0], 3));
    m_scene = register_module("scene", torch::nn::Linear(o.condition, kSceneWidth));
    for (size_t level = 0; level < 3; ++level) {
        const std::string n = std::to_string(level);
        m_down[level] = register_module("down" + n, heConvolution(o.widths[level], o.widths[level + 1], 3, 2));
        m_blocks[level] = register_module("blocks" + n, torch::nn::ModuleList());
        for (int i = 0; i < o.blocks[level]; ++i) {
            m_blocks[level]->push_back(ConditionedBlock(o.widths[level + 1], kSceneWidth));
        }
        m_lateral[level] = register_module("lateral" + n, heConvolution(o.widths[level + 1], o.features, 1));
        if (level < 2) m_smooth[level] = register_module("smooth" + n, heConvolution(o.features, o.features, 3));
    }
}

PyramidNetImpl::Levels PyramidNetImpl::forward(const torch::Tensor& x, const torch::Tensor& condition) {
    const torch::Tensor scene = torch::relu(m_scene(condition));
    torch::Tensor h = torch::relu(m_stem(x));
    std::array<torch::Tensor, 3> lateral;
    for (size_t level = 0; level < 3; ++level) {
        h = torch::relu(m_down[level](h));
        for (const auto& block : *m_blocks[level]) {
            h = block->as<ConditionedBlock>()->forward(h, scene);
        }
        lateral[level] = m_lateral[level](h);
    }
    const torch::Tensor four = lateral[1] + upsampled(lateral[2]);
    const torch::Tensor two = lateral[0] + upsampled(four);
    return {torch::relu(m_smooth[0](two)), torch::relu(m_smooth[1](four))};
}

int PyramidNetImpl::reach() const {
    int pixels = 1, stride = 1;
    for (const int blocks : m_options.blocks) {
        pixels += stride; // the convolution that goes down
        stride *= 2;
        pixels += 2 * blocks * stride;
    }
    // Smoothing on the way up, and cells that stand for the pixels beside them.
    return pixels + 2 + 4 + stride + 4;
}

} // namespace blendscope
