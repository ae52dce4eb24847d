#pragma once

#include "method/BlendMethod.h"
#include "neural/RegionDetector.h"

#include <map>
#include <utility>
#include <vector>

namespace blendscope {

/// Divides the light of a blend among its peaks by the network's masks: in each pixel and band an object gets the
/// share that its mask claims over the sum of all claims.
class MaskDeblender final : public BlendMethod {
public:
    /// `detections`: one for each peak of the footprints, found by its position. `slots`: of the scene's bands.
    MaskDeblender(const std::vector<RegionDetection>& detections, std::vector<int> slots);

    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override;

    /// The detection at a peak; null = none.
    [[nodiscard]] const RegionDetection* at(double x, double y) const;

private:
    std::map<std::pair<float, float>, const RegionDetection*> m_at;
    std::vector<int> m_slots;
};

/// One plane of a mask [kMaskSide, kMaskSide] at the pixels of a box, bilinear between its samples; 0 outside its
/// window. CV_32F.
[[nodiscard]] cv::Mat pasteMask(const cv::Mat& mask, const FloatBox& window, const Box& box);

} // namespace blendscope
