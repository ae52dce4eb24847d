#include "charts/ProbabilityBars.h"

#include "figure/PlotFigure.h"
#include "theme/Theme.h"

#include <QPainter>
#include <QStringList>
#include <algorithm>

namespace blendscope {

ProbabilityBars::ProbabilityBars(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    hide();
}

void ProbabilityBars::setBars(const QString& title, std::vector<Bar> bars) {
    m_title = title;
    m_bars = std::move(bars);
    QStringList words;
    for (const Bar& bar : m_bars) {
        QString line = tr("%1: %2 %").arg(bar.name).arg(100.0 * bar.value, 0, 'f', 1);
        if (bar.spread > 0.0) line += QStringLiteral(" \u00b1 %1").arg(100.0 * bar.spread, 0, 'f', 1);
        words << line;
    }
    setToolTip(words.join(QLatin1Char('\n')));
    setAccessibleName(m_title);
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    setVisible(!m_bars.empty());
    update();
}

void ProbabilityBars::paintEvent(QPaintEvent*) {
    if (m_bars.empty()) return;
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setFont(Theme::smallFont());
    const QFontMetricsF text(p.font());
    const QColor ink = palette().color(QPalette::WindowText);
    p.setPen(Theme::colors().muted);
    p.drawText(QRectF(0, 0, width(), text.height()), Qt::AlignLeft, m_title);
    const double top = text.height() * 2 + 2, bottom = height() - text.height() - 2;
    const double step = std::min(64.0, double(width()) / double(m_bars.size()));
    for (std::size_t i = 0; i < m_bars.size(); ++i) {
        const Bar& bar = m_bars[i];
        const double x = double(i) * step, middle = x + step / 2, value = std::clamp(bar.value, 0.0, 1.0);
        const QRectF column(x + step * 0.2, bottom - value * (bottom - top), step * 0.6, value * (bottom - top));
        p.fillRect(column, pipelineColour(bar.marked ? 1 : 0));
        p.setPen(QPen(ink, 1.2));
        p.drawLine(QPointF(x, bottom), QPointF(x + step, bottom));
        if (bar.spread > 0.0) {
            const double low = bottom - std::clamp(value - bar.spread, 0.0, 1.0) * (bottom - top);
            const double high = bottom - std::clamp(value + bar.spread, 0.0, 1.0) * (bottom - top);
            p.drawLine(QPointF(middle, low), QPointF(middle, high));
        }
        p.setPen(ink);
        p.drawText(QRectF(x, bottom + 1, step, text.height()), Qt::AlignHCenter, bar.name);
        const QString percent =
            bar.value >= 0.005 ? QStringLiteral("%1 %").arg(100.0 * bar.value, 0, 'f', 0) : QStringLiteral("< 1 %");
        const double above = std::min(column.top(), bottom - std::clamp(value + bar.spread, 0.0, 1.0) * (bottom - top));
        p.drawText(QRectF(x, above - text.height(), step, text.height()), Qt::AlignHCenter, percent);
    }
}

} // namespace blendscope
