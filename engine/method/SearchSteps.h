#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "jobs/Progress.h"

#include <vector>

namespace blendscope {

/// One state of a search for more sources in a blend: what the pixels leave when only those sources are there that had
/// been found by then.
struct SearchStep {
    ResultPtr result;                      ///< of this blend alone, with models of this state, and its neighbours'
    int objects = 0;                       ///< sources in the model
    int added = 0;                         ///< id of the object that came last; 0 in the first state
    SourceCandidate evidence;              ///< of that object
    std::vector<SourceCandidate> rejected; ///< what was tried in this state and did not stay
    double chiSquare = 0.0;                ///< of data minus model over the blend's box, all bands
};

/// The states of the search that the blend's candidates tell of, the first without any of them; empty for a blend
/// without candidates. Each state is fitted anew (profiles, all bands together), starting from the positions that the
/// objects have in `result`. Throws UsageError where the result has no such blend, ReadError, CancelledError.
[[nodiscard]] std::vector<SearchStep> searchSteps(const Scene& scene, const Result& result, int blendId,
                                                  Progress& progress);

/// "Two sources. Object 5 was added: the pixels need it ..."
[[nodiscard]] QString describe(const SearchStep& step);

} // namespace blendscope
