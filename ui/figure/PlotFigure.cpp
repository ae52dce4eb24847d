#include "figure/PlotFigure.h"

#include "figure/SvgDevice.h"

#include <QFontMetricsF>
#include <QPainterPath>
#include <algorithm>
#include <array>
#include <cmath>

namespace blendscope {

namespace {

// Okabe & Ito in an order in which neighbours differ in lightness too, all of them seen on white and on black.
constexpr std::array<QRgb, 7> kColours = {
    qRgb(0x00, 0x72, 0xB2), // blue
    qRgb(0xD5, 0x5E, 0x00), // vermilion
    qRgb(0x00, 0x9E, 0x73), // bluish green
    qRgb(0xCC, 0x79, 0xA7), // reddish purple
    qRgb(0xE6, 0x9F, 0x00), // orange
    qRgb(0x56, 0xB4, 0xE9), // sky blue
    qRgb(0x80, 0x80, 0x80), // grey
};
constexpr std::array<Qt::PenStyle, 4> kDashes = {Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine};
// A colour that no plot uses: what is painted with it becomes the page's own.
constexpr QRgb kPageInk = qRgb(0x01, 0x02, 0x03);
constexpr double kMark = 3.2;

struct Axis {
    double low = 0.0, high = 1.0;
    bool log = false;
    double from = 0.0, to = 1.0; ///< picture

    [[nodiscard]] double scaled(double v) const { return log ? std::log10(std::max(v, 1e-300)) : v; }
    [[nodiscard]] double at(double v) const {
        const double a = scaled(low), b = scaled(high);
        return from + (scaled(v) - a) / (b > a ? b - a : 1.0) * (to - from);
    }
};

/// 1, 2 or 5 times a power of ten, so that about `count` steps fit.
double niceStep(double range, int count) {
    const double rough = range / std::max(count, 1);
    if (!(rough > 0.0) || !std::isfinite(rough)) return 1.0;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (rough <= step * power) return step * power;
    }
    return 10.0 * power;
}

std::vector<double> ticks(const Axis& axis, int count) {
    std::vector<double> out;
    if (axis.log) {
        const double decades = std::log10(axis.high / axis.low);
        for (double p = std::pow(10.0, std::floor(std::log10(axis.low))); p <= axis.high; p *= 10.0) {
            for (const double m : {1.0, 2.0, 5.0}) {
                if (m > 1.0 && decades > 2.0) continue;
                if (m * p >= axis.low * 0.999 && m * p <= axis.high * 1.001) out.push_back(m * p);
            }
        }
        return out;
    }
    const double step = niceStep(axis.high - axis.low, count);
    for (double v = std::ceil(axis.low / step - 1e-9) * step; v <= axis.high + 1e-9 * step && out.size() < 40;
         v += step) {
        out.push_back(std::abs(v) < 1e-9 * step ? 0.0 : v);
    }
    return out;
}

QString label(double v) {
    QString text = QString::number(v, 'g', 4);
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

/// The ends of the axes: what was asked for, else what the points and their errors need.
void fit(const PlotData& plot, Axis& x, Axis& y) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    double x0 = inf, x1 = -inf, y0 = inf, y1 = -inf;
    const bool bars = plot.style == PlotData::Style::Bars;
    for (const PlotSeries& s : plot.series) {
        for (const PlotPoint& p : s.points) {
            if (!std::isfinite(p.y)) continue;
            x0 = std::min({x0, p.x, bars ? p.low : p.x});
            x1 = std::max({x1, p.x, bars ? p.high : p.x});
            // A bin with hardly any objects must not squeeze the others.
            const double e = std::isfinite(p.error) ? p.error : 0.0;
            y0 = std::min(y0, p.y - e);
            y1 = std::max(y1, p.y + e);
        }
    }
    if (!(x1 >= x0)) x0 = 0.0, x1 = 1.0;
    if (!(y1 >= y0)) y0 = 0.0, y1 = 1.0;
    if (std::isfinite(plot.level)) {
        y0 = std::min(y0, plot.level);
        y1 = std::max(y1, plot.level);
    }
    if (plot.diagonal) x0 = 0.0, x1 = 1.0;
    x.log = plot.logX && x0 > 0.0;
    if (x.log) {
        x.low = x0 / 1.15;
        x.high = x1 * 1.15;
    } else {
        const double pad = plot.diagonal || bars ? 0.0 : 0.04 * std::max(x1 - x0, 1e-12);
        x.low = x0 - pad;
        x.high = x1 + pad;
        if (!(x.high > x.low)) {
            x.low -= 0.5;
            x.high += 0.5;
        }
    }
    if (!plot.categories.isEmpty()) {
        x.low = -0.5;
        x.high = static_cast<double>(plot.categories.size()) - 0.5;
    }
    const double pad = 0.06 * std::max(y1 - y0, 1e-12);
    y.low = std::isfinite(plot.yLow) ? std::min(plot.yLow, y0 < plot.yLow - 0.2 ? y0 : plot.yLow) : y0 - pad;
    y.high = std::isfinite(plot.yHigh) ? plot.yHigh : y1 + pad;
    // An axis that ends at 1 leaves room for the error bars there.
    if (std::isfinite(plot.yHigh)) y.high = plot.yHigh + 0.03 * (plot.yHigh - y.low);
    if (std::isfinite(plot.yLow) && y.low == plot.yLow && !bars) y.low -= 0.03 * (y.high - y.low);
    if (!(y.high > y.low)) {
        y.low -= 0.5;
        y.high += 0.5;
    }
}

QPen solid(const QColor& colour, double width, Qt::PenStyle style = Qt::SolidLine) {
    QPen pen(colour, width, style, Qt::FlatCap, Qt::RoundJoin);
    pen.setCosmetic(true);
    return pen;
}

/// Disc, square, triangle, diamond: pipelines differ in the mark as well.
QPainterPath mark(int index, QPointF at, double r) {
    QPainterPath path;
    switch (index % 4) {
    case 0:
        path.addEllipse(at, r, r);
        break;
    case 1:
        path.addRect(at.x() - r, at.y() - r, 2 * r, 2 * r);
        break;
    case 2:
        path.addPolygon(QPolygonF({at + QPointF(0, -1.3 * r), at + QPointF(1.2 * r, r), at + QPointF(-1.2 * r, r)}));
        path.closeSubpath();
        break;
    default:
        path.addPolygon(QPolygonF({at + QPointF(0, -1.4 * r), at + QPointF(1.4 * r, 0), at + QPointF(0, 1.4 * r),
                                   at + QPointF(-1.4 * r, 0)}));
        path.closeSubpath();
    }
    return path;
}

QColor faint(const QColor& ink, double strength) {
    QColor c = ink;
    c.setAlphaF(static_cast<float>(strength));
    return c;
}

} // namespace

