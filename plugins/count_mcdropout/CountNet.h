#pragma once

#include "neural/Layers.h"

#include <cstdint>

namespace blendscope {

/// Size of a CountNet. Its blocks are ResNet-18's; width 64 would be ResNet-18 itself.
struct CountNetOptions {
    int width = 24;            ///< of the finest level, which is half the stamp's size
    int classes = 6;           ///< 0, 1, ... objects; the last stands for that many or more
    double blockDropout = 0.1; ///< in the blocks of the two coarser levels
    double headDropout = 0.2;
    int inputs = 19; ///< channels: by default image, PSF width and presence of six bands, and the area in question
};

/// From a stamp to logits of the number of objects. The two finer levels have no dropout: they are computed once for
/// all passes.
class CountNetImpl : public torch::nn::Module {
public:
    explicit CountNetImpl(const CountNetOptions& options = {});

    /// [n, inputs, y, x] -> logits [n, classes] of one pass; dropout as the module's mode says.
    torch::Tensor forward(const torch::Tensor& input);

    /// Probabilities of `passes` passes with dropout on, [passes, n, classes], in evaluation mode. The same `seed`
    /// gives the same passes.
    torch::Tensor passes(const torch::Tensor& input, int passes, std::uint64_t seed);

    /// Logits are divided by this before the softmax of passes() (Guo et al. 2017, arXiv:1706.04599); 1 until fitted.
    [[nodiscard]] double temperature() const;
    void setTemperature(double temperature);

private:
    torch::Tensor head(const torch::Tensor& fine);

    ResNet m_fine{nullptr};
    torch::nn::Sequential m_coarse;
    McDropout m_dropout{nullptr};
    torch::nn::Linear m_logits{nullptr};
    torch::Tensor m_temperature;
};
TORCH_MODULE(CountNet);

} // namespace blendscope
