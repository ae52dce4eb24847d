#pragma once

#include "neural/Layers.h"
#include "neural/Tensors.h"

namespace blendscope {

/// Size of a PhotometryNet.
struct PhotometryNetOptions {
    int width = 16; ///< of the U-Net's finest level
    int depth = 3;
    int hidden = 64; ///< of the flux head
};

/// From a stamp centred on a detection to the central object's share of the light, pixel by pixel and band by band, and
/// from there to its fluxes with Gaussian errors. A flux is a sum over pixels,
///     F_b = exp(c_b) sum_p a(p) m_b(p) d_b(p),
/// with d the data, m the share, a an aperture that the network draws to the object's measure, and c the light that
/// share and aperture leave out. Its variance is that of the same sum (sky and photons) and, on top, of what the
/// network cannot know, a fraction of the flux. All lengths are pixels, all light is in units of the sky's rms.
class PhotometryNetImpl : public torch::nn::Module {
public:
    static constexpr int kBands = 6;
    static constexpr int kInputs = 21; ///< image, PSF width, presence of six bands; own place, narrow and wide; others

    explicit PhotometryNetImpl(const PhotometryNetOptions& options = {});

    struct Output {
        torch::Tensor share;    ///< logits [n, 6, y, x]
        torch::Tensor total;    ///< all objects' light without noise, [n, 6, y, x]
        torch::Tensor aperture; ///< 0..1, [n, 1, y, x]
        torch::Tensor flux;     ///< [n, 6]
        torch::Tensor variance; ///< of `flux`, [n, 6]
        torch::Tensor scale;    ///< exp(c), [n, 6]
        torch::Tensor unknown;  ///< relative error on top of the noise, [n, 6]
    };
    /// `input` [n, 21, y, x], sides multiples of stride(); `poisson` [n, 6]: variance that light of one unit adds.
    Output forward(const torch::Tensor& input, const torch::Tensor& poisson);

    [[nodiscard]] int stride() const { return 1 << m_options.depth; }
    /// Factor on all errors, fitted after training so that pulls have unit width; 1 until then.
    [[nodiscard]] double errorFactor() const;
    void setErrorFactor(double factor);

private:
    PhotometryNetOptions m_options;
    UNet m_unet{nullptr};
    torch::nn::Linear m_first{nullptr}, m_second{nullptr}, m_last{nullptr};
    torch::Tensor m_errorFactor;
};
TORCH_MODULE(PhotometryNet);

} // namespace blendscope
