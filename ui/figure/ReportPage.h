#pragma once

#include "judge/MetricsReport.h"

#include <QByteArray>
#include <QImage>
#include <vector>

namespace blendscope {

/// One of the worst failures of a pipeline, as a picture with words.
struct FailurePicture {
    int pipeline = 0;
    QString title;   ///< scene and blend
    QString caption; ///< what went wrong
    QImage image;
};

/// The report as one HTML file that needs nothing else: plots as inline SVG, pictures as data, light or dark as the
/// reader's system says. Deterministic.
[[nodiscard]] QByteArray reportPage(const MetricsReport& report, const std::vector<FailurePicture>& failures);

/// The metrics that lead: ids for the head-to-head table, in its order, with the report's band in place.
[[nodiscard]] QStringList leadingMetrics(const MetricsReport& report);

/// "0.432 ± 0.045": digits by the error; a dash for NaN.
[[nodiscard]] QString valueText(double value, double error);

} // namespace blendscope
