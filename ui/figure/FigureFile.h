#pragma once

#include "figure/SvgDevice.h"

#include <QPainter>
#include <QSize>
#include <QString>
#include <functional>

namespace blendscope {

/// Paints a figure into a file, by its ending: .png, .jpg (scaled up by `scale`), .svg or .pdf (one unit a picture
/// pixel; lines and text stay vectors). Written beside and renamed. Throws UsageError for another ending, WriteError.
/// `text`: of .svg alone.
void saveFigure(const QString& path, QSize size, const std::function<void(QPainter&)>& paint, double scale = 1.0,
                SvgDevice::Text text = SvgDevice::Text::AsPaths);

} // namespace blendscope
