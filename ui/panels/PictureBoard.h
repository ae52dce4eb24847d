#pragma once

#include "figure/BlendPictures.h"

#include <QColor>
#include <QWidget>
#include <functional>
#include <map>

namespace blendscope {

/// Draws the pictures of a blend: data, model, residual and the components large in colour, or a table of all bands,
/// small. A click on a component selects its object.
class PictureBoard final : public QWidget {
    Q_OBJECT

public:
    enum class Layout { Large, Bands };

    explicit PictureBoard(Layout layout, QWidget* parent = nullptr);
    /// `row` for the large layout: which of the pictures' rows.
    void setPictures(std::shared_ptr<const BlendPictures> pictures, int row = 0);
    void setSelected(int objectId);
    void setHovered(int objectId);
    struct Label {
        QString text; ///< "45", beside the object's colour
        QColor color;
        QPointF position; ///< scene pixels
        QString detail;   ///< second line and tool tip: "23.41 ± 0.02"
    };
    void setLabels(std::map<int, Label> labels);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;
    /// Where the component of an object is drawn; empty if it is not (for tests).
    [[nodiscard]] QRect componentRect(int objectId) const;
    [[nodiscard]] std::vector<int> objectsShown() const;

Q_SIGNALS:
    void objectClicked(int objectId);
    void objectHovered(int objectId); ///< 0 = none

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Tile {
        QRect rect; ///< of the picture
        const QImage* image = nullptr;
        QString caption;
        int object = 0; ///< 0 = data, model or residual
        bool marks = false;
    };
    [[nodiscard]] int arrange(int width); ///< fills m_tiles, returns the height
    [[nodiscard]] int tilesInRow(int width) const;
    [[nodiscard]] double aspect() const;             ///< height over width of a tile
    [[nodiscard]] int objectAt(QPointF point) const; ///< 0 = none
    void drawMarks(QPainter& painter, const QRect& rect) const;

    Layout m_layout;
    std::shared_ptr<const BlendPictures> m_pictures;
    int m_row = 0;
    int m_selected = 0, m_hovered = 0;
    std::map<int, Label> m_labels;
    std::vector<Tile> m_tiles;
    int m_width = 0;
};

} // namespace blendscope
