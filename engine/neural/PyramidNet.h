#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <vector>

namespace blendscope {

/// A convolution that keeps sizes (stride 1) or divides them, its weights drawn for layers that a ReLU follows (He et
/// al. 2015, arXiv:1502.01852).
[[nodiscard]] torch::nn::Conv2d heConvolution(int in, int out, int side, int stride = 1);

/// Two convolutions and a shortcut (He et al. 2016, arXiv:1512.03385), without norms over space, which would make a
/// network depend on the tile: the residual branch starts at zero instead (De & Smith 2020, arXiv:2002.10444). Between
/// the two, scale and shift that depend on the scene (Perez et al. 2018, arXiv:1709.07871): seeing and bands.
class ConditionedBlockImpl : public torch::nn::Module {
public:
    ConditionedBlockImpl(int channels, int condition);
    torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& condition);

private:
    torch::nn::Conv2d m_first{nullptr}, m_second{nullptr};
    torch::nn::Linear m_modulation{nullptr};
    torch::Tensor m_gain;
};
TORCH_MODULE(ConditionedBlock);

struct PyramidOptions {
    int inputs = 0;    ///< channels
    int condition = 0; ///< numbers that hold for the whole scene
    /// Channels at strides 1, 2, 4 and 8, and blocks at the last three.
    std::array<int, 4> widths{24, 48, 56, 64};
    std::array<int, 3> blocks{2, 2, 1};
    int features = 48; ///< channels of the pyramid's levels
};

/// A residual backbone with a feature pyramid (Lin et al. 2017, arXiv:1612.03144) whose finest level has stride 2, for
/// objects of a few pixels. Fully convolutional: what a pixel gives depends on pixels within kReach alone.
class PyramidNetImpl : public torch::nn::Module {
public:
    explicit PyramidNetImpl(const PyramidOptions& options);

    static constexpr int kStride = 8; ///< sides of the input must be multiples of it, and origins of tiles
    struct Levels {
        torch::Tensor fine;   ///< [N, features, H / 2, W / 2]
        torch::Tensor coarse; ///< [N, features, H / 4, W / 4]
    };
    Levels forward(const torch::Tensor& x, const torch::Tensor& condition);

    /// Pixels by which what lies outside can reach in, with these blocks.
    [[nodiscard]] int reach() const;

private:
    PyramidOptions m_options;
    torch::nn::Conv2d m_stem{nullptr};
    torch::nn::Linear m_scene{nullptr};
    std::array<torch::nn::Conv2d, 3> m_down{nullptr, nullptr, nullptr}, m_lateral{nullptr, nullptr, nullptr};
    std::array<torch::nn::Conv2d, 2> m_smooth{nullptr, nullptr};
    std::array<torch::nn::ModuleList, 3> m_blocks{nullptr, nullptr, nullptr};
};
TORCH_MODULE(PyramidNet);

} // namespace blendscope
