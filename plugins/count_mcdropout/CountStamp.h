#pragma once

#include "core/Detection.h"
#include "neural/Patch.h"
#include "neural/Preprocessing.h"

namespace blendscope {

inline constexpr int kCountSide = 48; ///< pixels of a stamp

/// Six bands, their noise as the unit, presence and PSF width of each: what the network sees besides the area.
[[nodiscard]] QJsonObject countPreprocessing();

/// The stamp around the middle of a footprint's box; it may reach beyond the scene.
[[nodiscard]] Box countBox(const Footprint& footprint);

/// Whether a stamp holds the whole footprint.
[[nodiscard]] bool fitsCountStamp(const Footprint& footprint);

/// Input of the network, float [channels of `preprocessing` + 1, y, x]: the last channel is 1 in the area in which
/// objects are counted. `area` is CV_8U of the patch's box, nonzero inside.
[[nodiscard]] torch::Tensor countInput(const Preprocessing& preprocessing, const Patch& patch,
                                       const std::vector<int>& matched, const cv::Mat& area);

} // namespace blendscope
