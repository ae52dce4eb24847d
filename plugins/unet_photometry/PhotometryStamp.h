#pragma once

#include "core/Wcs.h"
#include "neural/Patch.h"
#include "neural/Preprocessing.h"

#include <vector>

namespace blendscope {

/// Six bands in units of their noise, presence and PSF width of each.
[[nodiscard]] QJsonObject photometryPreprocessing();

/// Square of `side` pixels around a position.
[[nodiscard]] Box photometryBox(double x, double y, int side);

/// Input of a PhotometryNet, float [21, y, x]: the preprocessing's channels, then Gaussians of unit height at the
/// detection that the stamp is centred on, narrow and wide, and at the other detections.
[[nodiscard]] torch::Tensor photometryInput(const Preprocessing& preprocessing, const Patch& patch,
                                            const std::vector<int>& matched, const PixelPosition& own,
                                            const std::vector<PixelPosition>& others);

/// float [6]: variance that light of one sky rms adds to a pixel of each of the network's bands, in sky variances.
/// `gain` per scene band, electrons per count, 0 = unknown.
[[nodiscard]] torch::Tensor photometryPoisson(const Patch& patch, const std::vector<int>& matched,
                                              const std::vector<double>& gain);

} // namespace blendscope
