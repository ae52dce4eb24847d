#pragma once

#include <QStyledItemDelegate>

namespace blendscope {

class ThumbnailMaker;

/// Draws a blend of the filmstrip: its picture in a frame of its outcome's colour and dashes, with letter and counts.
class FilmstripDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    FilmstripDelegate(ThumbnailMaker* thumbnails, QObject* parent)
        : QStyledItemDelegate(parent), m_thumbnails(thumbnails) {}
    static constexpr int kSide = 96, kGap = 6, kText = 16;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    ThumbnailMaker* m_thumbnails;
};

} // namespace blendscope
