#include "measure/Aperture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr int kSamples = 5; ///< per side of a border pixel

double radians(double deg) {
    return deg * std::numbers::pi / 180.0;
}

} // namespace

double Ellipse::area() const {
    return std::numbers::pi * a * b;
}

double Ellipse::reachX() const {
    return std::hypot(a * std::cos(radians(theta)), b * std::sin(radians(theta)));
}

double Ellipse::reachY() const {
    return std::hypot(a * std::sin(radians(theta)), b * std::cos(radians(theta)));
}

double Ellipse::cxx(double dx, double dy) const {
    const double c = std::cos(radians(theta)), s = std::sin(radians(theta));
    const double u = (dx * c + dy * s) / a, v = (-dx * s + dy * c) / b;
    return u * u + v * v;
}

namespace {

/// Quadratic form of an ellipse, without trigonometry per pixel.
struct Form {
    double xx, xy, yy;
    explicit Form(const Ellipse& e) {
        const double c = std::cos(radians(e.theta)), s = std::sin(radians(e.theta));
        const double ia = 1.0 / (e.a * e.a), ib = 1.0 / (e.b * e.b);
        xx = c * c * ia + s * s * ib;
        yy = s * s * ia + c * c * ib;
        xy = c * s * (ia - ib);
    }
    [[nodiscard]] double at(double dx, double dy) const { return xx * dx * dx + 2.0 * xy * dx * dy + yy * dy * dy; }
};

double covered(const Form& form, const Ellipse& e, double dx, double dy) {
    const double r = std::sqrt(form.at(dx, dy));
    const double margin = 0.71 / std::min(e.a, e.b); // half a pixel's diagonal, in elliptical radii at most
    if (r + margin <= 1.0) return 1.0;
    if (r - margin >= 1.0) return 0.0;
    int n = 0;
    for (int j = 0; j < kSamples; ++j) {
        const double sy = dy + (j + 0.5) / kSamples - 0.5;
        for (int i = 0; i < kSamples; ++i) {
            n += form.at(dx + (i + 0.5) / kSamples - 0.5, sy) <= 1.0;
        }
    }
    return double(n) / (kSamples * kSamples);
}

} // namespace

double coverage(const Ellipse& ellipse, int px, int py) {
    if (!(ellipse.a > 0.0) || !(ellipse.b > 0.0)) return 0.0;
    return covered(Form(ellipse), ellipse, px - ellipse.x, py - ellipse.y);
}

ApertureSum sumInEllipse(const cv::Mat& image, const cv::Mat& variance, const Ellipse& ellipse) {
    ApertureSum sum;
    if (image.empty() || !(ellipse.a > 0.0) || !(ellipse.b > 0.0) || !std::isfinite(ellipse.x + ellipse.y)) return sum;
    const Form form(ellipse);
    const double rx = ellipse.reachX() + 0.71, ry = ellipse.reachY() + 0.71;
    const int left = static_cast<int>(std::max(0.0, std::ceil(ellipse.x - rx)));
    const int right = static_cast<int>(std::min(image.cols - 1.0, std::floor(ellipse.x + rx)));
    const int top = static_cast<int>(std::max(0.0, std::ceil(ellipse.y - ry)));
    const int bottom = static_cast<int>(std::min(image.rows - 1.0, std::floor(ellipse.y + ry)));
    double area = 0.0;
    for (int y = top; y <= bottom; ++y) {
        const float* row = image.ptr<float>(y);
        const float* var = variance.empty() ? nullptr : variance.ptr<float>(y);
        for (int x = left; x <= right; ++x) {
            const double part = covered(form, ellipse, x - ellipse.x, y - ellipse.y);
            if (part <= 0.0) continue;
            area += part;
            sum.flux += part * row[x];
            if (var) sum.variance += part * part * var[x];
        }
    }
    sum.missingArea = std::max(0.0, ellipse.area() - area);
    return sum;
}

} // namespace blendscope
