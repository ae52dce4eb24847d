#include "figure/SceneFigure.h"

#include "core/Error.h"
#include "figure/Palette.h"
#include "figure/Raster.h"
#include "figure/TruthShading.h"
#include "figure/Usable.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kPictureSide = 1000.0;
// An ellipse of 2.2 rms radii holds most of what one sees of an exponential disc.
constexpr double kEllipseFactor = 2.2;

QPen cosmetic(const QColor& colour, double width, Qt::PenStyle style = Qt::SolidLine) {
    QPen pen(colour, width, style);
    pen.setCosmetic(true);
    return pen;
}

/// 1, 2 or 5 times a power of ten.
double niceLength(double about) {
    const double power = std::pow(10.0, std::floor(std::log10(about)));
    for (const double step : {5.0, 2.0, 1.0}) {
        if (step * power <= about) return step * power;
    }
    return power;
}

void haloText(QPainter& painter, const QRectF& box, int align, const QString& text) {
    painter.setPen(look::canvas());
    for (const QPointF& d : {QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)}) {
        painter.drawText(box.translated(d), align, text);
    }
    painter.setPen(look::ink());
    painter.drawText(box, align, text);
}

} // namespace

QMap<int, QPainterPath> outlines(const cv::Mat& labels, double zoom) {
    QMap<int, QPainterPath> paths;
    if (labels.empty()) return paths;
    const int rows = labels.rows, cols = labels.cols;
    const auto label = [&](int y, int x) {
        return y < 0 || x < 0 || y >= rows || x >= cols ? 0 : labels.at<int>(y, x);
    };
    const double inset = std::min(0.5, 0.12 * zoom);
    // Runs of pixel sides: below and above each row, left and right of each column.
    for (const int dy : {-1, 1}) {
        for (int y = 0; y < rows; ++y) {
            for (int x = 0; x < cols;) {
                const int id = label(y, x), start = x;
                while (x < cols && label(y, x) == id && id > 0 && label(y + dy, x) != id) {
                    ++x;
                }
                if (x > start) {
                    const double Y = (rows - y - (dy > 0 ? 1 : 0)) * zoom + (dy > 0 ? inset : -inset);
                    paths[id].moveTo(start * zoom, Y);
                    paths[id].lineTo(x * zoom, Y);
                } else {
                    ++x;
                }
            }
        }
    }
    for (const int dx : {-1, 1}) {
        for (int x = 0; x < cols; ++x) {
            for (int y = 0; y < rows;) {
                const int id = label(y, x), start = y;
                while (y < rows && label(y, x) == id && id > 0 && label(y, x + dx) != id) {
                    ++y;
                }
                if (y > start) {
                    const double X = (x + (dx > 0 ? 1 : 0)) * zoom + (dx > 0 ? -inset : inset);
                    paths[id].moveTo(X, (rows - start) * zoom);
                    paths[id].lineTo(X, (rows - y) * zoom);
                } else {
                    ++y;
                }
            }
        }
    }
    return paths;
}

SceneFigure::SceneFigure(const Scene& scene, const Result* result, const SceneFigureOptions& options)
    : m_scene(scene), m_result(result), m_options(options) {
    m_region = options.region.empty() ? scene.box() : options.region.intersected(scene.box());
    if (m_region.empty()) throw UsageError(QStringLiteral("the region lies outside the scene"));
    m_zoom = options.zoom > 0.0 ? options.zoom : kPictureSide / std::max(m_region.width, m_region.height);
    if (options.zoom <= 0.0 && m_zoom > 1.0) m_zoom = std::floor(m_zoom);
    if (m_region.width * m_zoom > 20000.0 || m_region.height * m_zoom > 20000.0) {
        throw UsageError(QStringLiteral("the picture would be larger than 20000 pixels: use a smaller zoom"));
    }
    // Small zooms need no more pixels than they show.
    const int step = m_zoom < 1.0 ? std::max(1, static_cast<int>(std::floor(1.0 / m_zoom))) : 1;
    if (options.band >= 0) {
        const Plane& plane = *scene.bands.at(static_cast<size_t>(options.band)).image;
        const cv::Mat band = plane.readSampled(m_region, step);
        Cuts cuts;
        if (options.cuts) {
            cuts = *options.cuts;
        } else {
            const std::vector<float> sample = gridSample(plane);
            const SkyLevel sky = skyOfSample(sample);
            cuts = percentileCuts(sample, 99.4);
            cuts.low = sky.level - 2.0f * sky.sigma;
            cuts.high = std::max(cuts.high, sky.level + 10.0f * sky.sigma);
        }
        m_image = greyImage(band, cuts, Curve::Asinh);
        if (step == 1) {
            m_missing = missingArea({band});
            m_unusable = areaOf(unusablePixels(scene, {options.band}, m_region, 1));
        }
    } else {
        const RgbSettings rgb = options.rgb ? *options.rgb : defaultRgb(scene);
        std::vector<cv::Mat> bands;
        for (const Band& band : scene.bands) {
            bands.push_back(band.image->readSampled(m_region, step));
        }
        m_image = rgbImage(bands, rgb);
        if (step == 1) {
            std::vector<int> all(bands.size());
            std::iota(all.begin(), all.end(), 0);
            m_missing = missingArea(bands);
            m_unusable = areaOf(unusablePixels(scene, all, m_region, 1));
        }
    }
}

