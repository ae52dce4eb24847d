#pragma once

#include "core/Result.h"
#include "core/Scene.h"

namespace blendscope {

/// The scene with every component's model taken off, for detection on what is left. Sky, variance, masks and PSFs stay.
[[nodiscard]] Scene residualScene(const Scene& scene, const Result& result);

/// Adds what was found on the residual to the detections of `result`: peaks farther than `nearFwhm` FWHM (of the widest
/// band) from every known peak join the footprint that they lie in or touch, which grows; the others make new
/// footprints. Returns how many peaks were added; components and objects of `result` are then out of date.
int mergeResidualPeaks(const Scene& scene, const Result& found, Result& result, double nearFwhm = 0.7);

} // namespace blendscope
