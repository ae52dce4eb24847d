#pragma once

#include <algorithm>
#include <opencv2/core.hpp>

namespace blendscope {

/// A rectangle of whole pixels: x0 <= x < x0 + width, y0 <= y < y0 + height. Pixel centres are at integers.
struct Box {
    int x0 = 0;
    int y0 = 0;
    int width = 0;
    int height = 0;

    [[nodiscard]] static Box of(cv::Size size) { return {0, 0, size.width, size.height}; }
    [[nodiscard]] static Box of(const cv::Rect& r) { return {r.x, r.y, r.width, r.height}; }

    [[nodiscard]] int x1() const { return x0 + width; }  ///< one past the last column
    [[nodiscard]] int y1() const { return y0 + height; } ///< one past the last row
    [[nodiscard]] bool empty() const { return width <= 0 || height <= 0; }
    [[nodiscard]] long long area() const { return empty() ? 0 : static_cast<long long>(width) * height; }
    [[nodiscard]] bool contains(int x, int y) const { return x >= x0 && x < x1() && y >= y0 && y < y1(); }
    [[nodiscard]] cv::Size size() const { return {width, height}; }
    [[nodiscard]] cv::Rect rect() const { return {x0, y0, width, height}; }

    [[nodiscard]] Box grown(int margin) const {
        return {x0 - margin, y0 - margin, width + 2 * margin, height + 2 * margin};
    }
    [[nodiscard]] Box shifted(int dx, int dy) const { return {x0 + dx, y0 + dy, width, height}; }
    [[nodiscard]] Box intersected(const Box& o) const {
        const int ax = std::max(x0, o.x0), ay = std::max(y0, o.y0);
        const int bx = std::min(x1(), o.x1()), by = std::min(y1(), o.y1());
        return {ax, ay, std::max(0, bx - ax), std::max(0, by - ay)};
    }
    [[nodiscard]] Box united(const Box& o) const {
        if (empty()) return o;
        if (o.empty()) return *this;
        const int ax = std::min(x0, o.x0), ay = std::min(y0, o.y0);
        return {ax, ay, std::max(x1(), o.x1()) - ax, std::max(y1(), o.y1()) - ay};
    }
    friend bool operator==(const Box&, const Box&) = default;
};

} // namespace blendscope
