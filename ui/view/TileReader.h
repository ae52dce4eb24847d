#pragma once

#include "view/TileGeometry.h"

#include <memory>
#include <opencv2/core.hpp>

namespace blendscope {

/// Makes the pixels of tiles. Immutable and safe from many threads.
class TileReader {
public:
    virtual ~TileReader() = default;
    [[nodiscard]] virtual TileGeometry geometry() const = 0;
    /// TileGeometry::kTexture squared, tile and border; row 0 is the lowest y. May throw Error.
    [[nodiscard]] virtual cv::Mat read(const TileKey& key) const = 0;
    /// Nothing in a tile asks for more than the plain shader: no bad pixel, or no id at all.
    [[nodiscard]] virtual bool plain(const cv::Mat& tile) const = 0;
};

using TileReaderPtr = std::shared_ptr<const TileReader>;

/// Cuts level `level` of an array out of `read` results: texels of a tile with its border, edges repeated.
class TileCutter {
public:
    TileCutter(const TileGeometry& geometry, const TileKey& key);
    /// Pixels to read, inside the scene.
    [[nodiscard]] Box pixels() const { return m_pixels; }
    [[nodiscard]] int step() const { return m_step; }
    /// Texels (of pixels()) padded to the texture's size.
    [[nodiscard]] cv::Mat padded(const cv::Mat& texels) const;

private:
    Box m_pixels;
    int m_step;
    int m_left, m_top, m_right, m_bottom; ///< texels to repeat
};

} // namespace blendscope
