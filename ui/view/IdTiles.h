#pragma once

#include "view/TileReader.h"

namespace blendscope {

/// Tiles of an id image (CV_32SC1). A coarse texel shows the id of most pixels of its block that have one (of the first
/// of 4 x 4 samples), so that small objects stay in sight.
class IdTiles final : public TileReader {
public:
    /// `ids`: CV_32S [y, x], shared, not changed by anybody.
    explicit IdTiles(cv::Mat ids) : m_ids(std::move(ids)) {}
    [[nodiscard]] TileGeometry geometry() const override { return {m_ids.size()}; }
    [[nodiscard]] cv::Mat read(const TileKey& key) const override;
    [[nodiscard]] bool plain(const cv::Mat& tile) const override { return cv::countNonZero(tile) == 0; }

private:
    cv::Mat m_ids;
};

} // namespace blendscope
