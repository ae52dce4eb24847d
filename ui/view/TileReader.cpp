#include "view/TileReader.h"

#include <opencv2/imgproc.hpp>

namespace blendscope {

TileCutter::TileCutter(const TileGeometry& geometry, const TileKey& key) : m_step(1 << key.level) {
    const cv::Size texels = geometry.levelSize(key.level);
    const Box wanted{key.x * TileGeometry::kTile - TileGeometry::kBorder,
                     key.y * TileGeometry::kTile - TileGeometry::kBorder, TileGeometry::kTexture,
                     TileGeometry::kTexture};
    const Box inside = wanted.intersected(Box::of(texels));
    m_left = inside.x0 - wanted.x0;
    m_top = inside.y0 - wanted.y0;
    m_right = wanted.x1() - inside.x1();
    m_bottom = wanted.y1() - inside.y1();
    m_pixels = Box{inside.x0 * m_step, inside.y0 * m_step, inside.width * m_step, inside.height * m_step}.intersected(
        Box::of(geometry.size));
}

cv::Mat TileCutter::padded(const cv::Mat& texels) const {
    cv::Mat out;
    cv::copyMakeBorder(texels, out, m_top, m_bottom, m_left, m_right, cv::BORDER_REPLICATE);
    return out;
}

} // namespace blendscope
