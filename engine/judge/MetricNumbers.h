#pragma once

#include "judge/ScoredSet.h"

#include <array>

namespace blendscope {

struct PipelineNumbers {
    std::vector<MetricValue> metrics;
    std::array<std::vector<Estimate>, 2> precision; ///< average precision at iouThresholds(), by mask and by box

    [[nodiscard]] const MetricValue* metric(const QString& id) const; ///< null where there is none
};

/// [scene][row of SceneScore::truths]: found by both of two pipelines.
using FoundByBoth = std::vector<std::vector<char>>;

/// Every metric of one pipeline, over all scenes.
[[nodiscard]] PipelineNumbers numbersOf(const ScoredSet& set, size_t pipeline);
/// What is measured of objects that were found, on those of `only`.
[[nodiscard]] PipelineNumbers numbersOfFound(const ScoredSet& set, size_t pipeline, const FoundByBoth& only);

} // namespace blendscope
