#pragma once

#include "judge/MetricsReport.h"
#include "judge/SceneScore.h"

namespace blendscope {

/// One pipeline's scores, scene by scene; every pipeline has the same scenes in the same order.
struct ScoredPipeline {
    QString name;
    QJsonObject definition;
    std::vector<SceneScore> scenes;
    double seconds = 0.0;
    int failures = 0;
};

struct BuildOptions {
    QString title;
    int replicates = 200;      ///< bootstrap resamples of the numbers
    int curveReplicates = 100; ///< and of the points of curves
    double magnitudeBin = 1.0;
};

/// Every number and curve of some pipelines on the same scenes. Errors are bootstrap standard errors: scenes are drawn
/// with replacement, or, where there are fewer than ten, squares of a quarter of a scene's side. Throws UsageError
/// where pipelines have different numbers of scenes.
[[nodiscard]] MetricsReport buildReport(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options = {});

} // namespace blendscope
