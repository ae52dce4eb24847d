#include "deblend/Monotonic.h"

#include <algorithm>
#include <cstdlib>

namespace blendscope {

namespace {

// Calls visit(pixel, limit) for the pixels of ring n, limit = the interpolated value one step further in.
template <class Visit>
void ring(const cv::Mat& image, int cx, int cy, int n, Visit visit) {
    const float inverse = 1.0f / float(n);
    // One side of the ring: pixels along u at distance n in v; the step inward leaves u * (n - 1) / n.
    const auto side = [&](bool vertical, int sign, int from, int to) {
        const int fixed = (vertical ? cx : cy) + sign * n;
        const int inner = fixed - sign;
        const int size = vertical ? image.cols : image.rows, along = vertical ? image.rows : image.cols;
        if (fixed < 0 || fixed >= size) return;
        const int c = vertical ? cy : cx;
        const int u0 = std::max(from, -c), u1 = std::min(to, along - 1 - c);
        for (int u = u0; u <= u1; ++u) {
            // |u| (n - 1) / n = |u| - |u| / n: between |u| - 1 and |u|
            const float f = float(std::abs(u)) * inverse;
            const int near = u > 0 ? u - 1 : u < 0 ? u + 1 : 0;
            const float a = vertical ? image.at<float>(c + u, inner) : image.at<float>(inner, c + u);
            const float b = vertical ? image.at<float>(c + near, inner) : image.at<float>(inner, c + near);
            // For |u| = n the pixel at u is not in the inner ring, and f = 1 takes all from the diagonal one.
            const float limit = std::abs(u) == n ? b : (1.0f - f) * a + f * b;
            if (vertical) {
                visit(c + u, fixed, limit);
            } else {
                visit(fixed, c + u, limit);
            }
        }
    };
    side(true, 1, -n, n);
    side(true, -1, -n, n);
    side(false, 1, -n + 1, n - 1);
    side(false, -1, -n + 1, n - 1);
}

int farthest(const cv::Mat& image, int x, int y) {
    return std::max({x, image.cols - 1 - x, y, image.rows - 1 - y});
}

} // namespace

void Monotonic::apply(cv::Mat& image, int x, int y) {
    if (image.empty()) return;
    x = std::clamp(x, 0, image.cols - 1);
    y = std::clamp(y, 0, image.rows - 1);
    const int last = farthest(image, x, y);
    for (int n = 1; n <= last; ++n) {
        ring(image, x, y, n, [&](int row, int column, float limit) {
            float& v = image.at<float>(row, column);
            v = std::min(v, limit);
        });
    }
}

bool Monotonic::holds(const cv::Mat& image, int x, int y, float tolerance) {
    if (image.empty()) return true;
    x = std::clamp(x, 0, image.cols - 1);
    y = std::clamp(y, 0, image.rows - 1);
    bool good = true;
    const int last = farthest(image, x, y);
    for (int n = 1; n <= last && good; ++n) {
        ring(image, x, y, n, [&](int row, int column, float limit) {
            good = good && image.at<float>(row, column) <= limit + tolerance;
        });
    }
    return good;
}

} // namespace blendscope
