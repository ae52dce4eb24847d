#include "panels/PictureBoard.h"

#include "figure/Palette.h"
#include "theme/Theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr int kGap = 4;
constexpr int kSmallTile = 34; ///< least side in the table of bands
constexpr int kSmallTileMost = 76;
} // namespace

PictureBoard::PictureBoard(Layout layout, QWidget* parent) : QWidget(parent), m_layout(layout) {
    setSizePolicy(layout == Layout::Large ? QSizePolicy::Expanding : QSizePolicy::MinimumExpanding, QSizePolicy::Fixed);
    setMouseTracking(true);
    setAccessibleName(layout == Layout::Large ? tr("Data, model, residual and components") : tr("Pictures per band"));
}

void PictureBoard::setPictures(std::shared_ptr<const BlendPictures> pictures, int row) {
    m_pictures = std::move(pictures);
    m_row = row;
    const int height = arrange(width());
    setFixedHeight(std::max(1, height));
    updateGeometry();
    update();
}

void PictureBoard::setSelected(int objectId) {
    m_selected = objectId;
    update();
}

void PictureBoard::setHovered(int objectId) {
    if (objectId == m_hovered) return;
    m_hovered = objectId;
    update();
}

void PictureBoard::setLabels(std::map<int, Label> labels) {
    m_labels = std::move(labels);
    update();
}

double PictureBoard::aspect() const {
    if (!m_pictures || m_pictures->box.empty()) return 1.0;
    return std::clamp(double(m_pictures->box.height) / m_pictures->box.width, 0.6, 1.4);
}

int PictureBoard::tilesInRow(int width) const {
    const int n = m_pictures ? int(m_pictures->objects.size()) : 0;
    const int least = n > 12 ? 64 : n > 6 ? 84 : 104;
    return std::clamp((width + kGap) / (least + kGap), 3, 8);
}

int PictureBoard::arrange(int width) {
    m_tiles.clear();
    m_width = width;
    if (!m_pictures || m_pictures->rows.empty()) return 0;
    const int n = int(m_pictures->objects.size());
    const int line = QFontMetrics(Theme::smallFont()).height();
    if (m_layout == Layout::Large) {
        const auto& row = m_pictures->rows[std::size_t(std::min(m_row, int(m_pictures->rows.size()) - 1))];
        const int side = (width - 2 * kGap) / 3;
        int h = std::max(16, int(side * aspect()));
        int y = line + 2;
        const std::pair<QString, const QImage*> head[] = {
            {tr("data"), &row.data}, {tr("model"), &row.model}, {tr("residual (\u03c3)"), &row.residual}};
        for (int i = 0; i < 3; ++i) {
            m_tiles.push_back({QRect(i * (side + kGap), y, side, h), head[i].second, head[i].first, 0, i == 0});
        }
        y += h + 6;
        const int across = tilesInRow(width);
        const int small = (width - (across - 1) * kGap) / across;
        h = std::max(16, int(small * aspect()));
        for (int k = 0; k < n; ++k) {
            if (k % across == 0) y += line + 2;
            const QImage* image = k < int(row.components.size()) ? &row.components[std::size_t(k)] : nullptr;
            m_tiles.push_back({QRect((k % across) * (small + kGap), y, small, h),
                               image,
                               {},
                               m_pictures->objects[std::size_t(k)],
                               false});
            if (k % across == across - 1 || k == n - 1) y += h + kGap;
        }
        return y;
    }
    // Bands: a row a band; columns data, model, residual, components.
    int labelWidth = 0;
    for (const auto& row : m_pictures->rows) {
        labelWidth = std::max(labelWidth, QFontMetrics(Theme::smallFont()).horizontalAdvance(row.name) + 8);
    }
    const int columns = 3 + n;
    const int side = std::clamp((width - labelWidth) / columns - 3, kSmallTile, kSmallTileMost);
    const int h = std::max(16, int(side * aspect()));
    int y = line + 2;
    for (const auto& row : m_pictures->rows) {
        if (row.name.isEmpty()) continue;
        const QImage* images[] = {&row.data, &row.model, &row.residual};
        for (int c = 0; c < columns; ++c) {
            Tile tile;
            tile.rect = QRect(labelWidth + c * (side + 3), y, side, h);
            if (c < 3) {
                tile.image = images[c];
            } else {
                tile.image = c - 3 < int(row.components.size()) ? &row.components[std::size_t(c - 3)] : nullptr;
                tile.object = m_pictures->objects[std::size_t(c - 3)];
            }
            if (c == 0) tile.caption = row.name;
            m_tiles.push_back(tile);
        }
        y += h + 3;
    }
    return y;
}

