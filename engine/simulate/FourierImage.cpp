#include "simulate/FourierImage.h"

#include <cmath>

namespace blendscope {

namespace {

/// Cosines and sines of k pitch (i - centre), one row an i: cosines first, then sines.
cv::Mat waves(const std::vector<double>& k, int pixels, double pitch, double centre) {
    const int n = static_cast<int>(k.size());
    cv::Mat out(pixels, 2 * n, CV_32F);
    for (int i = 0; i < pixels; ++i) {
        float* row = out.ptr<float>(i);
        for (int j = 0; j < n; ++j) {
            const double phase = k[static_cast<size_t>(j)] * pitch * (i - centre);
            row[j] = static_cast<float>(std::cos(phase));
            row[n + j] = static_cast<float>(std::sin(phase));
        }
    }
    return out;
}

} // namespace

cv::Mat fourierImage(const cv::Mat& image, double pitch, cv::Point2d centre, const std::vector<double>& kx,
                     const std::vector<double>& ky) {
    const int nx = static_cast<int>(kx.size()), ny = static_cast<int>(ky.size());
    cv::Mat rows, all;
    cv::gemm(image, waves(kx, image.cols, pitch, centre.x), 1.0, cv::noArray(), 0.0, rows);
    cv::gemm(waves(ky, image.rows, pitch, centre.y), rows, 1.0, cv::noArray(), 0.0, all, cv::GEMM_1_T);
    cv::Mat out(ny, nx, CV_32FC2);
    for (int v = 0; v < ny; ++v) {
        const float *c = all.ptr<float>(v), *s = all.ptr<float>(ny + v);
        auto* to = out.ptr<cv::Vec2f>(v);
        for (int u = 0; u < nx; ++u) {
            to[u] = {c[u] - s[nx + u], -c[nx + u] - s[u]};
        }
    }
    return out;
}

} // namespace blendscope
