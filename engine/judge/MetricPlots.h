#pragma once

#include "judge/MetricNumbers.h"

namespace blendscope {

/// Every plot of a report: outcomes, curves over magnitude, size, S/N, neighbours, blendedness, seeing and depth,
/// precision and recall, reliability. `numbers`: a row a pipeline. `magnitudeBin`: width of bins, mag.
[[nodiscard]] std::vector<PlotData> drawPlots(const ScoredSet& set, const std::vector<PipelineNumbers>& numbers,
                                              double magnitudeBin);

} // namespace blendscope
