#include "figure/SpectrumPlot.h"

#include "figure/Palette.h"

#include <QFontMetricsF>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

bool isLimit(double flux, double error) {
    return !(flux > 0.0) || (std::isfinite(error) && flux < error);
}

QString tickWords(double value) {
    if (value < 1e5 && value >= 1e-3) return QString::number(value, 'g', 6);
    return QString::number(value, 'e', 0)
        .replace(QStringLiteral("e+0"), QStringLiteral("e"))
        .replace(QStringLiteral("e-0"), QStringLiteral("e\u2212"));
}

} // namespace

std::vector<SpectrumLine> spectraOf(const Scene& scene, const Result& result, const std::vector<int>& objects,
                                    QString* unit, const std::function<QColor(int)>& colour) {
    // A zero point of 0 is what files without one say.
    const bool calibrated = std::all_of(scene.bands.begin(), scene.bands.end(), [](const Band& band) {
        return std::isfinite(band.zeroPoint) && band.zeroPoint != 0.0;
    });
    if (unit) *unit = calibrated ? QStringLiteral("\u00b5Jy") : QStringLiteral("counts");
    std::vector<int> colours;
    if (!colour) colours = colourObjects(result.segmentation);
    const auto colourOf = [&](int id) {
        if (colour) return colour(id);
        const int c = id >= 0 && static_cast<size_t>(id) < colours.size() ? colours[static_cast<size_t>(id)] : -1;
        return paletteColour(c >= 0 ? c : id);
    };
    std::vector<SpectrumLine> lines;
    for (const int id : objects) {
        const Object* o = result.object(id);
        if (!o) continue;
        SpectrumLine line{id, colourOf(id), {}, {}};
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

SpectrumLook::SpectrumLook() : ground(look::canvas()), line(look::ink()), ink(look::ink()), muted(look::ink()) {
    line.setAlpha(60);
    muted.setAlpha(200);
}

void SpectrumPlot::setData(std::vector<SpectrumLine> lines, const QStringList& bands, const QString& unit) {
    m_lines = std::move(lines);
    m_bands = bands;
    m_unit = unit;
    double least = 1e300, most = -1e300;
    for (const SpectrumLine& line : m_lines) {
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            const double f = line.flux[b], e = line.error[b];
            if (!std::isfinite(f)) continue;
            const double shown = std::isfinite(e) && f < e ? e : f;
            if (!(shown > 0)) continue;
            least = std::min(least, std::log10(std::isfinite(e) ? std::max(shown - e, shown * 0.6) : shown));
            most = std::max(most, std::log10(std::isfinite(e) ? shown + e : shown));
        }
    }
    if (least > most) {
        least = 0.0;
        most = 1.0;
    }
    const double room = std::max(0.08 * (most - least), 0.06);
    m_low = least - room;
    m_high = most + room;
}

QRectF SpectrumPlot::frame(const QRectF& box, const QFontMetricsF& metrics) {
    const double em = metrics.height();
    return box.adjusted(3.4 * em, 0.9 * em, -0.6 * em, -1.5 * em);
}

QPointF SpectrumPlot::place(const QRectF& p, std::size_t band, double flux) const {
    const double n = std::max<double>(1.0, double(m_bands.size()));
    const double x = p.left() + (double(band) + 0.5) / n * p.width();
    const double y = p.bottom() - (std::log10(std::max(flux, 1e-300)) - m_low) / (m_high - m_low) * p.height();
    return {x, std::clamp(y, p.top(), p.bottom())};
}

void SpectrumPlot::paint(QPainter& painter, const QRectF& box, const SpectrumLook& look) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF p = frame(box, QFontMetricsF(painter.font()));
    painter.fillRect(p, look.ground);
    painter.setPen(look.line);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(p);
    const bool any = std::any_of(m_lines.begin(), m_lines.end(), [](const SpectrumLine& l) {
        return std::any_of(l.flux.begin(), l.flux.end(), [](double f) { return std::isfinite(f); });
    });
    if (!any || m_bands.isEmpty()) {
        painter.setPen(look.muted);
        painter.drawText(p, Qt::AlignCenter, QStringLiteral("no fluxes were measured"));
        painter.restore();
        return;
    }

    // Ticks at 1, 2, 5 of each factor of ten; all of them only where few fit.
    const double decades = m_high - m_low;
    for (int d = int(std::floor(m_low)); d <= int(std::ceil(m_high)); ++d) {
        for (const int k : {1, 2, 5}) {
            if (k != 1 && decades > 2.0) continue;
            const double value = k * std::pow(10.0, d);
            const double u = std::log10(value);
            if (u < m_low || u > m_high) continue;
            const double y = p.bottom() - (u - m_low) / decades * p.height();
            painter.setPen(look.line);
            painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
            painter.setPen(look.muted);
            painter.drawText(QRectF(box.left(), y - 10, p.left() - box.left() - 4, 20),
                             Qt::AlignRight | Qt::AlignVCenter, tickWords(value));
        }
    }
    painter.setPen(look.muted);
    for (qsizetype b = 0; b < m_bands.size(); ++b) {
        const double x = place(p, std::size_t(b), 1.0).x();
        painter.drawText(QRectF(x - 30, p.bottom() + 2, 60, box.bottom() - p.bottom() - 2),
                         Qt::AlignHCenter | Qt::AlignTop, m_bands[b]);
    }
    painter.drawText(QRectF(box.left() + 2, box.top(), box.width() - 4.0, p.top() - box.top()),
                     Qt::AlignLeft | Qt::AlignTop, m_unit);

    const auto draw = [&](const SpectrumLine& line, bool chosen) {
        QColor color = line.color;
        if (m_selected > 0 && !chosen && line.id != m_hovered) color.setAlpha(110);
        painter.setPen(QPen(color, chosen || line.id == m_hovered ? 2.4 : 1.4));
        QPainterPath path;
        bool pen = false;
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            if (!std::isfinite(line.flux[b]) || isLimit(line.flux[b], line.error[b])) {
                pen = false;
                continue;
            }
            const QPointF point = place(p, b, line.flux[b]);
            pen ? path.lineTo(point) : path.moveTo(point);
            pen = true;
        }
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(path);
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            const double f = line.flux[b], e = line.error[b];
            if (!std::isfinite(f)) continue;
            if (isLimit(f, e)) {
                if (!std::isfinite(e) || !(e > 0)) continue;
                const QPointF top = place(p, b, e);
                painter.drawLine(top - QPointF(4, 0), top + QPointF(4, 0));
                painter.drawLine(top, top + QPointF(0, 9));
                painter.drawLine(top + QPointF(0, 9), top + QPointF(-3, 5));
                painter.drawLine(top + QPointF(0, 9), top + QPointF(3, 5));
                continue;
            }
            const QPointF point = place(p, b, f);
            if (std::isfinite(e) && e > 0) painter.drawLine(place(p, b, f + e), place(p, b, std::max(f - e, 1e-3 * f)));
            painter.setBrush(color);
            painter.drawEllipse(point, chosen ? 3.6 : 2.6, chosen ? 3.6 : 2.6);
            painter.setBrush(Qt::NoBrush);
        }
    };
    for (const SpectrumLine& line : m_lines) {
        if (line.id != m_selected) draw(line, false);
    }
    for (const SpectrumLine& line : m_lines) {
        if (line.id == m_selected) draw(line, true);
    }
    painter.restore();
}

SpectrumPlot::Hit SpectrumPlot::at(const QRectF& box, const QFont& font, QPointF point) const {
    const QRectF p = frame(box, QFontMetricsF(font));
    Hit best;
    double least = 12.0;
    for (const SpectrumLine& line : m_lines) {
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            if (!(line.flux[b] > 0)) continue;
            const QPointF d = place(p, b, line.flux[b]) - point;
            const double distance = std::hypot(d.x(), d.y());
            if (distance < least) {
                least = distance;
                best = {&line, b};
            }
        }
    }
    return best;
}

} // namespace blendscope
