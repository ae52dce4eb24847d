#include "figure/BlendFigure.h"

#include "core/Error.h"
#include "figure/Palette.h"
#include "figure/Raster.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kTileSide = 220.0;
constexpr double kGap = 10.0;
constexpr double kTitle = 20.0;
constexpr double kSpectra = 240.0;
constexpr int kMostColumns = 6;
constexpr float kSigmaLimit = 5.0f;

/// Adds what of `image` (at `from`) lies in `box`.
void addOn(cv::Mat& onto, const cv::Mat& image, const Box& from, const Box& box) {
    const Box common = from.intersected(box);
    if (image.empty() || common.empty()) return;
    cv::Mat view = onto(common.shifted(-box.x0, -box.y0).rect());
    view += image(common.shifted(-from.x0, -from.y0).rect());
}

QString significant(double v) {
    return QString::number(v, 'g', 2);
}

} // namespace

BlendCut cutBlend(const Scene& scene, const Result& result, int blendId) {
    const Blend* blend = result.blend(blendId);
    if (!blend) throw UsageError(QStringLiteral("the result has no blend %1").arg(blendId));
    BlendCut cut;
    cut.blendId = blendId;
    cut.objects = blend->objects;
    Box inner = blend->box;
    for (const int id : blend->objects) {
        if (const Object* o = result.object(id); o && std::isfinite(o->x) && std::isfinite(o->y)) {
            inner = inner.united({static_cast<int>(std::lround(o->x)), static_cast<int>(std::lround(o->y)), 1, 1});
        }
    }
    const int side = std::max(inner.width, inner.height);
    const int margin = std::max(4, side / 8);
    // Slivers get sky around them, so that all tiles of a figure are legible.
    const int padX = std::max(0, side * 3 / 4 - inner.width) / 2, padY = std::max(0, side * 3 / 4 - inner.height) / 2;
    cut.box = Box{inner.x0 - padX, inner.y0 - padY, inner.width + 2 * padX, inner.height + 2 * padY}
                  .grown(margin)
                  .intersected(scene.box());
    if (cut.box.empty()) throw UsageError(QStringLiteral("blend %1 lies outside the scene").arg(blendId));

    const Box& box = cut.box;
    const size_t bands = scene.bands.size();
    cut.components.assign(cut.objects.size(), {});
    cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F), count = cv::Mat::zeros(box.size(), CV_32F);
    for (size_t b = 0; b < bands; ++b) {
        const Band& band = scene.bands[b];
        cv::Mat data = band.image->read(box).clone();
        if (b < result.sky.size() && result.sky[b] && !result.sky[b]->isZero()) data -= result.sky[b]->level(box);
        cv::Mat model = cv::Mat::zeros(box.size(), CV_32F);
        for (const Component& c : result.components) {
            if (b < c.model.size()) addOn(model, c.model[b], c.box, box);
        }
        for (size_t k = 0; k < cut.objects.size(); ++k) {
            cv::Mat own = cv::Mat::zeros(box.size(), CV_32F);
            const Component* c = result.component(cut.objects[k]);
            if (c && b < c->model.size()) addOn(own, c->model[b], c->box, box);
            cut.components[k].push_back(own);
        }
        const cv::Mat variance = band.variance ? band.variance->read(box) : cv::Mat();
        const float perCount = band.varianceIsSkyOnly && band.gain > 0.0 ? static_cast<float>(1.0 / band.gain) : 0.0f;
        cv::Mat residual(box.size(), CV_32F);
        for (int y = 0; y < box.height; ++y) {
            for (int x = 0; x < box.width; ++x) {
                const float sky = variance.empty() ? 1.0f : variance.at<float>(y, x);
                const float v = sky + perCount * std::max(0.0f, model.at<float>(y, x));
                const float r = (data.at<float>(y, x) - model.at<float>(y, x)) / std::sqrt(v);
                const bool usable = sky > 0.0f && std::isfinite(v) && std::isfinite(r);
                residual.at<float>(y, x) = usable ? r : kNan;
                if (usable) {
                    sum.at<float>(y, x) += r;
                    count.at<float>(y, x) += 1.0f;
                }
            }
        }
        cut.data.push_back(data);
        cut.model.push_back(model);
        cut.residual.push_back(residual);
    }
    cut.residualAll = cv::Mat(box.size(), CV_32F);
    for (int y = 0; y < box.height; ++y) {
        for (int x = 0; x < box.width; ++x) {
            const float n = count.at<float>(y, x);
            cut.residualAll.at<float>(y, x) = n > 0.0f ? sum.at<float>(y, x) / std::sqrt(n) : kNan;
        }
    }
    return cut;
}

