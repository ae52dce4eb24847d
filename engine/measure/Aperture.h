#pragma once

#include <opencv2/core.hpp>

namespace blendscope {

/// An ellipse on a matrix: semi-axes in pixels, theta in deg from +x towards +y.
struct Ellipse {
    double x = 0.0, y = 0.0;
    double a = 0.0, b = 0.0;
    double theta = 0.0;

    /// Squared elliptical radius of a point: 1 on the ellipse.
    [[nodiscard]] double radius2(double px, double py) const { return cxx(px - x, py - y); }
    [[nodiscard]] Ellipse scaled(double factor) const { return {x, y, a * factor, b * factor, theta}; }
    [[nodiscard]] double area() const;
    /// Half the width and height of the box around the ellipse.
    [[nodiscard]] double reachX() const;
    [[nodiscard]] double reachY() const;

private:
    [[nodiscard]] double cxx(double dx, double dy) const;
};

struct ApertureSum {
    double flux = 0.0;
    double variance = 0.0;
    double missingArea = 0.0; ///< pixels of the ellipse outside the matrix
};

/// Sums `image` (and `variance`, may be empty; both CV_32F of one size) over an ellipse; pixels on its border count by
/// the part that lies inside (sampled 5 x 5).
[[nodiscard]] ApertureSum sumInEllipse(const cv::Mat& image, const cv::Mat& variance, const Ellipse& ellipse);

/// The part of pixel (px, py) inside the ellipse, 0 to 1.
[[nodiscard]] double coverage(const Ellipse& ellipse, int px, int py);

} // namespace blendscope
