#include "figure/BlendThumbnail.h"

#include "figure/Palette.h"
#include "figure/Raster.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr int kLeastSide = 24; ///< scene pixels: a single faint object is not blown up to a blur
} // namespace

ThumbnailLook thumbnailLook(const Scene& scene, const RgbSettings& rgb) {
    ThumbnailLook look;
    if (scene.bands.size() > 1) {
        look.rgb = rgb.weights[0].size() == scene.bands.size() ? rgb : defaultRgb(scene);
    } else if (!scene.bands.empty()) {
        const SkyLevel sky = skyOfSample(gridSample(*scene.bands.front().image));
        look.cuts = {sky.level - 2.0f * sky.sigma, sky.level + 30.0f * sky.sigma};
    }
    return look;
}

QImage pictureOf(const std::vector<cv::Mat>& bands, const ThumbnailLook& look) {
    if (look.rgb.weights[0].empty()) return greyImage(bands[static_cast<size_t>(look.band)], look.cuts, Curve::Asinh);
    return rgbImage(bands, look.rgb);
}

Box thumbnailBox(const Box& box) {
    const int side = std::max({kLeastSide, box.width + box.width / 4 + 6, box.height + box.height / 4 + 6});
    return {box.x0 + (box.width - side) / 2, box.y0 + (box.height - side) / 2, side, side};
}

QImage blendThumbnail(const Scene& scene, const Box& box, const ThumbnailLook& look, int side) {
    const Box wanted = thumbnailBox(box);
    const Box inside = wanted.intersected(scene.box());
    QImage square(wanted.width, wanted.height, QImage::Format_RGB32);
    square.fill(look::canvas());
    if (!inside.empty() && !scene.bands.empty()) {
        std::vector<cv::Mat> bands;
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            bool used = look.rgb.weights[0].empty() && static_cast<int>(b) == look.band;
            for (const auto& weights : look.rgb.weights) {
                used = used || (b < weights.size() && weights[b] != 0.0f);
            }
            bands.push_back(used ? scene.bands[b].image->read(inside) : cv::Mat());
        }
        QPainter painter(&square);
        painter.drawImage(inside.x0 - wanted.x0, wanted.y1() - inside.y1(), pictureOf(bands, look));
    }
    const bool smaller = square.width() > side;
    return square.scaled(side, side, Qt::KeepAspectRatio, smaller ? Qt::SmoothTransformation : Qt::FastTransformation);
}

} // namespace blendscope
