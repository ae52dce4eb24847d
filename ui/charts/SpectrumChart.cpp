#include "charts/SpectrumChart.h"

#include "models/Format.h"
#include "theme/Theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace blendscope {

SpectrumChart::SpectrumChart(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Flux per band of each object"));
}

void SpectrumChart::setData(std::vector<Line> lines, const QStringList& bands, const QString& unit) {
    m_lines = std::move(lines);
    m_bands = bands;
    m_unit = unit;
    double least = 1e300, most = -1e300;
    for (const Line& line : m_lines) {
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
    update();
}

void SpectrumChart::setSelected(int id) {
    m_selected = id;
    update();
}

QRectF SpectrumChart::plot() const {
    const int em = fontMetrics().height();
    return QRectF(rect()).adjusted(3.4 * em, 0.9 * em, -0.6 * em, -1.5 * em);
}

QPointF SpectrumChart::at(std::size_t band, double flux) const {
    const QRectF p = plot();
    const double n = std::max<double>(1.0, m_bands.size());
    const double x = p.left() + (double(band) + 0.5) / n * p.width();
    const double y = p.bottom() - (std::log10(std::max(flux, 1e-300)) - m_low) / (m_high - m_low) * p.height();
    return {x, std::clamp(y, p.top(), p.bottom())};
}

void SpectrumChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(Theme::smallFont());
    const QRectF p = plot();
    painter.fillRect(p, palette().base());
    painter.setPen(Theme::colors().line);
    painter.drawRect(p);
    if (m_lines.empty()) return;

    // Ticks at 1, 2, 5 of each factor of ten; all of them only where few fit.
    const double decades = m_high - m_low;
    for (int d = int(std::floor(m_low)); d <= int(std::ceil(m_high)); ++d) {
        for (const int k : {1, 2, 5}) {
            if (k != 1 && decades > 2.0) continue;
            const double value = k * std::pow(10.0, d);
            const double u = std::log10(value);
            if (u < m_low || u > m_high) continue;
            const double y = p.bottom() - (u - m_low) / decades * p.height();
            painter.setPen(Theme::colors().line);
            painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
            painter.setPen(Theme::colors().muted);
            painter.drawText(QRectF(0, y - 10, p.left() - 4, 20), Qt::AlignRight | Qt::AlignVCenter,
                             value >= 1e5 || value < 1e-3 ? formatValue(value, 1) : QString::number(value, 'g', 6));
        }
    }
    painter.setPen(Theme::colors().muted);
    for (qsizetype b = 0; b < m_bands.size(); ++b) {
        const double x = at(std::size_t(b), 1.0).x();
        painter.drawText(QRectF(x - 30, p.bottom() + 2, 60, height() - p.bottom() - 2), Qt::AlignHCenter | Qt::AlignTop,
                         m_bands[b]);
    }
    painter.drawText(QRectF(2, 0, width() - 4.0, p.top()), Qt::AlignLeft | Qt::AlignTop, m_unit);

    const auto draw = [&](const Line& line, bool chosen) {
        QColor color = line.color;
        if (m_selected > 0 && !chosen) color.setAlpha(110);
        painter.setPen(QPen(color, chosen ? 2.4 : 1.4));
        QPainterPath path;
        bool pen = false;
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            const bool seen = std::isfinite(line.flux[b]) && line.flux[b] > 0 &&
                              !(std::isfinite(line.error[b]) && line.flux[b] < line.error[b]);
            if (!seen) {
                pen = false;
                continue;
            }
            const QPointF point = at(b, line.flux[b]);
            pen ? path.lineTo(point) : path.moveTo(point);
            pen = true;
        }
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(path);
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            const double f = line.flux[b], e = line.error[b];
            if (!std::isfinite(f)) continue;
            const bool limit = !(f > 0) || (std::isfinite(e) && f < e);
            if (limit) {
                if (!std::isfinite(e) || !(e > 0)) continue;
                const QPointF top = at(b, e);
                painter.drawLine(top - QPointF(4, 0), top + QPointF(4, 0));
                painter.drawLine(top, top + QPointF(0, 9));
                painter.drawLine(top + QPointF(0, 9), top + QPointF(-3, 5));
                painter.drawLine(top + QPointF(0, 9), top + QPointF(3, 5));
                continue;
            }
            const QPointF point = at(b, f);
            if (std::isfinite(e) && e > 0) painter.drawLine(at(b, f + e), at(b, std::max(f - e, 1e-3 * f)));
            painter.setBrush(color);
            painter.drawEllipse(point, chosen ? 3.6 : 2.6, chosen ? 3.6 : 2.6);
            painter.setBrush(Qt::NoBrush);
        }
    };
    for (const Line& line : m_lines) {
        if (line.id != m_selected) draw(line, false);
    }
    for (const Line& line : m_lines) {
        if (line.id == m_selected) draw(line, true);
    }
}

const SpectrumChart::Line* SpectrumChart::lineAt(QPointF p, std::size_t* band) const {
    const Line* best = nullptr;
    double least = 12.0;
    for (const Line& line : m_lines) {
        for (std::size_t b = 0; b < line.flux.size(); ++b) {
            if (!(line.flux[b] > 0)) continue;
            const QPointF d = at(b, line.flux[b]) - p;
            const double distance = std::hypot(d.x(), d.y());
            if (distance < least) {
                least = distance;
                best = &line;
                *band = b;
            }
        }
    }
    return best;
}

void SpectrumChart::mousePressEvent(QMouseEvent* event) {
    std::size_t band = 0;
    if (const Line* line = lineAt(event->position(), &band)) Q_EMIT objectClicked(line->id);
}

bool SpectrumChart::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        std::size_t band = 0;
        if (const Line* line = lineAt(QPointF(help->pos()), &band)) {
            QToolTip::showText(
                help->globalPos(),
                tr("object %1, %2: %3 %4")
                    .arg(line->id)
                    .arg(m_bands.value(qsizetype(band)), formatFlux(line->flux[band], line->error[band]), m_unit),
                this);
        } else {
            QToolTip::hideText();
        }
        return true;
    }
    return QWidget::event(event);
}

} // namespace blendscope
