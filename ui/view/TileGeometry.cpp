#include "view/TileGeometry.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

int TileGeometry::levels() const {
    int n = 1;
    while ((std::max(size.width, size.height) + (1 << (n - 1)) - 1) >> (n - 1) > kTile) {
        ++n;
    }
    return n;
}

cv::Size TileGeometry::levelSize(int level) const {
    const int round = (1 << level) - 1;
    return {(size.width + round) >> level, (size.height + round) >> level};
}

Box TileGeometry::pixels(const TileKey& k) const {
    const int side = kTile << k.level;
    return Box{k.x * side, k.y * side, side, side}.intersected(Box::of(size));
}

std::vector<TileKey> TileGeometry::covering(int level, double x0, double y0, double x1, double y1) const {
    const double side = static_cast<double>(kTile) * (1 << level);
    const cv::Size texels = levelSize(level);
    const int lastX = (texels.width + kTile - 1) / kTile - 1, lastY = (texels.height + kTile - 1) / kTile - 1;
    const auto index = [side](double v, int last) {
        return static_cast<int>(std::clamp(std::floor((v + 0.5) / side), -1.0, static_cast<double>(last) + 1.0));
    };
    std::vector<TileKey> keys;
    for (int y = std::max(0, index(y0, lastY)); y <= std::min(lastY, index(y1, lastY)); ++y) {
        for (int x = std::max(0, index(x0, lastX)); x <= std::min(lastX, index(x1, lastX)); ++x) {
            keys.push_back({level, x, y});
        }
    }
    const double cx = (x0 + x1) / 2 / side - 0.5, cy = (y0 + y1) / 2 / side - 0.5;
    std::stable_sort(keys.begin(), keys.end(), [cx, cy](const TileKey& a, const TileKey& b) {
        return std::hypot(a.x - cx, a.y - cy) < std::hypot(b.x - cx, b.y - cy);
    });
    return keys;
}

int TileGeometry::levelFor(double zoom) const {
    if (!(zoom > 0.0) || zoom >= 1.0) return 0;
    return std::clamp(static_cast<int>(std::floor(-std::log2(zoom) + 1e-9)), 0, levels() - 1);
}

} // namespace blendscope
