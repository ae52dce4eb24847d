#include "figure/Palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace blendscope {

namespace {

constexpr std::array<QRgb, kPaletteSize> kOkabeIto = {
    qRgb(0xE6, 0x9F, 0x00), // orange
    qRgb(0x56, 0xB4, 0xE9), // sky blue
    qRgb(0xCC, 0x79, 0xA7), // reddish purple
    qRgb(0x00, 0x9E, 0x73), // bluish green
    qRgb(0xF0, 0xE4, 0x42), // yellow
    qRgb(0xD5, 0x5E, 0x00), // vermilion
    qRgb(0x00, 0x72, 0xB2), // blue
};

// Objects this close look adjacent at the usual zoom, also with a seam of background between them.
constexpr int kReachPixels = 2;

} // namespace

QColor paletteColour(int index) {
    const int i = index % kPaletteSize;
    return QColor(kOkabeIto[static_cast<size_t>(i < 0 ? i + kPaletteSize : i)]);
}

std::vector<int> colourObjects(const cv::Mat& segmentation) {
    if (segmentation.empty()) return {-1};
    CV_Assert(segmentation.type() == CV_32S);
    int greatest = 0;
    // Number of pixel pairs that two objects have within reach: their common border.
    std::map<std::pair<int, int>, int> border;
    std::vector<bool> seen(1, false);
    for (int y = 0; y < segmentation.rows; ++y) {
        const int* row = segmentation.ptr<int>(y);
        for (int x = 0; x < segmentation.cols; ++x) {
            const int id = row[x];
            if (id <= 0) continue;
            if (id > greatest) {
                greatest = id;
                seen.resize(static_cast<size_t>(id) + 1, false);
            }
            seen[static_cast<size_t>(id)] = true;
            for (int dy = 0; dy <= kReachPixels && y + dy < segmentation.rows; ++dy) {
                const int* other = segmentation.ptr<int>(y + dy);
                const int from = dy == 0 ? x + 1 : std::max(0, x - kReachPixels);
                const int to = std::min(segmentation.cols - 1, x + kReachPixels);
                for (int i = from; i <= to; ++i) {
                    if (other[i] > 0 && other[i] != id) ++border[std::minmax(id, other[i])];
                }
            }
        }
    }

    // Only neighbours with a lower id are coloured when an object's turn comes.
    std::vector<std::vector<std::pair<int, int>>> earlier(static_cast<size_t>(greatest) + 1);
    for (const auto& [pair, length] : border) {
        earlier[static_cast<size_t>(pair.second)].emplace_back(pair.first, length);
    }
    std::vector<int> colours(static_cast<size_t>(greatest) + 1, -1);
    for (int id = 1; id <= greatest; ++id) {
        const auto i = static_cast<size_t>(id);
        if (!seen[i]) continue;
        std::array<int, kPaletteSize> cost{};
        for (const auto& [neighbour, length] : earlier[i]) {
            cost[static_cast<size_t>(colours[static_cast<size_t>(neighbour)])] += length;
        }
        // Starting at a colour of its own spreads the palette over objects without neighbours.
        int best = id % kPaletteSize;
        for (int k = 1; k < kPaletteSize; ++k) {
            const int c = (id + k) % kPaletteSize;
            if (cost[static_cast<size_t>(c)] < cost[static_cast<size_t>(best)]) best = c;
        }
        colours[i] = best;
    }
    return colours;
}

namespace look {
QColor truth() {
    return QColor(0x4C, 0xC2, 0xFF);
}
QColor detected() {
    return QColor(0xF4, 0xF4, 0xF0);
}
QColor peak() {
    return QColor(0xFF, 0xFF, 0xFF);
}
QColor noData() {
    return QColor(0x6A, 0x4A, 0x6A);
}
QColor canvas() {
    return QColor(0x14, 0x16, 0x1A);
}
QColor ink() {
    return QColor(0xE8, 0xEA, 0xED);
}
} // namespace look

QRgb divergingColour(float t) {
    if (std::isnan(t)) return look::noData().rgb();
    const float m = std::clamp(std::abs(t), 0.0f, 1.0f);
    // From a near-black middle to sky blue (too little model light is positive: orange).
    const std::array<float, 3> middle = {18.0f, 20.0f, 24.0f};
    const std::array<float, 3> end =
        t < 0.0f ? std::array<float, 3>{86.0f, 180.0f, 233.0f} : std::array<float, 3>{255.0f, 170.0f, 51.0f};
    const auto mix = [&](size_t c) { return static_cast<int>(std::lround(middle[c] + (end[c] - middle[c]) * m)); };
    return qRgb(mix(0), mix(1), mix(2));
}

} // namespace blendscope
