#include "measure/Blendedness.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

double blendedness(const cv::Mat& child, const cv::Mat& parent, const Moments& m) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const double det = m.determinant();
    if (child.empty() || child.size() != parent.size() || !(det > 0.0)) return none;
    const double ixx = m.yy / det, iyy = m.xx / det, ixy = -m.xy / det;
    const double reachX = 5.0 * std::sqrt(m.xx), reachY = 5.0 * std::sqrt(m.yy);
    const int left = static_cast<int>(std::max(0.0, std::ceil(m.x - reachX)));
    const int right = static_cast<int>(std::min(child.cols - 1.0, std::floor(m.x + reachX)));
    const int top = static_cast<int>(std::max(0.0, std::ceil(m.y - reachY)));
    const int bottom = static_cast<int>(std::min(child.rows - 1.0, std::floor(m.y + reachY)));
    double own = 0.0, all = 0.0;
    for (int y = top; y <= bottom; ++y) {
        const float* c = child.ptr<float>(y);
        const float* p = parent.ptr<float>(y);
        const double dy = y - m.y;
        for (int x = left; x <= right; ++x) {
            const double dx = x - m.x;
            const double w = std::exp(-0.5 * (ixx * dx * dx + 2.0 * ixy * dx * dy + iyy * dy * dy));
            own += w * c[x];
            all += w * p[x];
        }
    }
    if (!(all > 0.0) || !std::isfinite(own)) return none;
    return std::clamp(1.0 - own / all, 0.0, 1.0);
}

} // namespace blendscope
