#include "measure/HalfLight.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace blendscope {

double lightRadius(const cv::Mat& image, double x, double y, double total, double maxRadius, double fraction) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    if (image.empty() || !(total > 0.0) || !(maxRadius > 0.0) || !std::isfinite(x) || !std::isfinite(y)) return none;
    constexpr double kStep = 0.1; // pixel, far below what noise allows
    constexpr int kSamples = 5;
    maxRadius = std::min(maxRadius, std::hypot(double(image.cols), double(image.rows)));
    const int bins = static_cast<int>(std::ceil(maxRadius / kStep)) + 1;
    std::vector<double> light(bins, 0.0);
    const int left = static_cast<int>(std::max(0.0, std::ceil(x - maxRadius)));
    const int right = static_cast<int>(std::min(image.cols - 1.0, std::floor(x + maxRadius)));
    const int top = static_cast<int>(std::max(0.0, std::ceil(y - maxRadius)));
    const int bottom = static_cast<int>(std::min(image.rows - 1.0, std::floor(y + maxRadius)));
    for (int j = top; j <= bottom; ++j) {
        const float* row = image.ptr<float>(j);
        for (int i = left; i <= right; ++i) {
            const double dx = i - x, dy = j - y;
            // Far out a pixel is thin against its radius: 3 samples a side do.
            const int n = dx * dx + dy * dy < 64.0 ? kSamples : 3;
            const double part = row[i] / (n * n);
            for (int v = 0; v < n; ++v) {
                const double sy = dy + (v + 0.5) / n - 0.5;
                for (int u = 0; u < n; ++u) {
                    const double sx = dx + (u + 0.5) / n - 0.5;
                    const int bin = static_cast<int>(std::sqrt(sx * sx + sy * sy) / kStep);
                    if (bin < bins) light[bin] += part;
                }
            }
        }
    }
    const double wanted = fraction * total;
    double sum = 0.0;
    for (int k = 0; k < bins; ++k) {
        if (sum + light[k] >= wanted) {
            return kStep * (k + (light[k] > 0.0 ? (wanted - sum) / light[k] : 0.0));
        }
        sum += light[k];
    }
    return none;
}

} // namespace blendscope
