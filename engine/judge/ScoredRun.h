#pragma once

#include "judge/Judge.h"
#include "judge/SceneScore.h"

#include <functional>
#include <optional>

namespace blendscope {

/// What one scene's score is made of.
struct ScoredRunOptions {
    ScoreOptions score;
    std::optional<JudgeOptions> judge; ///< none = no outcomes
    /// Whether truth names every object. Nothing = judging finds it out; where nothing judges, scenes that do not say
    /// so themselves (truthNamesAll) count as incomplete.
    std::optional<bool> complete;
    /// How the cost is measured: not at all (the result's own stages say it); by the clock of this thread and of the
    /// pool's that helped it, where other scenes are worked on at the same time; by that of the whole process, which
    /// also sees a network library's threads.
    enum class Cost { Stages, Thread, Process };
    Cost cost = Cost::Stages;
};

struct ScoredRun {
    SceneScore score;
    QStringList problems; ///< sentences: what failed, why there are no outcomes
};

/// Scores, and judges, what `make` returns. Where it throws an Error the scene counts as one without detections, in the
/// outcomes too: `pipeline` (as Pipeline::toJson) says by what detector objects would be seen alone; empty = none, no
/// outcomes. Throws CancelledError alone.
[[nodiscard]] ScoredRun scoredRun(const Scene& scene, const std::function<ResultPtr()>& make,
                                  const QJsonObject& pipeline, const Registry& registry, Progress& progress,
                                  const ScoredRunOptions& options);

} // namespace blendscope
