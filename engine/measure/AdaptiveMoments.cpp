#include "measure/AdaptiveMoments.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr int kMaxIterations = 60;
constexpr double kTolerance = 1e-4;     ///< of the covariance, relative
constexpr double kCut = 20.0;           ///< squared Mahalanobis distance beyond which the weight is zero
constexpr double kLeastVariance = 0.11; ///< a third of a pixel, squared

} // namespace

double Moments::a() const {
    return std::sqrt(std::max(0.0, 0.5 * (xx + yy) + std::hypot(0.5 * (xx - yy), xy)));
}

double Moments::b() const {
    return std::sqrt(std::max(0.0, 0.5 * (xx + yy) - std::hypot(0.5 * (xx - yy), xy)));
}

double Moments::theta() const {
    if (xx == yy && xy == 0.0) return 0.0;
    const double angle = 0.5 * std::atan2(2.0 * xy, xx - yy) * 180.0 / std::numbers::pi;
    return angle <= -90.0 ? angle + 180.0 : angle;
}

Moments adaptiveMoments(const cv::Mat& image, double x, double y, double sigma, double maxShift) {
    Moments m;
    m.x = x;
    m.y = y;
    m.xx = m.yy = sigma * sigma;
    if (image.empty() || !(sigma > 0.0) || !std::isfinite(x) || !std::isfinite(y)) return m;
    for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
        const double det = m.determinant();
        const double ixx = m.yy / det, iyy = m.xx / det, ixy = -m.xy / det;
        const double reachY = std::sqrt(kCut * m.yy);
        const int top = std::max(0, static_cast<int>(std::ceil(m.y - reachY)));
        const int bottom = std::min(image.rows - 1, static_cast<int>(std::floor(m.y + reachY)));
        double s = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0, syy = 0.0;
        for (int j = top; j <= bottom; ++j) {
            const double dy = j - m.y;
            // Run of the row inside the ellipse: ixx dx^2 + 2 ixy dx dy + iyy dy^2 <= kCut.
            const double mid = -ixy * dy / ixx;
            const double root = (kCut - (iyy - ixy * ixy / ixx) * dy * dy) / ixx;
            if (root < 0.0) continue;
            const double half = std::sqrt(root);
            const int left = std::max(0, static_cast<int>(std::ceil(m.x + mid - half)));
            const int right = std::min(image.cols - 1, static_cast<int>(std::floor(m.x + mid + half)));
            if (left > right) continue;
            // The weight along the row by recurrence: the ratio of neighbours changes by a constant factor.
            double dx = left - m.x;
            double w = std::exp(-0.5 * (ixx * dx * dx + 2.0 * ixy * dx * dy + iyy * dy * dy));
            double ratio = std::exp(-(ixx * (dx + 0.5) + ixy * dy));
            const double step = std::exp(-ixx);
            const float* row = image.ptr<float>(j);
            double r = 0.0, rx = 0.0, rxx = 0.0;
            for (int i = left; i <= right; ++i, dx += 1.0) {
                const double v = w * row[i];
                r += v;
                rx += v * dx;
                rxx += v * dx * dx;
                w *= ratio;
                ratio *= step;
            }
            s += r;
            sx += rx;
            sy += r * dy;
            sxx += rxx;
            sxy += rx * dy;
            syy += r * dy * dy;
        }
        if (!(s > 0.0) || !std::isfinite(s)) return m;
        const double mx = sx / s, my = sy / s;
        // A Gaussian weight as wide as a Gaussian object halves its covariance and the offset of its centre.
        const double dx = std::clamp(2.0 * mx, -1.0, 1.0), dy = std::clamp(2.0 * my, -1.0, 1.0);
        double nxx = 2.0 * (sxx / s - mx * mx), nyy = 2.0 * (syy / s - my * my), nxy = 2.0 * (sxy / s - mx * my);
        // Steps are bounded, so that noise at the start does not throw the weight off the object.
        const double size = m.xx + m.yy, newSize = nxx + nyy;
        if (!(newSize > 0.0) || nxx * nyy - nxy * nxy <= 0.0) return m;
        const double factor = std::clamp(newSize / size, 0.5, 2.0) * size / newSize;
        nxx *= factor;
        nyy *= factor;
        nxy *= factor;
        if (nxx * nyy - nxy * nxy < kLeastVariance * kLeastVariance * 1e-2 || nxx + nyy < 2.0 * kLeastVariance)
            return m;
        const double change = std::max({std::abs(nxx - m.xx), std::abs(nyy - m.yy), std::abs(nxy - m.xy)}) / size;
        m.x += dx;
        m.y += dy;
        m.xx = nxx;
        m.yy = nyy;
        m.xy = nxy;
        if (std::hypot(m.x - x, m.y - y) > maxShift) return m;
        if (m.a() > std::max(image.cols, image.rows)) return m;
        if (change < kTolerance && std::hypot(dx, dy) < 1e-3) {
            m.valid = m.x > -0.5 && m.y > -0.5 && m.x < image.cols - 0.5 && m.y < image.rows - 0.5;
            return m;
        }
    }
    return m;
}

Moments positiveMoments(const cv::Mat& image) {
    Moments m;
    double s = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0, syy = 0.0;
    for (int y = 0; y < image.rows; ++y) {
        const float* row = image.ptr<float>(y);
        for (int x = 0; x < image.cols; ++x) {
            const double v = row[x];
            if (!(v > 0.0)) continue;
            s += v;
            sx += v * x;
            sy += v * y;
            sxx += v * x * x;
            sxy += v * x * y;
            syy += v * y * y;
        }
    }
    if (!(s > 0.0) || !std::isfinite(s)) return m;
    m.x = sx / s;
    m.y = sy / s;
    m.xx = std::max(1.0 / 12.0, sxx / s - m.x * m.x);
    m.yy = std::max(1.0 / 12.0, syy / s - m.y * m.y);
    m.xy = sxy / s - m.x * m.y;
    if (m.determinant() < 1e-4) m.xy = 0.0;
    m.valid = true;
    return m;
}

} // namespace blendscope
