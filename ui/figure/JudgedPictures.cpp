#include "figure/JudgedPictures.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "figure/BlendPictures.h"
#include "figure/OutcomeLook.h"
#include "figure/Palette.h"
#include "figure/TruthShading.h"
#include "simulate/TruthRenderer.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>
#include <optional>

namespace blendscope {

namespace {

constexpr int kLargest = 512;           ///< pictures of larger blends are shrunk to this
constexpr std::size_t kMostWhole = 300; ///< isolated planes of the scene's size that are summed
constexpr double kEllipseSigmas = 2.2;  ///< holds most of what one sees of an exponential disc
constexpr int kShadingAlpha = 95;
constexpr int kReach = 150;               ///< pixels from which light may reach a picture
constexpr std::size_t kMostLettered = 12; ///< the brightest; more letters hide what they name

QImage limited(const QImage& image) {
    if (std::max(image.width(), image.height()) <= kLargest) return image;
    return image.scaled(kLargest, kLargest, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

/// The light of all true objects in a band, noiseless; empty where that cannot be known.
cv::Mat truthLight(const Truth& truth, std::size_t band, const Box& box) {
    if (band < truth.noiseless.size() && truth.noiseless[band]) return truth.noiseless[band]->read(box).clone();
    if (band >= truth.isolated.size()) return {};
    cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F);
    std::size_t whole = 0;
    for (const PlanePtr& plane : truth.isolated[band]) {
        if (!plane) return {};
        const auto* cutout = dynamic_cast<const CutoutPlane*>(plane.get());
        if (cutout && cutout->cutoutBox().intersected(box).empty()) continue;
        if (!cutout && ++whole > kMostWhole) return {};
        sum += plane->read(box);
    }
    return sum;
}

/// Truth of a table alone: the objects around the picture, drawn through the scene's PSFs; nothing where the scene has
/// images of them, or they cannot be drawn.
std::optional<Scene> withDrawnTruth(const Scene& scene, const Box& box) {
    if (!scene.truth) return std::nullopt;
    const Truth& truth = *scene.truth;
    if (!truth.isolated.empty() || !truth.noiseless.empty()) return std::nullopt;
    Scene near = scene;
    const Box around = box.grown(kReach);
    std::erase_if(near.truth->objects, [&](const TruthObject& t) {
        return !std::isfinite(t.x) || !std::isfinite(t.y) ||
               !around.contains(int(std::lround(t.x)), int(std::lround(t.y)));
    });
    try {
        near.truth->isolated = TruthRenderer(near).isolated();
    } catch (const UsageError&) {
        return std::nullopt;
    }
    return near;
}

void fill(JudgedPictures& p, const Scene& scene, const Judgement& judgement, const BlendVerdict& blend,
          const RgbSettings& rgb) {
    Box wanted = blend.box;
    for (const int id : blend.members) {
        const TruthVerdict* t = judgement.object(id);
        if (t && std::isfinite(t->x) && std::isfinite(t->y))
            wanted = wanted.united({int(std::lround(t->x)), int(std::lround(t->y)), 1, 1});
    }
    // What was measured of a faint one may be larger than its footprint.
    constexpr int kLeastSide = 24;
    const int moreX = std::max(0, kLeastSide - wanted.width) / 2, moreY = std::max(0, kLeastSide - wanted.height) / 2;
    wanted = {wanted.x0 - moreX, wanted.y0 - moreY, wanted.width + 2 * moreX, wanted.height + 2 * moreY};
    p.box = pictureBox(wanted, scene);
    if (p.box.empty()) {
        p.problem = QStringLiteral("The blend lies outside the scene.");
        return;
    }
    const ThumbnailLook look = thumbnailLook(scene, rgb);
    std::vector<cv::Mat> data;
    for (const Band& band : scene.bands) {
        data.push_back(band.image->read(p.box).clone());
    }
    p.data = limited(pictureOf(data, look));
    const std::optional<Scene> drawn = withDrawnTruth(scene, p.box);
    const cv::Mat ids = truthIds(drawn ? *drawn : scene, p.box);
    if (!ids.empty()) {
        p.colours = colourObjects(ids);
        p.shading = truthShading(ids, p.colours, kShadingAlpha);
    }
    if (!scene.truth) return;
    const Truth& truth = drawn ? *drawn->truth : *scene.truth;
    std::vector<cv::Mat> noise(data.size());
    for (std::size_t b = 0; b < data.size(); ++b) {
        const cv::Mat light = truthLight(truth, b, p.box);
        if (!light.empty()) noise[b] = data[b] - light;
    }
    for (const int id : blend.members) {
        JudgedPictures::Alone alone{id, {}};
        const auto row =
            std::find_if(truth.objects.begin(), truth.objects.end(), [id](const TruthObject& t) { return t.id == id; });
        const auto i = static_cast<std::size_t>(row - truth.objects.begin());
        std::vector<cv::Mat> own(data.size());
        bool whole = row != truth.objects.end();
        for (std::size_t b = 0; whole && b < data.size(); ++b) {
            whole = !noise[b].empty() && b < truth.isolated.size() && i < truth.isolated[b].size() &&
                    truth.isolated[b][i] != nullptr;
            if (whole) own[b] = noise[b] + truth.isolated[b][i]->read(p.box);
        }
        if (whole) alone.image = limited(pictureOf(own, look));
        p.alone.push_back(std::move(alone));
    }
}

void haloText(QPainter& painter, QPointF at, const QString& text, const QColor& colour) {
    QPainterPath path;
    path.addText(at, painter.font(), text);
    painter.strokePath(path, QPen(QColor(0, 0, 0, 200), 3.0, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.fillPath(path, colour);
}

} // namespace

QColor JudgedPictures::colour(int truthId) const {
    const auto i = static_cast<std::size_t>(std::max(0, truthId));
    return paletteColour(i < colours.size() && colours[i] >= 0 ? colours[i] : truthId);
}

std::shared_ptr<const JudgedPictures> makeJudgedPictures(const Scene& scene, const Judgement& judgement, int blendId,
                                                         const RgbSettings& rgb) {
    auto pictures = std::make_shared<JudgedPictures>();
    pictures->blendId = blendId;
    try {
        if (const BlendVerdict* blend = judgement.blend(blendId)) fill(*pictures, scene, judgement, *blend, rgb);
    } catch (const std::exception& e) {
        pictures->problem = QString::fromUtf8(e.what());
    }
    return pictures;
}

void paintJudgedBlend(QPainter& painter, const QRectF& box, const JudgedPictures& pictures, const Judgement& judgement,
                      const Result* result, bool shade) {
    painter.save();
    painter.fillRect(box, look::canvas());
    if (pictures.data.isNull() || pictures.box.empty()) {
        painter.setPen(look::ink());
        painter.drawText(box, Qt::AlignCenter | Qt::TextWordWrap, pictures.problem);
        painter.restore();
        return;
    }
    const double scale = std::min(box.width() / pictures.box.width, box.height() / pictures.box.height);
    const QSizeF size(scale * pictures.box.width, scale * pictures.box.height);
    const QRectF area(box.center() - QPointF(size.width() / 2, size.height() / 2), size);
    const auto at = [&](double x, double y) {
        return QPointF(area.left() + (x - pictures.box.x0 + 0.5) * scale,
                       area.bottom() - (y - pictures.box.y0 + 0.5) * scale);
    };
    painter.setClipRect(area);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, scale < 1.0);
    painter.drawImage(area, pictures.data);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    if (shade && !pictures.shading.isNull()) painter.drawImage(area, pictures.shading);
    painter.setRenderHint(QPainter::Antialiasing);
    QFont font = painter.font();
    font.setBold(true);

    const BlendVerdict* own = judgement.blend(pictures.blendId);
    const bool crowded = own && own->members.size() > kMostLettered;
    for (std::size_t k = 0; result && k < result->objects.size(); ++k) {
        const Object& o = result->objects[k];
        if (!pictures.box.grown(4).contains(int(std::lround(o.x)), int(std::lround(o.y)))) continue;
        const DetectionVerdict* d = judgement.detection(o.id);
        const Outcome outcome = d ? d->outcome : Outcome::Unknown;
        const bool mine = own && d && d->blend == own->id;
        // An object that could not be measured still has its place.
        const double a = std::isfinite(o.a) && o.a > 0.0f ? kEllipseSigmas * double(o.a) : 2.0;
        const double b = std::isfinite(o.b) && o.b > 0.0f ? kEllipseSigmas * double(o.b) : 2.0;
        painter.save();
        painter.translate(at(o.x, o.y));
        painter.rotate(-double(std::isfinite(o.theta) ? o.theta : 0.0f));
        painter.setOpacity(mine ? 1.0 : 0.45);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3.6));
        painter.drawEllipse(QPointF(0, 0), a * scale, b * scale);
        QPen dashed(mine ? outcomeLook(outcome).colour.lighter(125) : look::detected(), 1.8);
        dashed.setDashPattern({4.0, 3.0});
        painter.setPen(dashed);
        painter.drawEllipse(QPointF(0, 0), a * scale, b * scale);
        painter.restore();
        if (!mine || crowded) continue;
        font.setPixelSize(11);
        painter.setFont(font);
        haloText(painter, at(o.x, o.y) + QPointF(std::min(a * scale, 40.0) * 0.7 + 3, 12), QString::number(o.id),
                 look::ink());
    }
    for (std::size_t k = 0; own && k < own->members.size(); ++k) {
        const TruthVerdict* t = judgement.object(own->members[k]);
        if (!t) continue;
        painter.setPen(QPen(QColor(0, 0, 0, 180), 1.0));
        painter.setBrush(pictures.colour(t->id));
        painter.drawEllipse(at(t->x, t->y), 3.2, 3.2);
        if (k >= kMostLettered) continue;
        font.setPixelSize(14);
        painter.setFont(font);
        haloText(painter, at(t->x, t->y) + QPointF(-15, -5), t->letter, pictures.colour(t->id).lighter(140));
    }
    painter.restore();
}

} // namespace blendscope
