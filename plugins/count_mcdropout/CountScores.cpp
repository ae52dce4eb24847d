#include "CountScores.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr int kBins = 15;

double binnedError(const torch::Tensor& stated, const torch::Tensor& happened) {
    const torch::Tensor bin = (stated * kBins).floor().clamp(0, kBins - 1);
    double error = 0.0;
    for (int k = 0; k < kBins; ++k) {
        const torch::Tensor in = (bin == k).to(torch::kFloat64);
        error += std::abs(((stated - happened) * in).sum().item<double>());
    }
    return error / double(std::max<std::int64_t>(1, stated.size(0)));
}

} // namespace

CountScores CountScores::of(const torch::Tensor& probabilities, const torch::Tensor& counts) {
    const torch::Tensor p = probabilities.to(torch::kCPU, torch::kFloat64);
    const torch::Tensor truth = counts.to(torch::kCPU, torch::kInt64);
    CountScores s;
    if (truth.numel() == 0) return s;
    s.logScore = -p.gather(1, truth.unsqueeze(1)).clamp_min(1e-6).log().mean().item<double>();
    const auto [confidence, likeliest] = p.max(1);
    const torch::Tensor right = (likeliest == truth).to(torch::kFloat64);
    s.accuracy = right.mean().item<double>();
    s.calibrationError = binnedError(confidence, right);
    s.severalError = binnedError(p.slice(1, 2).sum(1), (truth > 1).to(torch::kFloat64));
    for (std::int64_t k = 0; k < p.size(1); ++k) {
        const double f = (truth == k).to(torch::kFloat64).mean().item<double>();
        if (f > 0.0) s.priorScore -= f * std::log(f);
    }
    return s;
}

} // namespace blendscope
