#pragma once

#include "figure/ReportPage.h"
#include "judge/MetricsBuilder.h"

#include <functional>

namespace blendscope {

class Progress;

/// How the scenes of an evaluation are come by once more; both may throw Error, and are called from one thread.
struct FailureSource {
    std::function<ScenePtr(int scene)> scene; ///< by row of the scores
    std::function<ResultPtr(int pipeline, const Scene&)> result;
};

/// The worst blends of each pipeline, drawn: no result of an evaluation is kept, so their scenes are run once more. A
/// run that fails is drawn without detections. Throws CancelledError.
[[nodiscard]] std::vector<FailurePicture> pictureFailures(const std::vector<ScoredPipeline>& scored, int count,
                                                          const FailureSource& source, Progress& progress);

} // namespace blendscope
