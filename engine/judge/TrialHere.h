#pragma once

#include "jobs/Progress.h"
#include "judge/Readiness.h"
#include "method/Pipeline.h"

namespace blendscope {

/// Runs a pipeline in this process, on one thread: a TrialRunner for scenes that are known to be harmless.
[[nodiscard]] TrialRun runHere(const Scene& scene, const Pipeline& pipeline, const Registry& registry,
                               const CancelToken& token);

} // namespace blendscope
