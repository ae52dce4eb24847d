#pragma once

#include "core/Result.h"
#include "deblend/BlendData.h"

namespace blendscope {

/// Limits and tolerances of measurement, in one place.
struct MeasureOptions {
    double kronFactor = 2.5;        ///< AUTO aperture in Kron radii (SExtractor's PHOT_AUTOPARAMS)
    double kronMinimumPixels = 3.5; ///< least semi-major axis of the AUTO aperture
    double fluxFactor = 1.5;        ///< aperture of the total flux in Kron radii; the rest comes from the profile
    double hardOverlap = 0.25;      ///< part of the AUTO aperture in other objects' pixels at which a hard division's
                                    ///< total is the AUTO flux alone
    double profileReach = 1.2;      ///< outermost annulus of the profile fit, in AUTO apertures
};

/// Measures the objects of one deblended blend: for each child (same order) centroid, adaptive moments (a, b, theta),
/// Kron radius, AUTO flux on the share, model flux with likelihood errors and the covariance between neighbours
/// (linear amplitudes of the models as templates, source noise included), flux = the best estimate of the total,
/// half-light radii as seen and before the PSF, probability of a point source, blendedness, flags. Objects arrive with
/// id, parent, position and flags set and leave complete but for ra, dec; `blend` gets covariances and chi-square.
/// Values that a deblender set already (not NaN) are kept. Never throws for bad pixels: flags instead.
void measureBlend(const BlendInput& input, const BlendOutput& output, const std::vector<Component>& components,
                  std::vector<Object>& objects, Blend& blend, const MeasureOptions& options = {});

} // namespace blendscope
