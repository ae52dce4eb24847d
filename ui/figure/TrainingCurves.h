#pragma once

#include "judge/MetricsReport.h"
#include "method/Training.h"

#include <QPainter>
#include <QString>
#include <vector>

namespace blendscope {

struct PlotLook;

/// Plots of a training: its losses (training and validation in one plot, for each part that both have), then every
/// metric of the validation, the one that decides (`headline`) first. x is the step; up to 400 points a line.
[[nodiscard]] std::vector<PlotData> trainingPlots(const std::vector<TrainingPoint>& curves, const QString& headline);

/// Paints plots side by side in rows into a box, as many columns as fit.
void paintTrainingPlots(QPainter& painter, const QRectF& box, const std::vector<PlotData>& plots, const PlotLook& look);

/// Writes them as a picture (SVG, PNG, PDF by the ending), black on white. Throws WriteError, UsageError.
void saveTrainingCurves(const QString& path, const std::vector<TrainingPoint>& curves, const QString& headline);

} // namespace blendscope
