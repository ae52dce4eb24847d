#pragma once

#include "core/Result.h"
#include "core/Scene.h"

#include <vector>

namespace blendscope {

/// Replaces the detected peaks of `result` by given positions (pixel): Peak::position is the row. A position inside a
/// footprint becomes a peak of it; elsewhere in the scene a disc of one FWHM of the sharpest band is made around
/// it, and discs and footprints that touch become one footprint. Footprints without a position are dropped, so that
/// every footprint has at least one peak; positions outside the scene or not finite get none. Peaks of a footprint are
/// ordered by Peak::significance, highest first: inside a detected footprint the matched-filter S/N at the position
/// (bands in quadrature, at least 0.01), outside of all of them 0. Ids count from 1. Throws ReadError.
void usePositions(const Scene& scene, Result& result, const std::vector<PixelPosition>& positions);

} // namespace blendscope
