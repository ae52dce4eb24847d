#pragma once

#include <algorithm>
#include <vector>

namespace blendscope {

/// A rectangle with real edges, pixel; pixel centres are at integers, so a box that covers pixel 3 alone reaches from
/// 2.5 to 3.5.
struct FloatBox {
    float x0 = 0.0f, y0 = 0.0f, x1 = 0.0f, y1 = 0.0f;

    [[nodiscard]] float width() const { return std::max(0.0f, x1 - x0); }
    [[nodiscard]] float height() const { return std::max(0.0f, y1 - y0); }
    [[nodiscard]] float area() const { return width() * height(); }
};

/// Area of the overlap over area of the union, 0..1; 0 where both are empty.
[[nodiscard]] float intersectionOverUnion(const FloatBox& a, const FloatBox& b);

/// Non-maximum suppression: the indices of the boxes that stay, highest score first. A box goes when a better one that
/// stays overlaps it by more than `most` (IoU). Equal scores keep their order. Throws UsageError for lists of different
/// lengths.
[[nodiscard]] std::vector<int> suppressOverlaps(const std::vector<FloatBox>& boxes, const std::vector<float>& scores,
                                                float most);

/// The same for points: one goes when a better one that stays lies closer than `radius` pixels.
[[nodiscard]] std::vector<int> suppressNear(const std::vector<float>& x, const std::vector<float>& y,
                                            const std::vector<float>& scores, float radius);

} // namespace blendscope
