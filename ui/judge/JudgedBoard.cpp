#include "judge/JudgedBoard.h"

#include "figure/OutcomeLook.h"
#include "figure/Palette.h"
#include "theme/Theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr int kGap = 4;
constexpr int kLeastTile = 92;
} // namespace

JudgedBoard::JudgedBoard(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Truth and detections of the blend, and each object alone"));
}

void JudgedBoard::setPictures(std::shared_ptr<const JudgedPictures> pictures, JudgementPtr judgement,
                              ResultPtr result) {
    m_pictures = std::move(pictures);
    m_judgement = std::move(judgement);
    m_result = std::move(result);
    arrange();
    update();
}

void JudgedBoard::setShaded(bool shaded) {
    m_shaded = shaded;
    update();
}

std::vector<int> JudgedBoard::objectsAlone() const {
    std::vector<int> ids;
    for (std::size_t i = 0; m_pictures && i < m_tiles.size(); ++i) {
        ids.push_back(m_pictures->alone[i].truthId);
    }
    return ids;
}

void JudgedBoard::arrange() {
    m_tiles.clear();
    if (!m_pictures) {
        setFixedHeight(1);
        return;
    }
    const int w = width();
    const double aspect =
        m_pictures->box.empty() ? 0.75 : std::clamp(double(m_pictures->box.height) / m_pictures->box.width, 0.5, 1.0);
    m_large = QRect(0, 0, w, int(w * aspect));
    const int line = QFontMetrics(Theme::smallFont()).height() + 2;
    const int n = int(m_pictures->alone.size());
    const int across = std::clamp((w + kGap) / (kLeastTile + kGap), 2, 6);
    const int side = (w - (across - 1) * kGap) / across;
    const int h = std::max(16, int(side * aspect));
    int y = m_large.bottom() + 1 + kGap;
    for (int i = 0; i < n; ++i) {
        if (i % across == 0) y += line;
        m_tiles.emplace_back((i % across) * (side + kGap), y, side, h);
        if (i % across == across - 1 || i == n - 1) y += h + kGap;
    }
    setFixedHeight(std::max(1, y));
    updateGeometry();
}

void JudgedBoard::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (event->size().width() != event->oldSize().width()) arrange();
}

void JudgedBoard::paintEvent(QPaintEvent*) {
    if (!m_pictures || !m_judgement) return;
    QPainter painter(this);
    painter.setFont(Theme::smallFont());
    paintJudgedBlend(painter, m_large, *m_pictures, *m_judgement, m_result.get(), m_shaded);
    for (std::size_t i = 0; i < m_tiles.size(); ++i) {
        const QRect& r = m_tiles[i];
        const JudgedPictures::Alone& alone = m_pictures->alone[i];
        const TruthVerdict* t = m_judgement->object(alone.truthId);
        painter.setFont(Theme::smallFont());
        painter.fillRect(r, look::canvas());
        if (alone.image.isNull()) {
            painter.setPen(look::noData().lighter(150));
            painter.drawText(r, Qt::AlignCenter | Qt::TextWordWrap, tr("no image of it alone"));
        } else {
            QRect inside(QPoint(0, 0), alone.image.size().scaled(r.size(), Qt::KeepAspectRatio));
            inside.moveCenter(r.center());
            painter.setRenderHint(QPainter::SmoothPixmapTransform, inside.width() < alone.image.width());
            painter.drawImage(inside, alone.image);
        }
        painter.setPen(QPen(m_pictures->colour(alone.truthId), 1));
        painter.drawRect(QRectF(r).adjusted(0.5, 0.5, -0.5, -0.5));
        if (!t) continue;
        paintOutcomeChip(painter, QRectF(r.x() + 3, r.y() + 3, 14, 14), t->outcome);
        const QRect above(r.x(), r.y() - painter.fontMetrics().height() - 1, r.width(), painter.fontMetrics().height());
        QFont bold = Theme::smallFont();
        bold.setBold(true);
        painter.setFont(bold);
        painter.setPen(palette().color(QPalette::WindowText));
        painter.drawText(above, Qt::AlignLeft | Qt::AlignVCenter, t->letter);
        const int used = painter.fontMetrics().horizontalAdvance(t->letter) + 6;
        painter.setFont(Theme::smallFont());
        painter.setPen(Theme::colors().muted);
        const QString found =
            t->detectedAlone
                ? (std::isfinite(t->significanceAlone)
                       ? tr("alone %1 \u03c3").arg(t->significanceAlone, 0, 'f', t->significanceAlone < 100.0 ? 1 : 0)
                       : tr("detected alone"))
                : tr("unseen alone");
        painter.drawText(above.adjusted(used, 0, 0, 0), Qt::AlignRight | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(found, Qt::ElideRight, above.width() - used));
    }
}

bool JudgedBoard::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && m_pictures && m_judgement) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QString text;
        if (m_large.contains(help->pos())) {
            text = tr("Colour shading: the true objects. Dashed outlines: what was detected and measured, in the "
                      "colour of its outcome.");
        }
        for (std::size_t i = 0; i < m_tiles.size(); ++i) {
            const TruthVerdict* t = m_judgement->object(m_pictures->alone[i].truthId);
            if (m_tiles[i].contains(help->pos()) && t) {
                text = tr("%1 alone in the same noise\n%2").arg(t->letter, t->words);
            }
        }
        QToolTip::showText(help->globalPos(), text, this);
        return true;
    }
    return QWidget::event(event);
}

} // namespace blendscope
