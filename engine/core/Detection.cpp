#include "core/Detection.h"

#include <algorithm>

namespace blendscope {

long long Footprint::area() const {
    long long n = 0;
    for (const Span& s : spans) {
        n += s.x1 - s.x0;
    }
    return n;
}

bool Footprint::contains(int x, int y) const {
    // First span that ends beyond (x, y) in reading order.
    const auto it = std::partition_point(spans.begin(), spans.end(),
                                         [&](const Span& s) { return s.y < y || (s.y == y && s.x1 <= x); });
    return it != spans.end() && it->y == y && it->x0 <= x;
}

cv::Mat Footprint::mask(const Box& within) const {
    cv::Mat out = cv::Mat::zeros(within.size(), CV_8U);
    for (const Span& s : spans) {
        if (s.y < within.y0 || s.y >= within.y1()) continue;
        const int a = std::max(s.x0, within.x0), b = std::min(s.x1, within.x1());
        if (a < b) std::fill_n(out.ptr<uchar>(s.y - within.y0) + (a - within.x0), b - a, uchar(255));
    }
    return out;
}

Footprint Footprint::fromMask(const cv::Mat& mask, int x0, int y0) {
    Footprint f;
    int minX = mask.cols, maxX = -1, minY = mask.rows, maxY = -1;
    for (int y = 0; y < mask.rows; ++y) {
        const uchar* row = mask.ptr<uchar>(y);
        for (int x = 0; x < mask.cols;) {
            if (!row[x]) {
                ++x;
                continue;
            }
            const int start = x;
            while (x < mask.cols && row[x]) {
                ++x;
            }
            f.spans.push_back({y + y0, start + x0, x + x0});
            minX = std::min(minX, start);
            maxX = std::max(maxX, x - 1);
            minY = std::min(minY, y);
            maxY = y;
        }
    }
    if (maxX >= minX) f.box = {minX + x0, minY + y0, maxX - minX + 1, maxY - minY + 1};
    return f;
}

} // namespace blendscope
