#pragma once

#include "judge/TrialHere.h"

namespace blendscope::cli {

/// Runs a pipeline by `blend run` in a process of its own, so that a crash or a hang ends that process alone.
/// The token is asked while it waits.
[[nodiscard]] TrialRun runApart(const Scene& scene, const Pipeline& pipeline, const CancelToken& token,
                                int secondsAllowed = 60);

} // namespace blendscope::cli