std::vector<SpectrumLine> spectraOf(const Scene& scene, const Result& result, const std::vector<int>& objects,
                                    QString* unit) {
    const bool calibrated = std::all_of(scene.bands.begin(), scene.bands.end(),
                                        [](const Band& band) { return std::isfinite(band.zeroPoint); });
    if (unit) *unit = calibrated ? QStringLiteral("\u00b5Jy") : QStringLiteral("counts");
    const std::vector<int> colours = colourObjects(result.segmentation);
    std::vector<SpectrumLine> lines;
    for (const int id : objects) {
        const Object* o = result.object(id);
        if (!o) continue;
        const int colour = id >= 0 && static_cast<size_t>(id) < colours.size() ? colours[static_cast<size_t>(id)] : -1;
        SpectrumLine line{id, paletteColour(colour >= 0 ? colour : id), {}, {}};
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            // AB: 1 microjansky has magnitude 23.9.
            const double factor = calibrated ? std::pow(10.0, -0.4 * (scene.bands[b].zeroPoint - 23.9)) : 1.0;
            const bool known = b < o->bands.size();
            line.flux.push_back(known ? factor * double(o->bands[b].flux) : double(kNan));
            line.error.push_back(known ? factor * double(o->bands[b].fluxErr) : double(kNan));
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

void paintSpectra(QPainter& painter, const QRectF& box, const std::vector<SpectrumLine>& lines,
                  const QStringList& bands, const QString& unit) {
    double low = INFINITY, high = -INFINITY;
    bool positive = true;
    for (const SpectrumLine& line : lines) {
        for (const double f : line.flux) {
            if (!std::isfinite(f)) continue;
            low = std::min(low, f);
            high = std::max(high, f);
            positive = positive && f > 0.0;
        }
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    QFont font = painter.font();
    font.setPixelSize(12);
    painter.setFont(font);
    const QRectF plot = box.adjusted(64, 8, -12, -24);
    QColor faint = look::ink();
    faint.setAlpha(60);
    painter.setPen(QPen(faint, 1.0));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(plot);
    painter.setPen(look::ink());
    if (!std::isfinite(low) || bands.isEmpty()) {
        painter.drawText(plot, Qt::AlignCenter, QStringLiteral("no fluxes were measured"));
        painter.restore();
        return;
    }
    const bool logarithmic = positive && high > 3.0 * low;
    const auto scale = [&](double f) { return logarithmic ? std::log10(std::max(f, 0.3 * low)) : f; };
    double from = scale(logarithmic ? low / 1.5 : std::min(0.0, low)), to = scale(logarithmic ? high * 1.5 : high);
    if (!logarithmic) {
        const double room = 0.08 * std::max(to - from, 1e-12);
        to += room;
        if (low < 0.0) from -= room;
    }
    if (!(to > from)) to = from + 1.0;
    const auto yOf = [&](double f) {
        return plot.bottom() - plot.height() * std::clamp((scale(f) - from) / (to - from), 0.0, 1.0);
    };
    const auto xOf = [&](qsizetype b) { return plot.left() + plot.width() * (double(b) + 0.5) / double(bands.size()); };

    // Ticks: decades with 2 and 5 between them where they are few, or about four round numbers.
    std::vector<double> ticks;
    if (logarithmic) {
        for (double decade = std::floor(from); decade <= std::ceil(to); ++decade) {
            for (const double m : {1.0, 2.0, 5.0}) {
                if (m > 1.0 && to - from > 1.6) continue;
                const double t = m * std::pow(10.0, decade);
                if (std::log10(t) > from && std::log10(t) < to) ticks.push_back(t);
            }
        }
    } else {
        const double power = std::pow(10.0, std::floor(std::log10((to - from) / 3.0)));
        const double step = power * ((to - from) / 3.0 / power >= 5.0   ? 5.0
                                     : (to - from) / 3.0 / power >= 2.0 ? 2.0
                                                                        : 1.0);
        for (double t = std::ceil(from / step) * step; t < to; t += step) {
            ticks.push_back(std::abs(t) < 1e-9 * step ? 0.0 : t);
        }
    }
    for (const double t : ticks) {
        painter.setPen(QPen(faint, 1.0));
        painter.drawLine(QPointF(plot.left(), yOf(t)), QPointF(plot.right(), yOf(t)));
        painter.setPen(look::ink());
        painter.drawText(QRectF(box.left(), yOf(t) - 8, 58, 16), Qt::AlignRight | Qt::AlignVCenter, significant(t));
    }
    for (qsizetype b = 0; b < bands.size(); ++b) {
        painter.drawText(QRectF(xOf(b) - 40, plot.bottom() + 4, 80, 18), Qt::AlignCenter, bands[b]);
    }
    painter.drawText(QRectF(plot.left() + 6, plot.top() + 2, 120, 18), Qt::AlignLeft | Qt::AlignVCenter, unit);

    int shift = 0;
    for (const SpectrumLine& line : lines) {
        // Objects of equal flux would hide each other: side by side by two units.
        const double dx = 2.0 * (shift - (double(lines.size()) - 1.0) / 2.0);
        ++shift;
        QPointF last;
        bool joined = false;
        for (qsizetype b = 0; b < bands.size() && static_cast<size_t>(b) < line.flux.size(); ++b) {
            const double f = line.flux[static_cast<size_t>(b)], e = line.error[static_cast<size_t>(b)];
            if (!std::isfinite(f)) {
                joined = false;
                continue;
            }
            const QPointF at(xOf(b) + dx, yOf(f));
            painter.setPen(QPen(line.color, 1.6));
            if (joined) painter.drawLine(last, at);
            if (std::isfinite(e)) painter.drawLine(QPointF(at.x(), yOf(f - e)), QPointF(at.x(), yOf(f + e)));
            painter.setBrush(line.color);
            painter.drawEllipse(at, 3.0, 3.0);
            painter.setBrush(Qt::NoBrush);
            last = at;
            joined = true;
        }
    }
    painter.restore();
}

BlendFigure::BlendFigure(const Scene& scene, const Result& result, int blendId, int band) {
    const BlendCut cut = cutBlend(scene, result, blendId);
    RgbSettings rgb;
    Cuts cuts;
    if (band < 0 && scene.bands.size() > 1) {
        rgb = defaultRgb(scene);
        // The sky is taken off already.
        rgb.level.assign(scene.bands.size(), 0.0f);
    } else {
        band = std::max(band, 0);
        const auto b = static_cast<size_t>(band);
        const SkyLevel sky = skyOfSample(gridSample(*scene.bands.at(b).image));
        double brightest = 0.0;
        cv::minMaxLoc(cut.model[b], nullptr, &brightest);
        cuts = {-2.0f * sky.sigma, std::max(10.0f * sky.sigma, static_cast<float>(brightest))};
    }
    const auto picture = [&](const std::vector<cv::Mat>& bands) {
        return band < 0 ? rgbImage(bands, rgb) : greyImage(bands[static_cast<size_t>(band)], cuts, Curve::Asinh);
    };
    m_bands = scene.bandNames();
    m_lines = spectraOf(scene, result, cut.objects, &m_unit);
    m_panels.push_back({QStringLiteral("data"), picture(cut.data), {}});
    m_panels.push_back({QStringLiteral("model"), picture(cut.model), {}});
    m_panels.push_back({QStringLiteral("residual, \u00b1%1 \u03c3").arg(kSigmaLimit),
                        sigmaImage(band < 0 ? cut.residualAll : cut.residual[static_cast<size_t>(band)], kSigmaLimit),
                        {}});
    for (size_t k = 0; k < cut.objects.size(); ++k) {
        const auto line =
            std::find_if(m_lines.begin(), m_lines.end(), [&](const SpectrumLine& l) { return l.id == cut.objects[k]; });
        m_panels.push_back({QStringLiteral("object %1").arg(cut.objects[k]), picture(cut.components[k]),
                            line == m_lines.end() ? QColor() : line->color});
    }
    const Blend& blend = *result.blend(blendId);
    m_title = QStringLiteral("%1, blend %2: %3 object%4%5")
                  .arg(result.sceneId)
                  .arg(blendId)
                  .arg(cut.objects.size())
                  .arg(cut.objects.size() == 1 ? QString() : QStringLiteral("s"),
                       band >= 0 ? QStringLiteral(", band ") + m_bands[band] : QString());
    m_message = blend.message;
    if (blend.flags) {
        m_message +=
            QStringLiteral("  [%1]").arg(flagWords(blend.flags).replace(QLatin1Char('|'), QStringLiteral(", ")));
    }
    const double longer = std::max(cut.box.width, cut.box.height);
    m_tile = QSizeF(kTileSide * cut.box.width / longer, kTileSide * cut.box.height / longer);
    m_columns = std::min<int>(kMostColumns, static_cast<int>(m_panels.size()));
}

QSize BlendFigure::size() const {
    const int rows = (static_cast<int>(m_panels.size()) + m_columns - 1) / m_columns;
    const double width = std::max(560.0, m_columns * (m_tile.width() + kGap) + kGap);
    const double height = 2 * kGap + 2 * kTitle + rows * (m_tile.height() + kTitle + kGap) + kSpectra + kGap;
    return QSizeF(width, height).toSize();
}

void BlendFigure::paint(QPainter& painter) const {
    const QRectF all(QPointF(0, 0), QSizeF(size()));
    painter.save();
    painter.fillRect(all, look::canvas());
    QFont font = painter.font();
    font.setPixelSize(13);
    painter.setFont(font);
    painter.setPen(look::ink());
    painter.drawText(QRectF(kGap, kGap, all.width() - 2 * kGap, kTitle), Qt::AlignLeft | Qt::AlignVCenter, m_title);
    painter.drawText(
        QRectF(kGap, kGap + kTitle, all.width() - 2 * kGap, kTitle), Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(m_message, Qt::ElideRight, static_cast<int>(all.width() - 2 * kGap)));
    double bottom = 0.0;
    for (size_t i = 0; i < m_panels.size(); ++i) {
        const Panel& panel = m_panels[i];
        const int column = static_cast<int>(i) % m_columns, row = static_cast<int>(i) / m_columns;
        const QPointF corner(kGap + column * (m_tile.width() + kGap),
                             2 * kGap + 2 * kTitle + row * (m_tile.height() + kTitle + kGap));
        painter.setPen(look::ink());
        painter.drawText(QRectF(corner, QSizeF(m_tile.width(), kTitle)), Qt::AlignLeft | Qt::AlignVCenter, panel.title);
        const QRectF box(corner + QPointF(0, kTitle), m_tile);
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        painter.drawImage(box, panel.image);
        if (panel.frame.isValid()) {
            painter.setPen(QPen(panel.frame, 2.0));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(box);
        }
        bottom = std::max(bottom, box.bottom());
    }
    paintSpectra(painter, QRectF(kGap, bottom + kGap, all.width() - 2 * kGap, kSpectra - kGap), m_lines, m_bands,
                 m_unit);
    painter.restore();
}

} // namespace blendscope
