#pragma once

#include "core/Scene.h"

#include <cstdint>
#include <vector>

namespace blendscope {

/// A small scene of the kind that breaks pipelines.
struct HostileScene {
    QString name; ///< "cosmic-rays"
    QString what; ///< a phrase: "a cosmic ray in every hundredth pixel"
    ScenePtr scene;
    bool garbage = false; ///< nothing sensible can come of it: what counts is survival
};

/// Garbage (no data, no noise, one pixel, absurd numbers) and simulated scenes with truth that carry what surveys
/// carry: cosmic rays, trails, dead columns, saturation, gradients, a wrong PSF, a wrong variance, bands that do not
/// line up. The first of those with truth is clean, for comparison. Deterministic. Throws what the simulator throws.
[[nodiscard]] std::vector<HostileScene> hostileScenes(std::uint64_t seed = 1);

} // namespace blendscope
