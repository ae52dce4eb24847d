#pragma once

#include <opencv2/core.hpp>

namespace blendscope {

/// Makes an image fall off from a centre: no pixel may exceed the value one pixel further in on the straight line to
/// the centre (interpolated between the two pixels there). Pixels are visited in square rings around the centre, each
/// of which depends on the ring inside it only: one pass, no sorting, no memory. In place.
///
/// The constraint is that of Melchior et al. 2018 (A&C 24, 129, section 3.2); the operator is not a projection, but its
/// result always satisfies the constraint and an image that does already is left alone.
class Monotonic {
public:
    /// `image`: CV_32F [y, x]. The centre is the pixel (x, y), which may lie outside: then nearest inside.
    static void apply(cv::Mat& image, int x, int y);

    /// True if every pixel keeps the constraint to within `tolerance` (counts).
    [[nodiscard]] static bool holds(const cv::Mat& image, int x, int y, float tolerance = 0.0f);
};

} // namespace blendscope