QColor pipelineColour(int index) {
    return QColor(kColours[static_cast<size_t>(index < 0 ? 0 : index) % kColours.size()]);
}

Qt::PenStyle pipelineDash(int index) {
    return kDashes[static_cast<size_t>(index < 0 ? 0 : index) % kDashes.size()];
}

std::vector<PlotHit> paintPlot(QPainter& painter, const QRectF& box, const PlotData& plot, const PlotLook& look) {
    std::vector<PlotHit> hits;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    if (look.ground.isValid()) painter.fillRect(box, look.ground);
    QFont font = painter.font();
    font.setFamily(QStringLiteral("sans-serif"));
    font.setPixelSize(look.fontPixels);
    QFont bold = font;
    bold.setBold(true);
    bold.setPixelSize(look.fontPixels + 1);
    const QFontMetricsF metrics(font);
    const double line = metrics.height();

    Axis x, y;
    fit(plot, x, y);
    const bool legend = look.legend && plot.series.size() > 1;
    const int yCount = std::max(2, static_cast<int>(box.height() / (3.2 * line)));
    const std::vector<double> yTicks = ticks(y, yCount);
    double labelWidth = 0.0;
    for (const double v : yTicks) {
        labelWidth = std::max(labelWidth, metrics.horizontalAdvance(label(v)));
    }
    const QRectF area(box.left() + labelWidth + line + 14.0, box.top() + 1.4 * line + (legend ? 1.3 * line : 0.0),
                      std::max(10.0, box.width() - labelWidth - line - 24.0),
                      std::max(10.0, box.height() - (legend ? 5.3 : 4.0) * line - 6.0));
    x.from = area.left();
    x.to = area.right();
    y.from = area.bottom();
    y.to = area.top();

    painter.setPen(look.ink);
    painter.setFont(bold);
    painter.drawText(QRectF(box.left() + 4, box.top() + 2, box.width() - 8, 1.3 * line),
                     Qt::AlignLeft | Qt::AlignVCenter,
                     QFontMetricsF(bold).elidedText(plot.title, Qt::ElideRight, box.width() - 8));
    painter.setFont(font);
    if (legend) {
        double at = box.left() + 4.0;
        // Names are cut only where they do not all fit.
        double wanted = 0.0;
        for (const PlotSeries& s : plot.series) {
            wanted += 40.0 + metrics.horizontalAdvance(s.name);
        }
        const bool fits = wanted <= box.width() - 8.0;
        const double share = fits ? box.width() : (box.width() - 8.0) / static_cast<double>(plot.series.size());
        for (const PlotSeries& s : plot.series) {
            const QPointF from(at, box.top() + 2.1 * line);
            painter.setPen(solid(pipelineColour(s.pipeline), 1.8, pipelineDash(s.pipeline)));
            painter.drawLine(from, from + QPointF(20, 0));
            painter.setPen(Qt::NoPen);
            painter.setBrush(pipelineColour(s.pipeline));
            painter.drawPath(mark(s.pipeline, from + QPointF(10, 0), kMark));
            painter.setBrush(Qt::NoBrush);
            painter.setPen(look.ink);
            const QString name = metrics.elidedText(s.name, Qt::ElideMiddle, share - 34.0);
            painter.drawText(QRectF(from + QPointF(24, -0.6 * line), QSizeF(share - 30.0, 1.2 * line)),
                             Qt::AlignLeft | Qt::AlignVCenter, name);
            at += std::min(share, 40.0 + metrics.horizontalAdvance(name));
        }
    }

    // Grid, ticks and labels.
    for (const double v : yTicks) {
        const double Y = y.at(v);
        painter.setPen(solid(faint(look.ink, look.gridStrength), 1.0));
        painter.drawLine(QPointF(area.left(), Y), QPointF(area.right(), Y));
        painter.setPen(look.ink);
        painter.drawText(QRectF(area.left() - labelWidth - 6.0, Y - 0.6 * line, labelWidth + 1.0, 1.2 * line),
                         Qt::AlignRight | Qt::AlignVCenter, label(v));
    }
    if (plot.categories.isEmpty()) {
        for (const double v : ticks(x, std::max(2, static_cast<int>(area.width() / 55.0)))) {
            const double X = x.at(v);
            painter.setPen(solid(faint(look.ink, look.gridStrength), 1.0));
            painter.drawLine(QPointF(X, area.top()), QPointF(X, area.bottom()));
            painter.setPen(look.ink);
            painter.drawText(QRectF(X - 30, area.bottom() + 2, 60, 1.2 * line), Qt::AlignCenter, label(v));
        }
    } else {
        const double width = area.width() / static_cast<double>(plot.categories.size());
        double widest = 0.0;
        for (const QString& name : plot.categories) {
            widest = std::max(widest, metrics.horizontalAdvance(name) + 4.0);
        }
        // Long names stand on two rows in turn.
        const bool rows = widest > width;
        const double room = rows ? 2.0 * width : width;
        for (qsizetype i = 0; i < plot.categories.size(); ++i) {
            const double centre = area.left() + (static_cast<double>(i) + 0.5) * width;
            const double top = area.bottom() + 2.0 + (rows && i % 2 ? 1.1 * line : 0.0);
            painter.setPen(look.ink);
            painter.drawText(QRectF(centre - 0.5 * room, top, room, 1.2 * line), Qt::AlignCenter,
                             metrics.elidedText(plot.categories[i], Qt::ElideRight, room));
        }
    }
    painter.setPen(solid(faint(look.ink, 0.6), 1.0));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    painter.drawLine(area.bottomLeft(), area.topLeft());
    painter.setPen(look.ink);
    painter.drawText(QRectF(area.left(), area.bottom() + 1.3 * line, area.width(), 1.3 * line), Qt::AlignCenter,
                     metrics.elidedText(plot.xLabel, Qt::ElideRight, area.width()));
    painter.save();
    painter.translate(box.left() + 2.0, area.center().y());
    painter.rotate(-90.0);
    painter.drawText(QRectF(-area.height() / 2 - line, 0, area.height() + 2 * line, 1.2 * line), Qt::AlignCenter,
                     metrics.elidedText(plot.yLabel, Qt::ElideRight, area.height() + 2 * line));
    painter.restore();

    painter.setClipRect(area.adjusted(-4, -4, 4, 1));
    painter.setPen(solid(faint(look.ink, 0.55), 1.2, Qt::DashLine));
    if (std::isfinite(plot.level))
        painter.drawLine(QPointF(area.left(), y.at(plot.level)), QPointF(area.right(), y.at(plot.level)));
    if (plot.diagonal) painter.drawLine(QPointF(x.at(0.0), y.at(0.0)), QPointF(x.at(1.0), y.at(1.0)));

    const auto count = static_cast<double>(std::max<size_t>(plot.series.size(), 1));
    for (size_t k = 0; k < plot.series.size(); ++k) {
        const PlotSeries& s = plot.series[k];
        const QColor colour = pipelineColour(s.pipeline);
        const double nudge =
            plot.style == PlotData::Style::Points ? (static_cast<double>(k) - 0.5 * (count - 1.0)) * 2.5 : 0.0;
        QPainterPath path;
        bool open = false;
        for (size_t i = 0; i < s.points.size(); ++i) {
            const PlotPoint& p = s.points[i];
            if (!std::isfinite(p.y) || (x.log && !(p.x > 0.0))) {
                open = false;
                continue;
            }
            PlotHit hit;
            hit.series = static_cast<int>(k);
            hit.point = static_cast<int>(i);
            if (plot.style == PlotData::Style::Bars) {
                const double left = x.at(p.low), width = (x.at(p.high) - left) / count;
                const QRectF bar(QPointF(left + static_cast<double>(k) * width + 0.5, y.at(p.y)),
                                 QPointF(left + static_cast<double>(k + 1) * width - 0.5, y.at(std::max(0.0, y.low))));
                painter.fillRect(bar.normalized(), colour);
                hit.at = QPointF(bar.center().x(), y.at(p.y));
                hit.area = QRectF(bar.left(), area.top(), bar.width(), area.height());
            } else {
                hit.at = QPointF(x.at(p.x) + nudge, y.at(p.y));
                hit.area = QRectF(hit.at - QPointF(6, 6), QSizeF(12, 12));
                if (open) {
                    path.lineTo(hit.at);
                } else {
                    path.moveTo(hit.at);
                }
                open = true;
            }
            if (std::isfinite(p.error) && p.error > 0.0) {
                painter.setPen(solid(plot.style == PlotData::Style::Bars ? look.ink : colour, 1.2));
                painter.drawLine(QPointF(hit.at.x(), y.at(p.y - p.error)), QPointF(hit.at.x(), y.at(p.y + p.error)));
            }
            hits.push_back(hit);
        }
        if (plot.style == PlotData::Style::Bars) continue;
        painter.setBrush(Qt::NoBrush);
        painter.setPen(solid(colour, plot.style == PlotData::Style::Line ? 1.8 : 1.2, pipelineDash(s.pipeline)));
        painter.drawPath(path);
        if (plot.style == PlotData::Style::Line && s.points.size() > 20) continue;
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        for (const PlotHit& hit : hits) {
            if (hit.series != static_cast<int>(k)) continue;
            // Bins of few objects are hollow in effect: small.
            const int n = s.points[static_cast<size_t>(hit.point)].count;
            painter.drawPath(mark(s.pipeline, hit.at, n > 0 && n < 10 ? 0.6 * kMark : kMark));
        }
        painter.setBrush(Qt::NoBrush);
    }
    painter.restore();
    return hits;
}

QByteArray plotSvg(const PlotData& plot, QSize size) {
    SvgDevice device(size, SvgDevice::Text::AsText);
    {
        QPainter painter(&device);
        PlotLook look;
        look.ink = QColor(kPageInk);
        look.ground = QColor();
        paintPlot(painter, QRectF(QPointF(0, 0), QSizeF(size)), plot, look);
    }
    QByteArray svg = device.document();
    svg.remove(0, svg.indexOf("<svg"));
    // All fragments of a page share one space of names.
    svg.replace("id=\"c", "id=\"" + plot.id.toUtf8() + "-c").replace("url(#c", "url(#" + plot.id.toUtf8() + "-c");
    return svg.replace(QColor(kPageInk).name().toUtf8(), "currentColor");
}

} // namespace blendscope
