#pragma once

#include "neural/RegionNet.h"
#include "neural/SceneTargets.h"
#include "neural/Tensors.h"
#include "neural/TrainingData.h"

#include <cstdint>

namespace blendscope {

struct RegionSampleOptions {
    float leastSnr = 5.0f;    ///< fainter objects (alone, all bands) are neither asked for nor held against anyone
    float centreSigma = 0.8f; ///< pixel, of the target map
    float extentSigma = 1.0f;
};

/// What RegionNet learns from, made of a square stamp with its isolated images:
/// "images" [6, H, W] in sigma, "presence", "fwhm", "poisson" (Patch::poisson) [6]; "iso" [K, 6, H, W] noiseless light
/// of each object in sigma,
/// "total" [6, H, W] of all; "objects" [K, kObjectColumns]; "centres", "care" [H, W] target map and weight. Sides are
/// cut to multiples of the network's stride. Throws UsageError.
[[nodiscard]] Tensors regionSample(const TrainingStamp& stamp, const RegionSampleOptions& options);

/// "centres" and "care" of a sample whose "objects" are there, [side, side].
void addCentreTargets(Tensors& sample, const RegionSampleOptions& options, int side);

/// Columns of "objects": 1 for a star, centre, box, S/N, 1 if it is asked for (0: known, but too faint).
enum ObjectColumn { IsStar, CentreX, CentreY, BoxX0, BoxY0, BoxX1, BoxY1, Snr, Wanted, kObjectColumns };

/// Samples of one size as one batch: images, presence, fwhm, poisson, total, centres, care get a first axis; iso and
/// objects are joined, "object_image" [sum K] says where each belongs.
[[nodiscard]] Tensors collateRegions(const std::vector<Tensors>& samples);

struct RegionLossOptions {
    int proposals = 14;       ///< most of an image, of the network's own
    float leastScore = 0.03f; ///< of a proposal
    float radius = 2.0f;      ///< pixel: a proposal farther from every object is none
    std::uint64_t seed = 0;   ///< of the jitter of true centres that nothing proposed
};

/// Losses by name ("centre", "distance", "class", "position", "box", "share", "extent") and their weighted sum "total".
/// Differentiable.
[[nodiscard]] Tensors regionLosses(RegionNet& net, const Tensors& batch, const RegionLossOptions& options);

} // namespace blendscope
