#pragma once

#include "neural/FloatBox.h"
#include "neural/TrainingData.h"

#include <vector>

namespace blendscope {

/// What a network is to find in a stamp of known truth: one object.
struct TargetObject {
    int index = 0; ///< of the stamp's objects
    bool star = false;
    float x = 0.0f, y = 0.0f; ///< pixel
    float snr = 0.0f;         ///< matched-filter S/N of the object alone, all bands together, light in the stamp only
    FloatBox box;             ///< bounds of its extent
};

struct TargetOptions {
    float extentSigma = 1.0f; ///< an object's extent: where its noiseless light, summed over bands in sigma of the sky
                              ///< and divided by the root of their number, exceeds this
    float leastSide = 5.0f;   ///< of a box, pixel: what is too faint for an extent still has a PSF
};

/// Objects with their centre in the stamp, in the stamp's order. Throws UsageError without isolated images.
[[nodiscard]] std::vector<TargetObject> sceneTargets(const TrainingStamp& stamp, const TargetOptions& options = {});

/// Noiseless light of an object over bands, in sigma of the sky of that sum. CV_32F of the stamp.
[[nodiscard]] cv::Mat combinedLight(const TrainingStamp& stamp, int object);

} // namespace blendscope
