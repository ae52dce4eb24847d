#pragma once

#include "neural/BandSlots.h"

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

namespace blendscope {

/// From pixels in sigmas of the sky to the channels that a scene network looks at, and what it is told of the whole
/// scene. Any subset of six bands: absent ones are zero and masked. Nothing here is learned but the weights of two sums
/// over bands, so that the dynamic range (asinh) and the sharpness that tells close pairs (differences of Gaussians of
/// the linear sum, which an asinh would flatten) are given instead of found.
class BandInputImpl : public torch::nn::Module {
public:
    BandInputImpl();

    static constexpr int kChannels = kBandSlots + 2 + 3;  ///< bands, two sums, three scales of the first sum
    static constexpr int kCondition = 1 + 2 * kBandSlots; ///< mean PSF width, width of each band, presence

    struct Output {
        torch::Tensor channels;  ///< [N, kChannels, H, W]
        torch::Tensor condition; ///< [N, kCondition]
    };
    /// `images` [N, 6, H, W] in sigma of the sky, `presence` [N, 6] 0 or 1, `fwhm` [N, 6] pixels (ignored where
    /// absent), `poisson` [N, 6] variance that one sigma of light adds (Patch::poisson): the differences of Gaussians
    /// are in units of the noise with it, lest the photons of a bright star pass for objects. Undefined: none.
    Output forward(const torch::Tensor& images, const torch::Tensor& presence, const torch::Tensor& fwhm,
                   const torch::Tensor& poisson = {});

private:
    torch::Tensor m_weights; ///< [2, 6], logarithms
    torch::Tensor m_kernels; ///< [3, 1, k, k]
};
TORCH_MODULE(BandInput);

} // namespace blendscope