QSize PictureBoard::sizeHint() const {
    return {m_layout == Layout::Large ? 300 : minimumSizeHint().width(), height()};
}

QSize PictureBoard::minimumSizeHint() const {
    if (m_layout == Layout::Large) return {200, 40};
    const int n = m_pictures ? int(m_pictures->objects.size()) : 0;
    return {30 + (3 + n) * (kSmallTile + 3), 20};
}

void PictureBoard::resizeEvent(QResizeEvent* event) {
    const int height = arrange(width());
    if (height != this->height()) setFixedHeight(std::max(1, height));
    QWidget::resizeEvent(event);
}

QRect PictureBoard::componentRect(int objectId) const {
    for (const Tile& tile : m_tiles) {
        if (tile.object == objectId) return tile.rect;
    }
    return {};
}

std::vector<int> PictureBoard::objectsShown() const {
    std::vector<int> ids;
    for (const Tile& tile : m_tiles) {
        if (tile.object > 0 && std::find(ids.begin(), ids.end(), tile.object) == ids.end()) ids.push_back(tile.object);
    }
    return ids;
}

void PictureBoard::drawMarks(QPainter& painter, const QRect& rect) const {
    const Box& box = m_pictures->box;
    painter.save();
    painter.setClipRect(rect);
    painter.setRenderHint(QPainter::Antialiasing);
    const double scale = std::min(double(rect.width()) / box.width, double(rect.height()) / box.height);
    const double left = rect.x() + (rect.width() - scale * box.width) / 2.0;
    const double bottom = rect.bottom() + 1 - (rect.height() - scale * box.height) / 2.0;
    for (const auto& [id, label] : m_labels) {
        const QPointF p(left + (label.position.x() - box.x0 + 0.5) * scale,
                        bottom - (label.position.y() - box.y0 + 0.5) * scale);
        const double r = id == m_selected || id == m_hovered ? 5.0 : 3.5;
        // An object is marked by a plus, a place without one by a cross.
        const QPointF u = id > 0 ? QPointF(r, 0) : QPointF(0.7 * r, 0.7 * r), v(-u.y(), u.x());
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3));
        painter.drawLine(p - u, p + u);
        painter.drawLine(p - v, p + v);
        painter.setPen(QPen(label.color, id == m_selected ? 2.0 : 1.4));
        painter.drawLine(p - u, p + u);
        painter.drawLine(p - v, p + v);
    }
    painter.restore();
}

