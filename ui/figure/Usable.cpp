#include "figure/Usable.h"

#include <cmath>

namespace blendscope {

namespace {

template <typename T, typename Bad>
void mark(cv::Mat& unusable, const cv::Mat& plane, Bad bad) {
    const int rows = std::min(unusable.rows, plane.rows), cols = std::min(unusable.cols, plane.cols);
    for (int y = 0; y < rows; ++y) {
        const T* from = plane.ptr<T>(y);
        auto* to = unusable.ptr<std::uint8_t>(y);
        for (int x = 0; x < cols; ++x) {
            to[x] = static_cast<std::uint8_t>(to[x] | bad(from[x]));
        }
    }
}

} // namespace

cv::Mat unusablePixels(const Scene& scene, const std::vector<int>& bands, const Box& region, int step) {
    cv::Mat unusable((region.height + step - 1) / step, (region.width + step - 1) / step, CV_8U, cv::Scalar(0));
    for (const int b : bands) {
        const Band& band = scene.bands[static_cast<size_t>(b)];
        const int bits = band.mask ? band.unusableBits() : 0;
        if (bits != 0) {
            mark<int>(unusable, band.mask->readSampled(region, step), [bits](int v) { return (v & bits) != 0; });
        }
        if (band.variance) {
            mark<float>(unusable, band.variance->readSampled(region, step),
                        [](float v) { return !(v > 0.0f) || std::isinf(v); });
        }
    }
    if (scene.footprintMask) {
        mark<int>(unusable, scene.footprintMask->readSampled(region, step), [](int v) { return v != 0; });
    }
    return unusable;
}

QPainterPath areaOf(const cv::Mat& pixels) {
    QPainterPath path;
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* row = pixels.ptr<std::uint8_t>(y);
        for (int x = 0; x < pixels.cols; ++x) {
            if (!row[x]) continue;
            const int start = x;
            while (x < pixels.cols && row[x]) {
                ++x;
            }
            path.addRect(start, pixels.rows - 1 - y, x - start, 1);
        }
    }
    return path;
}

} // namespace blendscope
