#pragma once

#include "core/Scene.h"
#include "image/Display.h"

#include <QImage>
#include <vector>

namespace blendscope {

/// How all thumbnails of a scene are coloured: found once.
struct ThumbnailLook {
    RgbSettings rgb; ///< empty weights: one band, in grey
    Cuts cuts;
    int band = 0;
};

/// Reads a sample of the scene. `rgb`: colours to use; empty = the scene's default. Throws ReadError.
[[nodiscard]] ThumbnailLook thumbnailLook(const Scene& scene, const RgbSettings& rgb = {});

/// Pixels of one box, a matrix a band of the scene (empty where the look does not need it), as a picture, y up.
[[nodiscard]] QImage pictureOf(const std::vector<cv::Mat>& bands, const ThumbnailLook& look);

/// A square picture of a box with some sky around it, y up, at most `side` pixels a side (pixels of small blends stay
/// pixels). Throws ReadError.
[[nodiscard]] QImage blendThumbnail(const Scene& scene, const Box& box, const ThumbnailLook& look, int side);

/// What blendThumbnail shows: scene pixels, reaching beyond the scene where the blend is at its border.
[[nodiscard]] Box thumbnailBox(const Box& box);

} // namespace blendscope
