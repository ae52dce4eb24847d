#pragma once

#include "view/TileReader.h"

#include <QColor>
#include <QString>
#include <vector>

namespace blendscope {

/// Tiles of a result's class planes: which class a pixel most probably is, and how probably (or the probability of one
/// class alone), as ids of a table of colours. A coarse texel shows the middle pixel of its block. No plane is copied.
class ClassTiles final : public TileReader {
public:
    static constexpr int kLevels = 32; ///< steps of probability

    /// `planes`: CV_32F [y, x] of one size, shared, not changed by anybody. `shown`: one class, or -1 = the most
    /// probable.
    ClassTiles(std::vector<cv::Mat> planes, int shown) : m_planes(std::move(planes)), m_shown(shown) {}
    [[nodiscard]] TileGeometry geometry() const override { return {m_planes.front().size()}; }
    [[nodiscard]] cv::Mat read(const TileKey& key) const override;
    [[nodiscard]] bool plain(const cv::Mat& tile) const override { return cv::countNonZero(tile) == 0; }

    /// Colours of the ids that read() gives, CV_8UC4 [id / width, id % width]; the fourth byte is the opacity, which
    /// grows with the probability. Where the most probable class is shown, the sky is left as it is.
    [[nodiscard]] static cv::Mat table(const std::vector<QString>& names, int shown, int width);

private:
    std::vector<cv::Mat> m_planes;
    int m_shown;
};

/// Colour of class number `index` in overlays and legends.
[[nodiscard]] QColor classColour(int index);
/// Whether a class is what lies between objects: sky, background, none.
[[nodiscard]] bool isSkyClass(const QString& name);

} // namespace blendscope
