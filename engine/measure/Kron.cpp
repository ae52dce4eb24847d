#include "measure/Kron.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

double kronRadius(const cv::Mat& image, const Ellipse& rms, double reach) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    if (image.empty() || !(rms.a > 0.0) || !(rms.b > 0.0)) return none;
    const Ellipse outer = rms.scaled(reach);
    const double rx = outer.reachX(), ry = outer.reachY();
    const int left = static_cast<int>(std::max(0.0, std::ceil(rms.x - rx)));
    const int right = static_cast<int>(std::min(image.cols - 1.0, std::floor(rms.x + rx)));
    const int top = static_cast<int>(std::max(0.0, std::ceil(rms.y - ry)));
    const int bottom = static_cast<int>(std::min(image.rows - 1.0, std::floor(rms.y + ry)));
    const double cxx = rms.radius2(rms.x + 1.0, rms.y), cyy = rms.radius2(rms.x, rms.y + 1.0);
    const double cxy = rms.radius2(rms.x + 1.0, rms.y + 1.0) - cxx - cyy;
    const double limit = reach * reach;
    double light = 0.0, first = 0.0;
    for (int y = top; y <= bottom; ++y) {
        const float* row = image.ptr<float>(y);
        const double dy = y - rms.y;
        for (int x = left; x <= right; ++x) {
            const double dx = x - rms.x;
            const double r2 = cxx * dx * dx + cxy * dx * dy + cyy * dy * dy;
            if (r2 > limit) continue;
            light += row[x];
            first += row[x] * std::sqrt(r2);
        }
    }
    return light > 0.0 && first > 0.0 ? first / light : none;
}

} // namespace blendscope
