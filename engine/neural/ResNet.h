#pragma once

#include "neural/ConvBlock.h"
#include "neural/McDropout.h"

#include <vector>

namespace blendscope {

/// Two 3 x 3 convolutions around a shortcut (He et al. 2016, arXiv:1512.03385), dropout before the second.
class BasicBlockImpl : public torch::nn::Module {
public:
    BasicBlockImpl(int in, int out, Norm norm, int stride = 1, double dropout = 0.0);
    torch::Tensor forward(const torch::Tensor& x);

private:
    ConvBlock m_first{nullptr}, m_second{nullptr}, m_shortcut{nullptr};
    McDropout m_dropout{nullptr};
};
TORCH_MODULE(BasicBlock);

/// Size of a residual network. {2, 2, 2, 2} blocks are ResNet-18's; its width is 64.
struct ResNetOptions {
    int in = 1;
    int width = 32;                         ///< channels of the first level; each further level doubles them
    std::vector<int> blocks = {2, 2, 2, 2}; ///< per level
    Norm norm = Norm::Affine;
    double dropout = 0.0;
    int stemStride = 1; ///< 1 keeps the pixels of the first level, as small stamps need; 2 halves them
};

/// Residual network without a head: a level for each entry of `blocks`, each of half the last one's size.
class ResNetImpl : public torch::nn::Module {
public:
    explicit ResNetImpl(const ResNetOptions& options);

    /// The levels' features, finest first: level i is [n, width * 2^i, y / (stemStride * 2^i), x / ...].
    std::vector<torch::Tensor> features(const torch::Tensor& x);
    /// The coarsest level.
    torch::Tensor forward(const torch::Tensor& x);

    [[nodiscard]] int channels(int level) const { return m_options.width << level; }
    [[nodiscard]] int levels() const { return static_cast<int>(m_options.blocks.size()); }
    [[nodiscard]] int stride(int level) const { return m_options.stemStride << level; } ///< pixels per cell
    /// Farthest input pixel that a cell of the coarsest level sees, in pixels from its own.
    [[nodiscard]] int receptiveRadius() const { return m_radius; }

private:
    ResNetOptions m_options;
    ConvBlock m_stem{nullptr};
    std::vector<torch::nn::Sequential> m_levels;
    int m_radius = 0;
};
TORCH_MODULE(ResNet);

} // namespace blendscope
