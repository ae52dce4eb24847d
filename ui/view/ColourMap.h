#pragma once

#include "view/ViewTypes.h"

#include <QRgb>

namespace blendscope {

/// Colour of t in 0..1 in a map of single bands; clamped.
[[nodiscard]] QRgb mapColour(DisplayMap map, float t);

} // namespace blendscope
