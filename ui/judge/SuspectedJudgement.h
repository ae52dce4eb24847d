#pragma once

#include "core/Result.h"
#include "judge/Judgement.h"
#include "judge/Suspicion.h"

#include <vector>

namespace blendscope {

/// Suspicions gathered by blend, as a judgement without truth: one group a blend of the result (or a place without
/// one), the strongest suspicion first and giving the outcome, all of them in words. `evidence`: rows of `suspicions`
/// by group, in the order of Judgement::blends; may be null.
[[nodiscard]] Judgement suspectedJudgement(const Result& result, const std::vector<Suspicion>& suspicions,
                                           std::vector<std::vector<int>>* evidence = nullptr);

} // namespace blendscope
