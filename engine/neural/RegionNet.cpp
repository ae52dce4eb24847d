#include "neural/RegionNet.h"

#include "core/Error.h"
#include "neural/RoiAlign.h"

#include <algorithm>
#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

constexpr double kTypicalDistance = 4.0; ///< pixel: exp(0) of the distance head
constexpr double kWindowMargin = 1.25;   ///< of a region's side over its box
constexpr double kCoarseFrom = 20.0;     ///< half sides above this are sampled from the coarse level
constexpr double kCentreSigma = 1.0;     ///< pixel: how proposals are drawn for the heads
constexpr std::int64_t kCentreReach = 4; ///< pixel
constexpr int kHidden = 128, kBoxChannels = 32;

template <class Layer>
Layer quiet(Layer layer, double bias = 0.0) {
    torch::nn::init::normal_(layer->weight, 0.0, 0.01);
    torch::nn::init::constant_(layer->bias, bias);
    return layer;
}

} // namespace

RegionNetImpl::RegionNetImpl(const RegionNetOptions& options) : m_options(options) {
    const int f = options.features;
    m_input = register_module("input", BandInput());
    PyramidOptions pyramid;
    pyramid.inputs = options.imageSets * BandInputImpl::kChannels + options.planes;
    pyramid.condition = BandInputImpl::kCondition;
    pyramid.features = f;
    pyramid.widths = {24, f, 56, 64};
    m_pyramid = register_module("pyramid", PyramidNet(pyramid));
    m_reach = m_pyramid->reach() + 4 + 7; // the head's convolution, the input's kernels
    // Stride 2: each cell speaks for its 2 x 2 pixels.
    m_dense = register_module("dense", heConvolution(f, f, 3));
    m_centre = register_module("centre", quiet(torch::nn::Conv2d(torch::nn::Conv2dOptions(f, 4, 1)), -4.6));
    m_distance = register_module("distance", quiet(torch::nn::Conv2d(torch::nn::Conv2dOptions(f, 16, 1))));
    // Beside features: the region's size, and the other proposals.
    m_boxConv = register_module("box_conv", heConvolution(f + 2, kBoxChannels, 3));
    const int cells = kRegionSide / 2;
    m_hidden = register_module("hidden", torch::nn::Linear(kBoxChannels * cells * cells, kHidden));
    torch::nn::init::kaiming_normal_(m_hidden->weight, 0.0, torch::kFanIn, torch::kReLU);
    m_class = register_module("class", quiet(torch::nn::Linear(kHidden, int(kClasses))));
    m_shift = register_module("shift", quiet(torch::nn::Linear(kHidden, 2)));
    m_delta = register_module("delta", quiet(torch::nn::Linear(kHidden, 4)));
    if (!options.masks) return;
    m_mask1 = register_module("mask1", heConvolution(f + 2, options.maskChannels, 3));
    m_mask2 = register_module("mask2", heConvolution(options.maskChannels, options.maskChannels, 3));
    m_maskUp = register_module(
        "mask_up", torch::nn::ConvTranspose2d(
                       torch::nn::ConvTranspose2dOptions(options.maskChannels, options.maskChannels, 2).stride(2)));
    m_maskOut = register_module(
        "mask_out", quiet(torch::nn::Conv2d(torch::nn::Conv2dOptions(options.maskChannels, kMaskPlanes, 1))));
}

RegionNetImpl::Dense RegionNetImpl::dense(const torch::Tensor& images, const torch::Tensor& presence,
                                          const torch::Tensor& fwhm, const torch::Tensor& poisson) {
    const std::int64_t sets = std::int64_t(m_options.imageSets) * kBandSlots;
    if (images.dim() != 4 || images.size(1) != sets + m_options.planes)
        throw UsageError(QStringLiteral("the network takes %1 planes").arg(sets + m_options.planes));
    if (images.size(2) % PyramidNetImpl::kStride != 0 || images.size(3) % PyramidNetImpl::kStride != 0)
        throw UsageError(QStringLiteral("sides of %1 x %2 pixels are no multiples of %3")
                             .arg(images.size(3))
                             .arg(images.size(2))
                             .arg(PyramidNetImpl::kStride));
    std::vector<torch::Tensor> channels;
    torch::Tensor condition;
    for (int set = 0; set < m_options.imageSets; ++set) {
        BandInputImpl::Output in =
            m_input(images.narrow(1, std::int64_t(set) * kBandSlots, kBandSlots), presence, fwhm, poisson);
        channels.push_back(in.channels);
        condition = in.condition;
    }
    if (m_options.planes > 0) channels.push_back(images.narrow(1, sets, m_options.planes));
    Dense out;
    out.levels = m_pyramid(torch::cat(channels, 1), condition);
    const torch::Tensor h = torch::relu(m_dense(out.levels.fine));
    out.logits = torch::pixel_shuffle(m_centre(h), 2).squeeze(1);
    out.distances = kTypicalDistance * torch::pixel_shuffle(m_distance(h), 2).clamp(-3, 3).exp();
    return out;
}

torch::Tensor RegionNetImpl::windows(const Proposals& p) {
    const torch::Tensor half = (kWindowMargin * p.distances.amax(1, true)).clamp(kLeastWindow, kMostWindow);
    return torch::cat({p.centres - half, p.centres + half}, 1);
}