void PictureBoard::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (m_width != width()) static_cast<void>(arrange(width()));
    painter.setFont(Theme::smallFont());
    const int line = painter.fontMetrics().height();
    for (const Tile& tile : m_tiles) {
        painter.fillRect(tile.rect, look::canvas());
        if (tile.image && !tile.image->isNull()) {
            QSize size = tile.image->size().scaled(tile.rect.size(), Qt::KeepAspectRatio);
            QRect inside(QPoint(0, 0), size);
            inside.moveCenter(tile.rect.center());
            // Pixels stay pixels where they are large; a picture that shrinks is smoothed.
            painter.setRenderHint(QPainter::SmoothPixmapTransform, size.width() < tile.image->width());
            painter.drawImage(inside, *tile.image);
        } else {
            painter.setPen(look::noData());
            painter.drawText(tile.rect, Qt::AlignCenter, QStringLiteral("\u2013"));
        }
        if (tile.marks) drawMarks(painter, tile.rect);
        const bool chosen = tile.object > 0 && tile.object == m_selected;
        const auto label = m_labels.find(tile.object);
        if (chosen) {
            painter.setPen(QPen(palette().color(QPalette::WindowText), 2));
            painter.drawRect(QRectF(tile.rect).adjusted(0, 0, 0, 0));
        } else if (tile.object > 0 && label != m_labels.end()) {
            painter.setPen(QPen(label->second.color, tile.object == m_hovered ? 3 : 1));
            painter.drawRect(QRectF(tile.rect).adjusted(0.5, 0.5, -0.5, -0.5));
        }
        if (m_layout == Layout::Large) {
            const QRect above(tile.rect.x(), tile.rect.y() - line - 1, tile.rect.width(), line);
            if (tile.object == 0) {
                painter.setPen(palette().color(QPalette::WindowText));
                painter.drawText(above, Qt::AlignLeft | Qt::AlignVCenter, tile.caption);
            } else if (label != m_labels.end()) {
                painter.fillRect(QRect(above.x(), above.y() + line / 2 - 4, 8, 8), label->second.color);
                QFont font = painter.font();
                font.setBold(chosen);
                painter.setFont(font);
                painter.setPen(palette().color(QPalette::WindowText));
                painter.drawText(above.adjusted(12, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, label->second.text);
                font.setBold(false);
                painter.setFont(font);
                const int used = 12 + painter.fontMetrics().horizontalAdvance(label->second.text) + 6;
                painter.setPen(Theme::colors().muted);
                painter.drawText(
                    above.adjusted(used, 0, 0, 0), Qt::AlignRight | Qt::AlignVCenter,
                    painter.fontMetrics().elidedText(label->second.detail, Qt::ElideRight, above.width() - used));
            }
        } else {
            if (!tile.caption.isEmpty()) {
                painter.setPen(palette().color(QPalette::WindowText));
                painter.drawText(QRect(0, tile.rect.y(), tile.rect.x() - 4, tile.rect.height()),
                                 Qt::AlignLeft | Qt::AlignVCenter, tile.caption);
            }
        }
    }
    if (m_layout == Layout::Bands && m_pictures && !m_tiles.empty()) {
        const int columns = 3 + int(m_pictures->objects.size());
        const QString heads[] = {tr("data"), tr("model"), tr("res.")};
        for (int c = 0; c < columns; ++c) {
            const QRect r = m_tiles[std::size_t(c)].rect;
            const QRect above(r.x() - 2, 0, r.width() + 4, line);
            if (c < 3) {
                painter.setPen(Theme::colors().muted);
                painter.drawText(above, Qt::AlignCenter, heads[c]);
            } else if (const auto label = m_labels.find(m_tiles[std::size_t(c)].object); label != m_labels.end()) {
                painter.setPen(palette().color(QPalette::WindowText));
                painter.drawText(above, Qt::AlignCenter, QString::number(label->first));
                painter.fillRect(QRect(r.x(), line - 1, r.width(), 2), label->second.color);
            }
        }
    }
}

int PictureBoard::objectAt(QPointF point) const {
    for (const Tile& tile : m_tiles) {
        if (tile.rect.contains(point.toPoint()) && tile.object > 0) return tile.object;
    }
    // On the data: the object nearest to the place.
    for (const Tile& tile : m_tiles) {
        if (!tile.marks || !tile.rect.contains(point.toPoint())) continue;
        const Box& box = m_pictures->box;
        const double scale = std::min(double(tile.rect.width()) / box.width, double(tile.rect.height()) / box.height);
        const double left = tile.rect.x() + (tile.rect.width() - scale * box.width) / 2.0;
        const double bottom = tile.rect.bottom() + 1 - (tile.rect.height() - scale * box.height) / 2.0;
        int best = 0;
        double least = 1e30;
        for (const auto& [id, label] : m_labels) {
            const double dx = left + (label.position.x() - box.x0 + 0.5) * scale - point.x();
            const double dy = bottom - (label.position.y() - box.y0 + 0.5) * scale - point.y();
            if (dx * dx + dy * dy < least) {
                least = dx * dx + dy * dy;
                best = id;
            }
        }
        return best;
    }
    return 0;
}

void PictureBoard::mousePressEvent(QMouseEvent* event) {
    if (const int id = objectAt(event->position())) Q_EMIT objectClicked(id);
}

void PictureBoard::mouseMoveEvent(QMouseEvent* event) {
    Q_EMIT objectHovered(objectAt(event->position()));
}

void PictureBoard::leaveEvent(QEvent*) {
    Q_EMIT objectHovered(0);
}

bool PictureBoard::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        for (const Tile& tile : m_tiles) {
            if (!tile.rect.contains(help->pos())) continue;
            const auto label = m_labels.find(tile.object);
            QToolTip::showText(
                help->globalPos(),
                label == m_labels.end()
                    ? tr("Click: the object nearest to this place. Residuals run from \u22125 (blue) to "
                         "+5 \u03c3 (orange).")
                    : tr("object %1  %2\nClick to select it").arg(label->first).arg(label->second.detail),
                this);
            return true;
        }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace blendscope
