#pragma once

#include "simulate/Galaxy.h"
#include "simulate/Recipe.h"
#include "simulate/Renderer.h"

#include <cstdint>
#include <vector>

namespace blendscope {

/// The objects of scene number `index` of a recipe, with positions and fluxes. `renderer` measures those that are
/// wished for at an S/N. The same (recipe, seed, index) gives the same objects.
[[nodiscard]] std::vector<Galaxy> drawObjects(const Recipe& recipe, const Renderer& renderer, std::uint64_t seed,
                                              int index);

} // namespace blendscope
