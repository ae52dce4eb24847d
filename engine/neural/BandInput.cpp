#include "neural/BandInput.h"

#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

constexpr int kSide = 15;
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
                                             const torch::Tensor& fwhm) {
    const torch::Tensor present = presence.unsqueeze(2).unsqueeze(3);
    const torch::Tensor x = images * present;
    std::vector<torch::Tensor> channels{torch::asinh(0.5 * x)};
    for (int i = 0; i < 2; ++i) {
        const torch::Tensor w = m_weights[i].exp().unsqueeze(0) * presence;
        const torch::Tensor norm = w.square().sum(1, true).clamp_min(1e-12).sqrt();
        const torch::Tensor sum = (x * (w / norm).unsqueeze(2).unsqueeze(3)).sum(1, true);
        channels.push_back(torch::asinh(0.5 * sum));
        if (i == 0) channels.push_back(torch::asinh(0.5 * torch::conv2d(sum, m_kernels, {}, 1, kSide / 2)));
    }
    const torch::Tensor count = presence.sum(1, true).clamp_min(1);
    const torch::Tensor width = torch::log(fwhm.clamp_min(0.5) / kTypicalFwhm) * presence;
    const torch::Tensor mean = width.sum(1, true) / count;
    return {torch::cat(channels, 1), torch::cat({mean, (width - mean) * presence, presence}, 1)};
}

} // namespace blendscope
