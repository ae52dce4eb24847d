#include "judge/RatesChart.h"

#include "figure/OutcomeLook.h"
#include "theme/Theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <cmath>

namespace blendscope {

RatesChart::RatesChart(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Shares of the outcomes of each result"));
    setCursor(Qt::PointingHandCursor);
}

void RatesChart::setRows(std::vector<Row> rows) {
    m_rows = std::move(rows);
    updateGeometry();
    update();
}

int RatesChart::barHeight() const {
    return fontMetrics().height() + 2;
}

int RatesChart::rowHeight() const {
    return fontMetrics().height() + 2 * barHeight() + 14;
}

QSize RatesChart::sizeHint() const {
    return {220, std::max(1, int(m_rows.size()) * rowHeight())};
}

QRectF RatesChart::bar(int row, bool objects) const {
    const double label = QFontMetrics(Theme::smallFont()).horizontalAdvance(tr("objects")) + 12.0;
    const double y = row * rowHeight() + fontMetrics().height() + 4.0 + (objects ? barHeight() + 2.0 : 0.0);
    return {label, y, width() - label - 4.0, double(barHeight())};
}

std::vector<RatesChart::Part> RatesChart::parts() const {
    std::vector<Part> all;
    for (int r = 0; r < int(m_rows.size()); ++r) {
        for (const bool objects : {false, true}) {
            const QMap<Outcome, int>& counts = objects ? m_rows[std::size_t(r)].objects : m_rows[std::size_t(r)].counts;
            int total = 0;
            for (auto it = counts.begin(); it != counts.end(); ++it) {
                if (it.key() != Outcome::Outside) total += it.value();
            }
            const QRectF whole = bar(r, objects);
            double x = whole.left();
            for (const Outcome outcome : outcomeOrder()) {
                const int n = outcome == Outcome::Outside ? 0 : counts.value(outcome);
                if (n == 0 || total == 0) continue;
                const double w = whole.width() * n / total;
                all.push_back({r, outcome, QRectF(x, whole.top(), w, whole.height()), n, double(n) / total, objects});
                x += w;
            }
        }
    }
    return all;
}

QRect RatesChart::partRect(int row, Outcome outcome) const {
    for (const Part& p : parts()) {
        if (p.row == row && p.outcome == outcome) return p.rect.toRect();
    }
    return {};
}

void RatesChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int r = 0; r < int(m_rows.size()); ++r) {
        const Row& row = m_rows[std::size_t(r)];
        const QRectF head(4, r * rowHeight() + 2, width() - 8, fontMetrics().height());
        if (row.current) painter.fillRect(QRectF(0, r * rowHeight(), 3, rowHeight() - 4), Theme::colors().accent);
        QFont font = this->font();
        font.setBold(row.current);
        painter.setFont(font);
        painter.setPen(palette().color(QPalette::WindowText));
        painter.drawText(head.adjusted(4, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(row.name, Qt::ElideMiddle, int(head.width()) - 4));
        if (!row.counts.isEmpty()) {
            painter.setFont(Theme::smallFont());
            painter.setPen(Theme::colors().muted);
            painter.drawText(bar(r, false).translated(4.0 - bar(r, false).left(), 0), Qt::AlignVCenter, tr("blends"));
            if (!row.suspected) {
                painter.drawText(bar(r, true).translated(4.0 - bar(r, true).left(), 0), Qt::AlignVCenter,
                                 tr("objects"));
            }
            continue;
        }
        painter.setFont(this->font());
        painter.setPen(Theme::colors().muted);
        painter.drawText(head.translated(4, head.height() + 4), Qt::AlignLeft | Qt::AlignVCenter, row.note);
    }
    QFont font = this->font();
    font.setBold(true);
    for (const Part& p : parts()) {
        const OutcomeLook& look = outcomeLook(p.outcome);
        painter.setFont(font);
        if (m_rows[std::size_t(p.row)].suspected) {
            painter.setPen(QPen(look.colour, 2));
            painter.drawRect(p.rect.adjusted(1, 1, -2, -1));
            painter.setPen(palette().color(QPalette::WindowText));
        } else {
            painter.fillRect(p.rect.adjusted(0, 0, -1, 0), look.colour);
            const bool light = qGray(look.colour.rgb()) > 107;
            painter.setPen(light ? QColor(0x10, 0x12, 0x16) : QColor(Qt::white));
        }
        const QString letter = look.letter, full = QStringLiteral("%1 %2").arg(letter).arg(p.count);
        const QString text = painter.fontMetrics().horizontalAdvance(full) + 4 < p.rect.width()     ? full
                             : painter.fontMetrics().horizontalAdvance(letter) + 2 < p.rect.width() ? letter
                                                                                                    : QString();
        painter.drawText(p.rect, Qt::AlignCenter, text);
    }
}

void RatesChart::mousePressEvent(QMouseEvent* event) {
    for (const Part& p : parts()) {
        if (!p.rect.contains(event->position())) continue;
        Q_EMIT outcomeClicked(p.row, p.outcome);
        return;
    }
    const int row = int(event->position().y()) / rowHeight();
    if (row >= 0 && row < int(m_rows.size())) Q_EMIT rowClicked(row);
}

bool RatesChart::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    for (const Part& p : parts()) {
        if (!p.rect.contains(help->pos())) continue;
        QToolTip::showText(help->globalPos(),
                           tr("%1: %2 %3, %4 %\n%5")
                               .arg(outcomeLook(p.outcome).title)
                               .arg(p.count)
                               .arg(p.objects ? tr("true objects") : tr("blends"))
                               .arg(100.0 * p.share, 0, 'f', 1)
                               .arg(outcomeLook(p.outcome).help),
                           this);
        return true;
    }
    QToolTip::hideText();
    return true;
}

} // namespace blendscope
