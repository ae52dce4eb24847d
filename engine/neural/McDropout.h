#pragma once

#include <cstdint>
#include <torch/torch.h>

namespace blendscope {

/// Dropout that stays on where a network is asked for its uncertainty: Monte-Carlo dropout (Gal & Ghahramani 2016,
/// arXiv:1506.02142). In training it draws from LibTorch's generator, which the trainer seeds; in evaluation it is off
/// until sample() gives it a generator of its own, so that the same seed gives the same draws whatever else runs.
class McDropoutImpl : public torch::nn::Module {
public:
    /// `probability` of a zero, 0 <= p < 1. `channels`: drops whole channels of [n, c, y, x] in place of single values.
    explicit McDropoutImpl(double probability, bool channels = false);

    torch::Tensor forward(const torch::Tensor& x);

    /// On in evaluation, from this seed on (for every device its own generator).
    void sample(std::uint64_t seed);
    void stopSampling() { m_sampling = false; }

private:
    double m_probability;
    bool m_channels;
    bool m_sampling = false;
    std::uint64_t m_seed = 0;
    at::Generator m_generator; ///< undefined until it draws
};
TORCH_MODULE(McDropout);

/// Calls sample(seed + i) on the i-th McDropout inside a network, or stops them all.
void sampleDropout(torch::nn::Module& network, std::uint64_t seed);
void stopDropout(torch::nn::Module& network);

} // namespace blendscope
