#pragma once

#include "SourceSearch.h"

namespace blendscope {

/// What was found in a blend.
struct FoundSources {
    std::vector<JointSource> sources; ///< pixels of the blend's box: those of `peaks` first, then `accepted`
    std::vector<int> peaks;           ///< indices of the blend's peaks that stayed, rising
    std::vector<SourceCandidate> accepted, rejected;
    int steps = 0;
};

/// SourceSearch on a blend of any size. Many peaks are searched in groups of neighbours, each with the sources just
/// beyond its border and with the light of all others taken off, so that the time grows with the number of sources, not
/// with its square. The models that are taken off come from one fit of all peaks.
[[nodiscard]] FoundSources searchSources(const BlendInput& blend, const PsfSet& psf, const SearchOptions& options,
                                         const Progress& progress);

} // namespace blendscope
