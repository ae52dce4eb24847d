#include "charts/SpectrumChart.h"

#include "models/Format.h"
#include "theme/Theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

namespace blendscope {

SpectrumChart::SpectrumChart(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Flux per band of each object"));
    setMouseTracking(true);
}

void SpectrumChart::setData(std::vector<SpectrumLine> lines, const QStringList& bands, const QString& unit) {
    m_plot.setData(std::move(lines), bands, unit);
    update();
}

void SpectrumChart::setSelected(int id) {
    m_plot.setSelected(id);
    update();
}

void SpectrumChart::setHovered(int id) {
    m_plot.setHovered(id);
    update();
}

void SpectrumChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(Theme::smallFont());
    SpectrumLook look;
    look.ground = palette().color(QPalette::Base);
    look.line = Theme::colors().line;
    look.ink = palette().color(QPalette::WindowText);
    look.muted = Theme::colors().muted;
    m_plot.paint(painter, rect(), look);
}

SpectrumPlot::Hit SpectrumChart::hit(QPointF point) const {
    return m_plot.at(rect(), Theme::smallFont(), point);
}

void SpectrumChart::mousePressEvent(QMouseEvent* event) {
    if (const SpectrumLine* line = hit(event->position()).line) Q_EMIT objectClicked(line->id);
}

void SpectrumChart::mouseMoveEvent(QMouseEvent* event) {
    const SpectrumLine* line = hit(event->position()).line;
    Q_EMIT objectHovered(line ? line->id : 0);
}

void SpectrumChart::leaveEvent(QEvent*) {
    Q_EMIT objectHovered(0);
}

bool SpectrumChart::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const SpectrumPlot::Hit h = hit(QPointF(help->pos()));
    if (h.line) {
        QToolTip::showText(help->globalPos(),
                           tr("object %1, %2: %3 %4")
                               .arg(h.line->id)
                               .arg(m_plot.bands().value(qsizetype(h.band)),
                                    formatFlux(h.line->flux[h.band], h.line->error[h.band]), m_plot.unit()),
                           this);
    } else {
        QToolTip::hideText();
    }
    return true;
}

} // namespace blendscope
