#include "neural/CentreMap.h"

#include <algorithm>
#include <cmath>
#include <torch/torch.h>

namespace blendscope {

torch::Tensor centreTarget(const std::vector<Centre>& centres, int height, int width, double sigma) {
    torch::Tensor target = torch::zeros({height, width});
    auto t = target.accessor<float, 2>();
    const int reach = static_cast<int>(std::ceil(4.0 * sigma));
    for (const Centre& c : centres) {
        const int cx = static_cast<int>(std::lround(c.x)), cy = static_cast<int>(std::lround(c.y));
        if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue;
        for (int y = std::max(0, cy - reach); y <= std::min(height - 1, cy + reach); ++y) {
            for (int x = std::max(0, cx - reach); x <= std::min(width - 1, cx + reach); ++x) {
                const double d = std::hypot(x - c.x, y - c.y);
                t[y][x] = std::max(t[y][x], static_cast<float>(std::exp(-d * d / (2.0 * sigma * sigma))));
            }
        }
        t[cy][cx] = 1.0f;
    }
    return target;
}

torch::Tensor centreLoss(const torch::Tensor& logits, const torch::Tensor& target, const torch::Tensor& weight) {
    const torch::Tensor p = torch::sigmoid(logits);
    const torch::Tensor yes = torch::log_sigmoid(logits), no = torch::log_sigmoid(-logits);
    const torch::Tensor centre = (target >= 1).to(logits.dtype());
    const torch::Tensor found = -(1 - p).square() * yes * centre;
    const torch::Tensor empty = -(1 - target).pow(4) * p.square() * no * (1 - centre);
    return ((found + empty) * weight).sum() / (centre * weight).sum().clamp_min(1);
}

std::vector<Centre> centrePeaks(const torch::Tensor& map, float least, int most) {
    const torch::Tensor cpu = map.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const auto p = cpu.accessor<float, 2>();
    const int h = static_cast<int>(cpu.size(0)), w = static_cast<int>(cpu.size(1));
    std::vector<Centre> peaks;
    for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
            const float v = p[y][x];
            if (!(v >= least)) continue;
            bool highest = true;
            for (int j = -1; j <= 1 && highest; ++j) {
                for (int i = -1; i <= 1 && highest; ++i) {
                    if ((i == 0 && j == 0) || x + i < 0 || y + j < 0 || x + i >= w || y + j >= h) continue;
                    const bool before = j < 0 || (j == 0 && i < 0);
                    highest = before ? v > p[y + j][x + i] : v >= p[y + j][x + i];
                }
            }
            if (highest) peaks.push_back({static_cast<float>(x), static_cast<float>(y), v});
        }
    }
    std::stable_sort(peaks.begin(), peaks.end(), [](const Centre& a, const Centre& b) { return a.score > b.score; });
    if (static_cast<int>(peaks.size()) > most) peaks.resize(std::max(0, most));
    return peaks;
}

} // namespace blendscope
