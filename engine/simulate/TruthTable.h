#pragma once

#include "core/Scene.h"
#include "simulate/Galaxy.h"
#include "simulate/Survey.h"

#include <vector>

namespace blendscope {

/// Matched-filter S/N of an object alone, in g, r and i together (in all bands where there is none of them): root of
/// the sum over bands of `squares` (sum of its squared pixels) over the sky's variance.
[[nodiscard]] double detectionSnr(const Survey& survey, const std::vector<double>& squares,
                                  const std::vector<double>& sigma);

/// The band that stands for "i" in flux-averaged shapes and segmentations.
[[nodiscard]] size_t referenceBand(const Survey& survey);

/// A row of the truth table with all that is known of an object alone: fluxes (counts), magnitudes, shape columns as
/// Blending ToolKit names them, S/N. `squares` as in detectionSnr. Blendedness, neighbours and segmentation are for
/// the caller.
[[nodiscard]] TruthObject truthOf(const Galaxy& galaxy, int id, const Survey& survey, const Wcs& wcs,
                                  const std::vector<double>& squares, const std::vector<double>& sigma);

/// Distance (pixel) of each position to the nearest other one; 99 arcsec where it is farther or alone.
[[nodiscard]] std::vector<double> nearestArcsec(const std::vector<PixelPosition>& positions, double pixelScale);

} // namespace blendscope
