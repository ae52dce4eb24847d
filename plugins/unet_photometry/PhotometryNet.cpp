#include "PhotometryNet.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr int kFeatures = 16;       ///< planes of the U-Net that are pooled for the flux head
constexpr double kMostLight = 14.0; ///< asinh of the largest light a pixel may have

/// Sum over pixels: [n, c, y, x] -> [n, c].
torch::Tensor pixels(const torch::Tensor& x) {
    return x.sum({2, 3});
}

} // namespace

PhotometryNetImpl::PhotometryNetImpl(const PhotometryNetOptions& options) : m_options(options) {
    UNetOptions u;
    u.in = kInputs;
    u.out = 2 * kBands + 1 + kFeatures;
    u.width = options.width;
    u.depth = options.depth;
    u.norm = Norm::Affine;
    m_unet = register_module("unet", UNet(u));
    const int pooled = kFeatures + 1 + 4 * kBands;
    m_first = register_module("first", torch::nn::Linear(pooled, options.hidden));
    m_second = register_module("second", torch::nn::Linear(options.hidden, options.hidden));
    m_last = register_module("last", torch::nn::Linear(options.hidden, 2 * kBands));
    const torch::NoGradGuard guard;
    // Shares begin at a half and the total at the data.
    torch::Tensor head = m_unet->named_parameters()["head.weight"], bias = m_unet->named_parameters()["head.bias"];
    head.slice(0, 0, 2 * kBands + 1).mul_(0.1);
    bias.slice(0, 0, 2 * kBands + 1).zero_();
    m_last->weight.mul_(0.1);
    m_last->bias.slice(0, 0, kBands).fill_(0.5);
    m_last->bias.slice(0, kBands).fill_(-1.5);
    m_errorFactor = register_buffer("error_factor", torch::ones({1}));
}

PhotometryNetImpl::Output PhotometryNetImpl::forward(const torch::Tensor& input, const torch::Tensor& poisson) {
    const torch::Tensor scaled = input.slice(1, 0, kBands); // asinh of light
    const torch::Tensor widths = input.slice(1, kBands, 2 * kBands).mean({2, 3});
    const torch::Tensor present = input.slice(1, 2 * kBands, 3 * kBands).amax({2, 3});
    const torch::Tensor wide = input.slice(1, 3 * kBands + 1, 3 * kBands + 2);

    const torch::Tensor planes = m_unet->forward(input);
    const torch::Tensor features = planes.slice(1, 2 * kBands + 1);
    Output out;
    out.share = planes.slice(1, 0, kBands);
    out.total = torch::sinh((scaled + planes.slice(1, kBands, 2 * kBands)).clamp(-2.0, kMostLight));
    out.aperture = torch::sigmoid(planes.slice(1, 2 * kBands, 2 * kBands + 1) + 4.0 * wide - 2.0);

    const torch::Tensor share = torch::sigmoid(out.share);
    const torch::Tensor weight = out.aperture * share;
    const torch::Tensor sum = pixels(weight * torch::sinh(scaled));
    const torch::Tensor light = out.total.clamp_min(0.0);
    const torch::Tensor noise =
        pixels(weight.square() * (1.0 + poisson.unsqueeze(2).unsqueeze(3) * light.detach())).clamp_min(1e-3);
    const torch::Tensor foreign =
        pixels(out.aperture * (1.0 - share) * light) / (pixels(weight * light) + noise.sqrt());

    const torch::Tensor one = present.unsqueeze(2).unsqueeze(3);
    const torch::Tensor mean = (weight * one).sum(1, true) / one.sum(1, true).clamp_min(1.0);
    const torch::Tensor area = pixels(mean) + 1e-3;
    const torch::Tensor pooled =
        torch::cat({pixels(mean * features) / area, torch::log(area), present, widths * present,
                    torch::asinh(sum / noise.sqrt()) * present, torch::log1p(foreign) * present},
                   1);
    torch::Tensor h = torch::silu(m_first->forward(pooled));
    h = torch::silu(m_second->forward(h));
    const torch::Tensor last = m_last->forward(h);
    out.scale = torch::exp(last.slice(1, 0, kBands).clamp(-4.0, 4.0));
    out.unknown = torch::exp(last.slice(1, kBands).clamp(-6.0, 3.0));
    out.flux = out.scale * sum;
    const torch::Tensor own = out.scale.square() * noise;
    out.variance = (own + out.unknown.square() * (out.flux.square() + own)) * m_errorFactor.square();
    return out;
}

double PhotometryNetImpl::errorFactor() const {
    return double(m_errorFactor.item<float>());
}

void PhotometryNetImpl::setErrorFactor(double factor) {
    m_errorFactor.fill_(factor);
}

} // namespace blendscope
