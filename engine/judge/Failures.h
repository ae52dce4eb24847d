#pragma once

#include "judge/SceneScore.h"

namespace blendscope {

/// A blend that went wrong.
struct Failure {
    int scene = 0; ///< row of the scores
    int group = 0; ///< row of SceneScore::groups
    double badness = 0.0;
    Box box;       ///< scene pixels: its objects and some sky
    QString words; ///< "2 of 3 found; S/N 45 missed; flux of S/N 30 +120 %."
};

/// The worst `count` blends of a pipeline, worst first, at most one a scene as long as there are enough scenes. An
/// object's share in the badness is 1 where it was missed, else its relative flux error up to 1, times log10 of its
/// S/N. Deterministic.
[[nodiscard]] std::vector<Failure> worstFailures(const std::vector<SceneScore>& scenes, int count);

} // namespace blendscope