QSize SceneFigure::size() const {
    return {std::max(1, static_cast<int>(std::lround(m_region.width * m_zoom))),
            std::max(1, static_cast<int>(std::lround(m_region.height * m_zoom)))};
}

QPointF SceneFigure::at(double x, double y) const {
    return {(x - m_region.x0 + 0.5) * m_zoom, (m_region.y1() - 0.5 - y) * m_zoom};
}

void SceneFigure::paint(QPainter& painter) const {
    const QRectF all(QPointF(0, 0), QSizeF(size()));
    painter.save();
    painter.setClipRect(all);
    painter.fillRect(all, look::canvas());
    painter.setRenderHint(QPainter::SmoothPixmapTransform, m_zoom < 1.0);
    painter.drawImage(all, m_image);
    painter.setRenderHint(QPainter::Antialiasing);
    // As the window: broad stripes where there is no data, thin ones the other way where pixels cannot be used.
    const auto hatch = [&](const QPainterPath& area, Qt::BrushStyle style) {
        if (area.isEmpty()) return;
        painter.save();
        painter.scale(m_zoom, m_zoom);
        painter.setPen(Qt::NoPen);
        QBrush brush(look::noData(), style);
        brush.setTransform(QTransform::fromScale(1.0 / m_zoom, 1.0 / m_zoom));
        painter.fillPath(area, brush);
        painter.restore();
    };
    hatch(m_unusable, Qt::FDiagPattern);
    hatch(m_missing, Qt::BDiagPattern);
    if (m_options.truth) paintTruth(painter);
    if (m_options.masks && m_result) paintMasks(painter);
    if (m_result) paintMarks(painter);
    if (m_options.compass) paintCompass(painter);
    if (m_options.scaleBar) paintScaleBar(painter);
    painter.restore();
}

void SceneFigure::paintTruth(QPainter& painter) const {
    if (!m_scene.truth) return;
    const cv::Mat ids = truthIds(m_scene, m_region);
    if (!ids.empty()) {
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        painter.drawImage(QRectF(QPointF(0, 0), QSizeF(size())), truthShading(ids, colourObjects(ids), 90));
    }
    painter.setPen(cosmetic(look::canvas(), 1.0));
    painter.setBrush(look::truth());
    for (const TruthObject& object : m_scene.truth->objects) {
        painter.drawEllipse(at(object.x, object.y), 3.0, 3.0);
    }
    painter.setBrush(Qt::NoBrush);
}

void SceneFigure::paintMasks(QPainter& painter) const {
    if (m_result->segmentation.size() != m_scene.size) return;
    // Colours come from the whole scene, so that every cut of it shows an object in the same one.
    const std::vector<int> colours = colourObjects(m_result->segmentation);
    const cv::Mat labels = m_result->segmentation(m_region.rect());
    QImage fill(labels.cols, labels.rows, QImage::Format_ARGB32);
    for (int y = 0; y < labels.rows; ++y) {
        const int* row = labels.ptr<int>(y);
        auto* line = reinterpret_cast<QRgb*>(fill.scanLine(labels.rows - 1 - y));
        for (int x = 0; x < labels.cols; ++x) {
            const QRgb c = row[x] > 0 ? paletteColour(colours[static_cast<size_t>(row[x])]).rgb() : 0;
            line[x] = row[x] > 0 ? qRgba(qRed(c), qGreen(c), qBlue(c), 40) : qRgba(0, 0, 0, 0);
        }
    }
    painter.setRenderHint(QPainter::SmoothPixmapTransform, m_zoom < 1.0);
    painter.drawImage(QRectF(QPointF(0, 0), QSizeF(size())), fill);
    if (m_zoom < 1.0) return;
    const QMap<int, QPainterPath> paths = outlines(labels, m_zoom);
    for (auto it = paths.begin(); it != paths.end(); ++it) {
        painter.strokePath(it.value(),
                           cosmetic(paletteColour(colours[static_cast<size_t>(it.key())]), m_zoom >= 3.0 ? 1.6 : 1.0));
    }
}

