#pragma once

#include "core/Lanes.h"

#include <cstddef>

namespace blendscope {

/// A run of rows of one or several images: image i, row y, lane l at at[i * plane + y * stride + l].
struct LaneView {
    const Lanes* at = nullptr;
    std::size_t stride = 0, plane = 0;
};

/// Weighted sums over `rows` x `count` lanes. All views start at the same pixel.
namespace lane_products {

/// out[i * n + j] = sum of w a_i b_j, for i < m and j < n. m, n <= 7.
void all(const LaneView& w, const LaneView& a, int m, const LaneView& b, int n, int rows, int count, float* out);

/// out[i] = sum of w r a_i, for i < m <= 7.
void withResidual(const LaneView& w, const LaneView& r, const LaneView& a, int m, int rows, int count, double* out);

/// r -= f t
void subtract(Lanes* r, std::size_t stride, const LaneView& t, float f, int rows, int count);

/// Sum of w r^2.
[[nodiscard]] double squares(const LaneView& w, const LaneView& r, int rows, int count);

} // namespace lane_products

} // namespace blendscope
