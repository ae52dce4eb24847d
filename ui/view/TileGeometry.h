#pragma once

#include "core/Box.h"

#include <compare>
#include <vector>

namespace blendscope {

/// One tile of a pyramid: level 0 has the scene's pixels, each further level half as many.
struct TileKey {
    int level = 0;
    int x = 0, y = 0; ///< in tiles
    friend auto operator<=>(const TileKey&, const TileKey&) = default;
};

/// How a scene is cut into tiles. A texel (i, j) of level L covers the pixels i 2^L <= x < (i + 1) 2^L, so that image
/// coordinate x (pixel centres at integers) lies at texel coordinate (x + 0.5) / 2^L.
struct TileGeometry {
    static constexpr int kTile = 256; ///< texels a side
    static constexpr int kBorder = 4; ///< texels of the neighbours around each tile, for filters and outlines
    static constexpr int kTexture = kTile + 2 * kBorder;

    cv::Size size; ///< pixels

    [[nodiscard]] int levels() const; ///< the last level is one tile
    [[nodiscard]] TileKey root() const { return {levels() - 1, 0, 0}; }
    [[nodiscard]] cv::Size levelSize(int level) const;  ///< texels
    [[nodiscard]] Box pixels(const TileKey& key) const; ///< without border, inside the scene
    /// Tiles of a level that meet the image coordinates x0..x1, y0..y1, those in the middle first.
    [[nodiscard]] std::vector<TileKey> covering(int level, double x0, double y0, double x1, double y1) const;
    /// The level with one to two texels a screen pixel, or 0 where pixels are shown larger. `zoom`: screen pixels a
    /// pixel.
    [[nodiscard]] int levelFor(double zoom) const;
    [[nodiscard]] static TileKey parent(const TileKey& k) { return {k.level + 1, k.x / 2, k.y / 2}; }
};

} // namespace blendscope