torch::Tensor RegionNetImpl::drawCentres(const PyramidNetImpl::Levels& levels, const Proposals& p) {
    const std::int64_t n = levels.fine.size(0), h = 2 * levels.fine.size(2), w = 2 * levels.fine.size(3);
    // A few pixels each: drawn on the CPU, where the largest of what overlaps does not depend on any order.
    const auto cpu = [](const torch::Tensor& t, torch::ScalarType type) {
        return t.detach().to(torch::kCPU, type).contiguous();
    };
    torch::Tensor map = torch::zeros({n, 1, h, w}, torch::kDouble);
    const torch::Tensor centres = cpu(p.centres, torch::kDouble), scores = cpu(p.scores, torch::kDouble),
                        images = cpu(p.image, torch::kLong);
    auto m = map.accessor<double, 4>();
    const auto c = centres.accessor<double, 2>();
    const auto score = scores.accessor<double, 1>();
    const auto image = images.accessor<std::int64_t, 1>();
    for (std::int64_t i = 0; i < scores.size(0); ++i) {
        const std::int64_t cx = std::lround(c[i][0]), cy = std::lround(c[i][1]);
        for (std::int64_t y = std::max<std::int64_t>(0, cy - kCentreReach); y <= std::min(h - 1, cy + kCentreReach);
             ++y) {
            for (std::int64_t x = std::max<std::int64_t>(0, cx - kCentreReach); x <= std::min(w - 1, cx + kCentreReach);
                 ++x) {
                const double dx = double(x) - c[i][0], dy = double(y) - c[i][1];
                const double v = score[i] * std::exp(-(dx * dx + dy * dy) / (2.0 * kCentreSigma * kCentreSigma));
                m[image[i]][0][y][x] = std::max(m[image[i]][0][y][x], v);
            }
        }
    }
    return map.to(levels.fine.options());
}

torch::Tensor RegionNetImpl::aligned(const PyramidNetImpl::Levels& levels, const torch::Tensor& map, const Proposals& p,
                                     const torch::Tensor& which) {
    const torch::Tensor all = windows(p);
    const torch::Tensor boxes = all.index_select(0, which), image = p.image.index_select(0, which);
    const torch::Tensor half = 0.5 * (boxes.select(1, 2) - boxes.select(1, 0));
    const torch::Tensor coarse = half > kCoarseFrom;
    torch::Tensor out = roiAlign(levels.fine, boxes, image, kRegionSide, 2.0);
    const torch::Tensor large = coarse.nonzero().squeeze(1);
    if (large.size(0) > 0) {
        const torch::Tensor from =
            roiAlign(levels.coarse, boxes.index_select(0, large), image.index_select(0, large), kRegionSide, 4.0);
        out = out.index_copy(0, large, from);
    }
    torch::Tensor drawn = roiAlign(map, boxes, image, kRegionSide, 1.0);
    if (large.size(0) > 0) {
        // Samples lie farther apart than a centre's picture is wide.
        const torch::Tensor wide = torch::max_pool2d(map, 5, 1, 2);
        drawn = drawn.index_copy(
            0, large, roiAlign(wide, boxes.index_select(0, large), image.index_select(0, large), kRegionSide, 1.0));
    }
    const torch::Tensor size = torch::log(half / 10.0).view({-1, 1, 1, 1}).expand({-1, 1, kRegionSide, kRegionSide});
    return torch::cat({out, drawn, size}, 1);
}

RegionNetImpl::Regions RegionNetImpl::regions(const PyramidNetImpl::Levels& levels, const torch::Tensor& map,
                                              const Proposals& p) {
    Regions out;
    out.windows = windows(p);
    if (p.centres.size(0) == 0) {
        const auto none = levels.fine.options();
        out.classes = torch::zeros({0, kClasses}, none);
        out.centres = torch::zeros({0, 2}, none);
        out.boxes = torch::zeros({0, 4}, none);
        return out;
    }
    const torch::Tensor which = torch::arange(p.image.size(0), p.image.options());
    const torch::Tensor x = torch::avg_pool2d(aligned(levels, map, p, which), 2);
    const torch::Tensor h = torch::relu(m_hidden(torch::relu(m_boxConv(x)).flatten(1)));
    out.classes = m_class(h);
    out.centres = p.centres + 2.0 * torch::tanh(m_shift(h));
    const torch::Tensor distances = p.distances * torch::exp(m_delta(h).clamp(-2, 2));
    out.boxes = torch::cat({out.centres - distances.narrow(1, 0, 2), out.centres + distances.narrow(1, 2, 2)}, 1);
    return out;
}

torch::Tensor RegionNetImpl::masks(const PyramidNetImpl::Levels& levels, const torch::Tensor& map, const Proposals& p,
                                   const torch::Tensor& which) {
    if (!m_options.masks) throw UsageError(QStringLiteral("this network makes no masks"));
    if (which.size(0) == 0) return torch::zeros({0, kMaskPlanes, kMaskSide, kMaskSide}, levels.fine.options());
    const torch::Tensor h = torch::relu(m_mask2(torch::relu(m_mask1(aligned(levels, map, p, which)))));
    return m_maskOut(torch::relu(m_maskUp(h)));
}

} // namespace blendscope
