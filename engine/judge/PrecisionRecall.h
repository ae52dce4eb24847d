#pragma once

#include "core/Wcs.h"

#include <cstdint>
#include <vector>

namespace blendscope {

/// Precision and recall as the confidence limit falls, and the average precision, after the COCO evaluation (Lin et al.
/// 2014, arXiv:1405.0312; cocodataset.org, "Detection evaluation").

/// A detection and a true object that overlap.
struct Overlap {
    int detection = 0, truth = 0;
    double iou = 0.0; ///< intersection over union
};

/// One scene. Detections are taken in order of falling confidence; each takes the free true object that it overlaps
/// most, at least as much as asked. True objects that are not asked for (too faint) may be taken too: such a detection
/// counts neither as right nor as wrong.
struct OverlapScene {
    std::vector<double> confidence; ///< per detection
    std::vector<bool> asked;        ///< per true object
    std::vector<Overlap> overlaps;
    /// Per detection: where it meets no true object, it counts neither as right nor as wrong. Empty = none.
    std::vector<bool> ignored;
    std::vector<int> detectionId; ///< Object::id; may be empty
    /// What a bootstrap draws, per detection and per true object: the scene, or a part of it. Empty = the scene's row.
    std::vector<int> detectionUnit, truthUnit;
    std::vector<PixelPosition> detectionAt, truthAt; ///< where they are; may be empty
};

struct PrecisionRecallCurve {
    std::vector<double> recall, precision; ///< precision made monotonic, from recall 0 on
    double averagePrecision = 0.0;         ///< mean precision at recall 0, 0.01, ... 1; NaN where nothing was asked for
};

/// All scenes at one threshold: what became of every detection, kept so that resamples cost no matching.
class PrecisionRecall {
public:
    PrecisionRecall(const std::vector<OverlapScene>& scenes, double leastIou);
    /// `weights` per unit (how often a bootstrap drew it); empty = all ones.
    [[nodiscard]] PrecisionRecallCurve curve(const std::vector<std::uint16_t>& weights = {}) const;

private:
    struct Claim {
        double confidence;
        int unit;
        bool right;
    };
    std::vector<Claim> m_claims; // most confident first; those spent on objects not asked for are left out
    std::vector<int> m_asked;    // per unit
};

/// The thresholds 0.50, 0.55, ... 0.95 over which average precision is averaged.
[[nodiscard]] const std::vector<double>& iouThresholds();

} // namespace blendscope
