#include "PhotometryStamp.h"

#include <QJsonArray>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kNarrow = 1.5, kWide = 6.0; ///< sigma of the Gaussians, pixels

torch::Tensor bump(const PixelPosition& at, double sigma, const Box& box) {
    const auto axis = [sigma](int start, int count, double centre) {
        const torch::Tensor t = torch::arange(start, start + count, torch::kFloat32) - centre;
        return torch::exp(-t.square() / (2.0 * sigma * sigma));
    };
    return torch::outer(axis(box.y0, box.height, at.y), axis(box.x0, box.width, at.x));
}

} // namespace

QJsonObject photometryPreprocessing() {
    return {{QStringLiteral("bands"), QJsonArray{QStringLiteral("u"), QStringLiteral("g"), QStringLiteral("r"),
                                                 QStringLiteral("i"), QStringLiteral("z"), QStringLiteral("y")}},
            {QStringLiteral("scale"), QStringLiteral("asinh_noise")},
            {QStringLiteral("softening"), 1.0},
            {QStringLiteral("psf_width"), true},
            {QStringLiteral("presence"), true}};
}

Box photometryBox(double x, double y, int side) {
    return {int(std::lround(x)) - side / 2, int(std::lround(y)) - side / 2, side, side};
}

torch::Tensor photometryInput(const Preprocessing& preprocessing, const Patch& patch, const std::vector<int>& matched,
                              const PixelPosition& own, const std::vector<PixelPosition>& others) {
    torch::Tensor rest = torch::zeros({patch.box.height, patch.box.width});
    for (const PixelPosition& p : others) {
        if (patch.box.grown(6).contains(int(std::lround(p.x)), int(std::lround(p.y)))) {
            rest = torch::maximum(rest, bump(p, kNarrow, patch.box));
        }
    }
    return torch::cat({preprocessing.encode(patch, matched),
                       torch::stack({bump(own, kNarrow, patch.box), bump(own, kWide, patch.box), rest})},
                      0);
}

torch::Tensor photometryPoisson(const Patch& patch, const std::vector<int>& matched, const std::vector<double>& gain) {
    torch::Tensor out = torch::zeros({static_cast<std::int64_t>(matched.size())});
    for (size_t s = 0; s < matched.size(); ++s) {
        if (matched[s] < 0) continue;
        const auto b = static_cast<size_t>(matched[s]);
        const double g = gain[b], sigma = double(patch.sigma[b]);
        if (g > 0.0 && sigma > 0.0) out[std::int64_t(s)] = 1.0 / (g * sigma);
    }
    return out;
}

} // namespace blendscope
