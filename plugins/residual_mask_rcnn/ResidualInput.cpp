#include "ResidualInput.h"

#include "neural/BandSlots.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kPeakSigma = 1.0; ///< pixel
constexpr int kPeakReach = 4;      ///< pixel
static_assert(kResidualPlanes == 2 * kBandSlots + 1);

} // namespace

std::vector<cv::Mat> modelIn(const Result& result, const Box& box, std::size_t bands) {
    std::vector<cv::Mat> out(bands);
    for (cv::Mat& plane : out) {
        plane = cv::Mat::zeros(box.size(), CV_32F);
    }
    for (const Component& c : result.components) {
        const Box in = c.box.intersected(box);
        if (in.empty() || c.model.size() != bands) continue;
        for (std::size_t b = 0; b < bands; ++b) {
            cv::Mat view = out[b](in.shifted(-box.x0, -box.y0).rect());
            view += c.model[b](in.shifted(-c.box.x0, -c.box.y0).rect());
        }
    }
    return out;
}

torch::Tensor residualInput(const Patch& patch, const std::vector<cv::Mat>& model, const std::vector<double>& gain,
                            const std::vector<int>& matched, const std::vector<Peak>& peaks) {
    const Box& box = patch.box;
    torch::Tensor out = torch::zeros({kResidualPlanes, box.height, box.width});
    const auto plane = [&](int index) { return cv::Mat(box.size(), CV_32F, out[index].data_ptr<float>()); };
    for (int slot = 0; slot < kBandSlots; ++slot) {
        const int b = matched[slot];
        if (b < 0 || !(patch.sigma[b] > 0.0f)) continue;
        cv::Mat pull = plane(slot), light = plane(kBandSlots + slot);
        for (int y = 0; y < box.height; ++y) {
            const float* data = patch.image[b].ptr<float>(y);
            const float* weight = patch.weight[b].ptr<float>(y);
            const float* of = model[b].ptr<float>(y);
            float* p = pull.ptr<float>(y);
            float* l = light.ptr<float>(y);
            for (int x = 0; x < box.width; ++x) {
                l[x] = of[x] / patch.sigma[b];
                if (!(weight[x] > 0.0f)) continue;
                double variance = 1.0 / double(weight[x]);
                if (gain[b] > 0.0) variance += std::max(0.0, double(of[x])) / gain[b];
                p[x] = static_cast<float>((double(data[x]) - double(of[x])) / std::sqrt(variance));
            }
        }
    }
    cv::Mat known = plane(2 * kBandSlots);
    for (const Peak& peak : peaks) {
        const int cx = static_cast<int>(std::lround(peak.x)) - box.x0,
                  cy = static_cast<int>(std::lround(peak.y)) - box.y0;
        for (int y = std::max(0, cy - kPeakReach); y <= std::min(box.height - 1, cy + kPeakReach); ++y) {
            for (int x = std::max(0, cx - kPeakReach); x <= std::min(box.width - 1, cx + kPeakReach); ++x) {
                const double dx = x + box.x0 - peak.x, dy = y + box.y0 - peak.y;
                const auto v = static_cast<float>(std::exp(-(dx * dx + dy * dy) / (2.0 * kPeakSigma * kPeakSigma)));
                known.at<float>(y, x) = std::max(known.at<float>(y, x), v);
            }
        }
    }
    return out;
}

std::vector<Peak> peaksOf(const Result& result) {
    std::vector<Peak> peaks;
    for (const Footprint& f : result.footprints) {
        peaks.insert(peaks.end(), f.peaks.begin(), f.peaks.end());
    }
    return peaks;
}

} // namespace blendscope
