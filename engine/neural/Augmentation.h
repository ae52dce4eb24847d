#pragma once

#include "core/Random.h"
#include "neural/TrainingData.h"

namespace blendscope {

/// What makes many samples of one without making them wrong. All of these keep a stamp's image, weight, truth images
/// and positions in step.

/// A quarter turn `turns` times, counterclockwise with y upwards ((x, y) -> (side - 1 - y, x)), after mirroring in x
/// where `mirror` is set. Square stamps only; truth columns of angles turn too. Throws UsageError.
void turnStamp(TrainingStamp& stamp, int turns, bool mirror);

/// Adds white noise so that the noise's rms is `factor` (>= 1) times what it was; weights fall with it.
void raiseNoise(TrainingStamp& stamp, double factor, Random& random);

/// Adds the noise that the light would have on top if it came in `factor` (>= 1) times fewer photons, as stars do that
/// were made of a noisy PSF. Needs noiseless images and gains; weights and gains stay, for no survey would know.
void raisePhotonNoise(TrainingStamp& stamp, double factor, Random& random);

/// Light, noise and truth times `factor`: another gain or zero point of one and the same sky.
void scaleCounts(TrainingStamp& stamp, double factor);

/// Takes a band out of the stamp, its truth included: Preprocessing::match then finds it missing.
void dropBand(TrainingStamp& stamp, int band);

/// All that a recipe's "augment" asks for. Throws UsageError that names the key.
void augment(TrainingStamp& stamp, const QJsonObject& wishes, Random& random);
/// Checks a recipe's "augment" before training begins.
void checkAugmentation(const QJsonObject& wishes);

} // namespace blendscope
