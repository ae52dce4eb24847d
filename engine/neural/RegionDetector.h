#pragma once

#include "core/Box.h"
#include "neural/FloatBox.h"
#include "neural/RegionNet.h"

#include <vector>

namespace blendscope {

/// One object that RegionNet sees.
struct RegionDetection {
    float x = 0.0f, y = 0.0f; ///< centre, pixel
    FloatBox box;             ///< of its extent
    FloatBox window;          ///< square that its mask covers
    float score = 0.0f;       ///< that there is an object, 0..1: geometric mean of both stages' probabilities
    float proposal = 0.0f;    ///< the first stage's alone
    float star = 0.0f;        ///< probability of a point source, if there is an object
    torch::Tensor mask;       ///< [kMaskPlanes, kMaskSide, kMaskSide], 0..1, CPU float; undefined if not asked for
};

struct RegionDetectorOptions {
    float leastProposal = 0.05f; ///< of the map of centres
    float leastScore = 0.3f;
    float nearest = 1.2f; ///< pixel: of two closer ones the better stays
    int most = 100000;
    bool masks = true;
};

/// From dense maps of one image to detections, best first. Only those whose centre's pixel lies in `core` (pixels of
/// the maps). `probability` [H, W], `distances` [4, H, W]; `levels` of one image. No gradients.
[[nodiscard]] std::vector<RegionDetection> detectRegions(RegionNet& net, const PyramidNetImpl::Levels& levels,
                                                         const torch::Tensor& probability,
                                                         const torch::Tensor& distances, const Box& core,
                                                         const RegionDetectorOptions& options);

/// What the network says of objects whose positions are given (pixels of the maps; `score` says how sure one is of
/// them): one for each, in order, masks included.
[[nodiscard]] std::vector<RegionDetection> regionsAt(RegionNet& net, const PyramidNetImpl::Levels& levels,
                                                     const torch::Tensor& distances,
                                                     const std::vector<Centre>& positions);

} // namespace blendscope
