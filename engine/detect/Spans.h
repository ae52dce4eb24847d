#pragma once

#include "core/Detection.h"

#include <vector>

namespace blendscope {

/// Joins runs of pixels that touch, corners included, into footprints: box and spans set, overlapping runs united,
/// ids 0, no peaks. `spans` come in any order. The footprints are ordered by their first pixel in reading order.
/// Costs O(n log n) in the number of runs; with `owner` given, owner[i] is the index of the footprint that spans[i] is
/// part of.
[[nodiscard]] std::vector<Footprint> connectSpans(const std::vector<Span>& spans, std::vector<int>* owner = nullptr);

/// The runs of a filled circle around (x, y), clipped to `within`; the pixel that holds (x, y) is always part of it
/// where it lies inside `within`.
[[nodiscard]] std::vector<Span> discSpans(double x, double y, double radius, const Box& within);

} // namespace blendscope
