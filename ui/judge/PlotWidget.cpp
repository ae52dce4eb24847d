#include "judge/PlotWidget.h"

#include "models/Format.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <cmath>

namespace blendscope {

PlotWidget::PlotWidget(PlotData plot, QWidget* parent) : QWidget(parent), m_plot(std::move(plot)) {
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    setAccessibleName(m_plot.title);
    setAccessibleDescription(m_plot.help);
}

void PlotWidget::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    PlotLook look;
    look.ink = palette().color(QPalette::WindowText);
    look.ground = palette().color(QPalette::Base);
    look.fontPixels = std::max(10, fontMetrics().ascent());
    m_hits = paintPlot(painter, rect(), m_plot, look);
}

const PlotPoint& PlotWidget::point(const PlotHit& hit) const {
    return m_plot.series[std::size_t(hit.series)].points[std::size_t(hit.point)];
}

const PlotHit* PlotWidget::hitAt(QPointF at) const {
    const PlotHit* best = nullptr;
    double least = 1e30;
    for (const PlotHit& hit : m_hits) {
        if (!hit.area.adjusted(-2, -2, 2, 2).contains(at)) continue;
        const double d = std::hypot(hit.at.x() - at.x(), hit.at.y() - at.y());
        if (d < least) {
            least = d;
            best = &hit;
        }
    }
    return best;
}

QRect PlotWidget::pointRect(int series, int index) const {
    for (const PlotHit& hit : m_hits) {
        if (hit.series == series && hit.point == index) return hit.area.toAlignedRect();
    }
    return {};
}

void PlotWidget::mousePressEvent(QMouseEvent* event) {
    if (const PlotHit* hit = hitAt(event->position())) Q_EMIT pointClicked(hit->series, hit->point);
}

void PlotWidget::mouseMoveEvent(QMouseEvent* event) {
    const PlotHit* hit = hitAt(event->position());
    setCursor(hit && !point(*hit).members.empty() ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

bool PlotWidget::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const PlotHit* hit = hitAt(help->pos())) {
        const PlotPoint& p = point(*hit);
        QString text = m_plot.series[std::size_t(hit->series)].name + QLatin1Char('\n');
        text += p.high > p.low ? tr("%1 to %2").arg(formatValue(p.low), formatValue(p.high)) : formatValue(p.x);
        text += QStringLiteral(": ") + formatValue(p.y);
        if (std::isfinite(p.error)) text += QStringLiteral(" \u00b1 ") + formatValue(p.error, 2);
        if (p.count > 0) text += tr("\n%1 objects").arg(p.count);
        if (!p.members.empty()) text += tr("; click to see their blends");
        QToolTip::showText(help->globalPos(), text, this);
    } else {
        QToolTip::showText(help->globalPos(), m_plot.help, this);
    }
    return true;
}

} // namespace blendscope
