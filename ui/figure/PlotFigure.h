#pragma once

#include "judge/MetricsReport.h"

#include <QColor>
#include <QPainter>
#include <QRectF>
#include <QSize>
#include <vector>

namespace blendscope {

/// Colours of a plot: of the window's theme, or of paper.
struct PlotLook {
    QColor ink = QColor(0x1A, 0x1C, 0x20);    ///< text and axes
    QColor ground = QColor(0xFF, 0xFF, 0xFF); ///< invalid: not painted
    double gridStrength = 0.12;               ///< of the ink
    int fontPixels = 11;
    bool legend = true; ///< names of the pipelines above the plot, where there are several
};

/// Colour (Okabe & Ito 2008), dash and mark of pipeline number `index`: never told apart by colour alone.
[[nodiscard]] QColor pipelineColour(int index);
[[nodiscard]] Qt::PenStyle pipelineDash(int index);

/// A point that was painted, for clicks and tooltips.
struct PlotHit {
    int series = 0, point = 0; ///< PlotData::series[series].points[point]
    QPointF at;
    QRectF area; ///< of its mark or bar
};

/// One plot in the home of all plots: points with error bars and bin widths, lines, or bars; axes with sensible ticks.
/// Serves the report and the window. Returns where its points are.
std::vector<PlotHit> paintPlot(QPainter& painter, const QRectF& box, const PlotData& plot, const PlotLook& look = {});

/// The same as an SVG fragment for a page that changes between light and dark: ink becomes currentColor. Text stays
/// text.
[[nodiscard]] QByteArray plotSvg(const PlotData& plot, QSize size);

} // namespace blendscope
