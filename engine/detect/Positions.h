#pragma once

#include "core/Result.h"
#include "core/Scene.h"

#include <vector>

namespace blendscope {

void usePositions(const Scene& scene, Result& result, const std::vector<PixelPosition>& positions);

} // namespace blendscope
