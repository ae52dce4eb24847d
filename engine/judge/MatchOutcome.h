#pragma once

#include "core/Wcs.h"

#include <QString>
#include <vector>

namespace blendscope {

/// What positions alone say of a true object. These are not the outcomes of a blend (Judgement.h), which also ask what
/// would be detected of each object alone; both are printed, each under its own name.
enum class MatchOutcome {
    Found,    ///< has a detection of its own that stands for no other
    Shared,   ///< its detection is its own or its host's, and also stands for another eligible object
    Shredded, ///< found, with a further detection nearby that nothing else explains
    Missed,   ///< no detection of its own, and none near enough to hold its light
};
[[nodiscard]] QString matchOutcomeName(MatchOutcome outcome); ///< "found"

struct MatchOutcomes {
    std::vector<MatchOutcome> outcome; ///< per truth
    std::vector<bool> secondary;       ///< shared, but the detection belongs to another
    std::vector<int> host;             ///< own detection, or the one that holds its light; -1 = none
    int spurious = 0;                  ///< detections that nothing explains ...
    std::vector<int> unexplained;      ///< ... and which
};

/// Own detection: one to one, nearest first, within max(0.5 FWHM, 0.4 arcsec). A truth without one takes as its host
/// the nearest detection within max(1.5 FWHM, 1 arcsec). A detection left over, after faint truths took theirs within 1
/// arcsec, shreds the nearest truth where that lies within max(1.5 FWHM, 1 arcsec, 2 half-light radii) and has a
/// detection; otherwise it is spurious. `hlr` per truth, arcsec; `faint`: known objects below the limit of eligibility.
[[nodiscard]] MatchOutcomes matchOutcomes(const std::vector<PixelPosition>& truths, const std::vector<double>& hlr,
                                          const std::vector<PixelPosition>& detections,
                                          const std::vector<PixelPosition>& faint, double fwhmArcsec,
                                          double arcsecPerPixel);

} // namespace blendscope
