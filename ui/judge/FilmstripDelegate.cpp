#include "judge/FilmstripDelegate.h"

#include "figure/OutcomeLook.h"
#include "figure/Palette.h"
#include "judge/OutcomeModel.h"
#include "judge/ThumbnailMaker.h"
#include "theme/Theme.h"

#include <QPainter>

namespace blendscope {

QSize FilmstripDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
    return {kSide + kGap, kSide + kGap + kText};
}

void FilmstripDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const auto outcome = static_cast<Outcome>(index.data(OutcomeModel::OutcomeRole).toInt());
    const QRect b = index.data(OutcomeModel::BoxRole).toRect();
    const QRect tile(option.rect.x() + kGap / 2, option.rect.y() + kGap / 2, kSide, kSide);
    const bool chosen = option.state & QStyle::State_Selected;
    const bool over = option.state & QStyle::State_MouseOver;
    painter->save();
    if (chosen) painter->fillRect(option.rect, option.palette.color(QPalette::Highlight));
    painter->fillRect(tile, look::canvas());
    const QImage image = m_thumbnails->thumbnail({b.x(), b.y(), b.width(), b.height()});
    if (!image.isNull()) {
        painter->setRenderHint(QPainter::SmoothPixmapTransform, image.width() > kSide);
        painter->drawImage(tile, image);
    }
    paintOutcomeFrame(*painter, QRectF(tile).adjusted(1.5, 1.5, -1.5, -1.5), outcome, over || chosen ? 3.0 : 2.0);
    const bool suspected = index.data(OutcomeModel::SuspectedRole).toBool();
    paintOutcomeChip(*painter, QRectF(tile.x() + 4, tile.y() + 4, 16, 16), outcome, suspected);
    painter->setFont(Theme::smallFont());
    painter->setPen(chosen ? option.palette.color(QPalette::HighlightedText) : Theme::colors().muted);
    const QRect below(tile.x(), tile.bottom() + 1, kSide, kText);
    painter->drawText(below, Qt::AlignLeft | Qt::AlignVCenter, index.data(Qt::DisplayRole).toString());
    // Objects that are there against detections.
    painter->drawText(
        below, Qt::AlignRight | Qt::AlignVCenter,
        QStringLiteral("%1 \u2192 %2")
            .arg(suspected ? QStringLiteral("?") : QString::number(index.data(OutcomeModel::MembersRole).toInt()))
            .arg(index.data(OutcomeModel::DetectionsRole).toInt()));
    painter->restore();
}

} // namespace blendscope
