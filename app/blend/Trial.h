#pragma once

#include "judge/Readiness.h"
#include "method/Pipeline.h"

namespace blendscope::cli {

/// Runs a pipeline by `blend run` in a process of its own, so that a crash or a hang ends that process alone.
/// The token is asked while it waits.
[[nodiscard]] TrialRun runApart(const Scene& scene, const Pipeline& pipeline, const CancelToken& token,
                                int secondsAllowed = 60);

/// Runs a pipeline in this process, on one thread.
[[nodiscard]] TrialRun runHere(const Scene& scene, const Pipeline& pipeline, const Registry& registry,
                               const CancelToken& token);

} // namespace blendscope::cli
