#pragma once

#include <QPointF>
#include <QRectF>
#include <QSize>

namespace blendscope {

/// Where image coordinates lie on a screen of physical pixels, for the layers of a view.
struct ViewTransform {
    QPointF centre;    ///< image position in the middle
    double zoom = 1.0; ///< physical screen pixels an image pixel
    QSize screen;      ///< physical pixels
    double pixelRatio = 1.0;

    [[nodiscard]] QRectF visibleBox() const {
        const double w = screen.width() / zoom, h = screen.height() / zoom;
        return {centre.x() - w / 2, centre.y() - h / 2, w, h};
    }
};

} // namespace blendscope
