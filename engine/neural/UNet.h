#pragma once

#include "neural/ConvBlock.h"
#include "neural/McDropout.h"

#include <vector>

namespace blendscope {

/// Size of a U-Net.
struct UNetOptions {
    int in = 1;
    int out = 1;
    int width = 16; ///< channels of the finest level; each coarser level doubles them, up to `mostWidth`
    int mostWidth = 256;
    int depth = 3; ///< how often pixels are halved: the stride is 2^depth
    Norm norm = Norm::Affine;
    double dropout = 0.0; ///< Monte-Carlo dropout of channels at the coarsest level
};

/// Encoder and decoder with shortcuts between levels of one size (Ronneberger et al. 2015, arXiv:1505.04597): two
/// convolutions a level, halving by strided convolution, doubling by nearest neighbour and convolution (no
/// checkerboard). [n, in, y, x] -> [n, out, y, x], y and x multiples of stride().
class UNetImpl : public torch::nn::Module {
public:
    explicit UNetImpl(const UNetOptions& options);
    torch::Tensor forward(const torch::Tensor& x);
    /// The features below the last 1 x 1 convolution, [n, width, y, x], for heads of one's own.
    torch::Tensor features(const torch::Tensor& x);

    [[nodiscard]] int stride() const { return 1 << m_options.depth; }
    /// Farthest input pixel that an output pixel sees: the margin of tiles.
    [[nodiscard]] int receptiveRadius() const { return m_radius; }
    [[nodiscard]] int channels(int level) const;

private:
    UNetOptions m_options;
    std::vector<torch::nn::Sequential> m_down, m_up;
    std::vector<ConvBlock> m_reduce;
    McDropout m_dropout{nullptr};
    torch::nn::Conv2d m_head{nullptr};
    int m_radius = 0;
};
TORCH_MODULE(UNet);

} // namespace blendscope
