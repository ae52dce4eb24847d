#pragma once

#include "core/Scene.h"

#include <vector>

namespace blendscope {

/// What a scene's truth says of its pixels, from the isolated and noiseless images that came with it or were drawn
/// (TruthRenderer). `objects` and `bands` count from 0; all functions throw UsageError where the images are missing.

/// An object alone with the blend's own noise realisation: the scene's image less all other objects' noiseless light.
/// The noise still holds the Poisson part of the others, which is what makes it the same realisation.
[[nodiscard]] cv::Mat aloneWithNoise(const Scene& scene, size_t band, size_t object, const Box& box);

/// Share of an object in the noiseless light of each pixel, 0..1; 0 where there is no light.
[[nodiscard]] cv::Mat softFraction(const Scene& scene, size_t band, size_t object, const Box& box);

/// Number (from 1, as TruthObject::id) of the object with the most light in each pixel of a band; 0 where the light of
/// all is below `limit` counts. CV_32S.
[[nodiscard]] cv::Mat dominance(const Scene& scene, size_t band, const Box& box, double limit);

} // namespace blendscope
