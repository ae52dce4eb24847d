#include "neural/BandInput.h"

#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

constexpr int kSide = 15;
constexpr double kNoiseBlur = 1.5;   ///< pixel: sigma over which the photons' noise is taken
constexpr double kTypicalFwhm = 4.0; ///< pixel: logarithms of widths are near zero

torch::Tensor gaussian(double sigma) {
    const torch::Tensor d = torch::arange(kSide, torch::kFloat) - kSide / 2;
    const torch::Tensor one = torch::exp(-d * d / (2.0 * sigma * sigma));
    const torch::Tensor two = torch::outer(one, one);
    return two / two.sum();
}

/// Zero sum; unit noise for unit white noise.
torch::Tensor difference(double narrow, double wide) {
    const torch::Tensor k = gaussian(narrow) - gaussian(wide);
    return k / k.square().sum().sqrt();
}

} // namespace

BandInputImpl::BandInputImpl() {
    // u and y are shallow in most surveys.
    m_weights = register_parameter(
        "weights", torch::tensor({{-1.5f, 0.0f, 0.3f, 0.3f, 0.0f, -0.7f}, {0.0f, 0.5f, 0.0f, -0.5f, -1.0f, -1.5f}}));
    m_kernels = register_buffer(
        "kernels", torch::stack({difference(0.7, 1.4), difference(1.0, 2.0), difference(1.5, 3.0)}).unsqueeze(1));
}

BandInputImpl::Output BandInputImpl::forward(const torch::Tensor& images, const torch::Tensor& presence,
                                             const torch::Tensor& fwhm, const torch::Tensor& poisson) {
    const torch::Tensor present = presence.unsqueeze(2).unsqueeze(3);
    const torch::Tensor x = images * present;
    std::vector<torch::Tensor> channels{torch::asinh(0.5 * x)};
    for (int i = 0; i < 2; ++i) {
        const torch::Tensor w = m_weights[i].exp().unsqueeze(0) * presence;
        const torch::Tensor share = w / w.square().sum(1, true).clamp_min(1e-12).sqrt();
        const torch::Tensor sum = (x * share.unsqueeze(2).unsqueeze(3)).sum(1, true);
        channels.push_back(torch::asinh(0.5 * sum));
        if (i > 0) continue;
        torch::Tensor sharp = torch::conv2d(sum, m_kernels, {}, 1, kSide / 2);
        if (poisson.defined()) {
            const torch::Tensor perSigma = (share.square() * poisson).unsqueeze(2).unsqueeze(3);
            const torch::Tensor photons = (x.clamp_min(0.0) * perSigma).sum(1, true);
            const torch::Tensor blur = gaussian(kNoiseBlur).to(x.options()).unsqueeze(0).unsqueeze(0);
            sharp = sharp / (1.0 + torch::conv2d(photons, blur, {}, 1, kSide / 2)).sqrt();
        }
        channels.push_back(torch::asinh(0.5 * sharp));
    }
    const torch::Tensor count = presence.sum(1, true).clamp_min(1);
    const torch::Tensor width = torch::log(fwhm.clamp_min(0.5) / kTypicalFwhm) * presence;
    const torch::Tensor mean = width.sum(1, true) / count;
    return {torch::cat(channels, 1), torch::cat({mean, (width - mean) * presence, presence}, 1)};
}

} // namespace blendscope