void SceneFigure::paintMarks(QPainter& painter) const {
    const QRectF visible = QRectF(m_region.x0, m_region.y0, m_region.width, m_region.height).adjusted(-30, -30, 30, 30);
    for (const Object& o : m_result->objects) {
        if (!visible.contains(o.x, o.y)) continue;
        if (m_options.ellipses && std::isfinite(o.a) && std::isfinite(o.b) && o.a > 0.0f) {
            painter.save();
            painter.translate(at(o.x, o.y));
            painter.rotate(-double(std::isfinite(o.theta) ? o.theta : 0.0f));
            painter.setBrush(Qt::NoBrush);
            const double a = kEllipseFactor * double(o.a) * m_zoom, b = kEllipseFactor * double(o.b) * m_zoom;
            painter.setPen(cosmetic(look::canvas(), 3.0));
            painter.setOpacity(0.5);
            painter.drawEllipse(QPointF(0, 0), a, b);
            painter.setOpacity(1.0);
            QPen dashes = cosmetic(look::detected(), 1.5, Qt::CustomDashLine);
            dashes.setDashPattern({4.0, 3.0});
            painter.setPen(dashes);
            painter.drawEllipse(QPointF(0, 0), a, b);
            painter.restore();
        }
        if (m_options.peaks) {
            const QPointF c = at(o.peakX, o.peakY);
            const double r = std::clamp(0.8 * m_zoom, 2.5, 5.0);
            for (const auto& [colour, width] : {std::pair{look::canvas(), 3.0}, std::pair{look::peak(), 1.4}}) {
                painter.setPen(cosmetic(colour, width));
                painter.drawLine(c - QPointF(r, 0), c + QPointF(r, 0));
                painter.drawLine(c - QPointF(0, r), c + QPointF(0, r));
            }
        }
    }
}

void SceneFigure::paintCompass(QPainter& painter) const {
    if (!m_scene.wcs.isValid() || std::min(size().width(), size().height()) < 150) return;
    const double x = m_region.x0 + m_region.width / 2.0, y = m_region.y0 + m_region.height / 2.0;
    const double length = 28.0;
    const QPointF centre(size().width() - 50.0, 50.0);
    QFont font = painter.font();
    font.setPixelSize(13);
    painter.setFont(font);
    for (const auto& [name, degrees] : {std::pair{QStringLiteral("N"), m_scene.wcs.northAngle(x, y)},
                                        std::pair{QStringLiteral("E"), m_scene.wcs.eastAngle(x, y)}}) {
        if (!std::isfinite(degrees)) return;
        const double t = degrees * std::numbers::pi / 180.0;
        const QPointF direction(std::cos(t), -std::sin(t)), side(-direction.y(), direction.x());
        const QPointF tip = centre + direction * length;
        QPainterPath arrow(centre);
        arrow.lineTo(tip);
        arrow.moveTo(tip - direction * 7.0 + side * 3.5);
        arrow.lineTo(tip);
        arrow.lineTo(tip - direction * 7.0 - side * 3.5);
        painter.strokePath(arrow, cosmetic(look::canvas(), 3.5));
        painter.strokePath(arrow, cosmetic(look::ink(), 1.6));
        haloText(painter, QRectF(centre + direction * (length + 11.0) - QPointF(10, 10), QSizeF(20, 20)),
                 Qt::AlignCenter, name);
    }
}

void SceneFigure::paintScaleBar(QPainter& painter) const {
    if (std::min(size().width(), size().height()) < 150) return;
    const bool sky = m_scene.pixelScale > 0.0;
    const double unit = sky ? m_zoom / m_scene.pixelScale : m_zoom; // picture pixels an arcsec or a pixel
    const double length = niceLength(size().width() / 5.0 / unit);
    QString text = sky ? QStringLiteral("%1\"").arg(length) : QStringLiteral("%1 px").arg(length);
    if (sky && length >= 60.0) text = QStringLiteral("%1'").arg(length / 60.0, 0, 'g', 3);
    const QPointF left(18.0, size().height() - 18.0), right = left + QPointF(length * unit, 0.0);
    QPainterPath bar(left - QPointF(0, 4));
    bar.lineTo(left + QPointF(0, 4));
    bar.moveTo(left);
    bar.lineTo(right);
    bar.moveTo(right - QPointF(0, 4));
    bar.lineTo(right + QPointF(0, 4));
    painter.strokePath(bar, cosmetic(look::canvas(), 4.0));
    painter.strokePath(bar, cosmetic(look::ink(), 1.8));
    QFont font = painter.font();
    font.setPixelSize(13);
    painter.setFont(font);
    haloText(painter, QRectF(left.x(), left.y() - 24.0, right.x() - left.x(), 18.0), Qt::AlignCenter | Qt::TextDontClip,
             text);
}

} // namespace blendscope
