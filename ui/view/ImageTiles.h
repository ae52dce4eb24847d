#pragma once

#include "core/Scene.h"
#include "image/Display.h"
#include "view/TileReader.h"

#include <vector>

namespace blendscope {

/// Image tiles of one band (CV_32FC2: value, state) or of a colour mix (CV_32FC4: red, green, blue before the stretch,
/// state). State: 0 = good, 1 = unusable by a mask or without a part of its bands, 2 = no data (the value is 0 then).
/// Coarse texels are means over the pixels that have data (over 4 x 4 samples where a texel covers more).
class ImageTiles final : public TileReader {
public:
    static std::shared_ptr<ImageTiles> ofBand(ScenePtr scene, int band);
    static std::shared_ptr<ImageTiles> ofColours(ScenePtr scene, const RgbSettings& settings);

    [[nodiscard]] TileGeometry geometry() const override { return {m_scene->size}; }
    [[nodiscard]] cv::Mat read(const TileKey& key) const override;
    [[nodiscard]] bool plain(const cv::Mat& tile) const override;

private:
    ImageTiles() = default;
    [[nodiscard]] cv::Mat meanTexels(const Plane& plane, const TileCutter& cut) const;

    ScenePtr m_scene;
    std::vector<int> m_bands; ///< those that are read
    bool m_colour = false;
    RgbSettings m_settings;
};

} // namespace blendscope
