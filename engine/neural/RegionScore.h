#pragma once

#include "neural/RegionDetector.h"
#include "neural/RegionSample.h"

#include <QMap>
#include <QString>
#include <vector>

namespace blendscope {

struct RegionScoreOptions {
    float askedSnr = 10.0f; ///< objects that must be found (alone, all bands); fainter ones may be
    float radius = 2.5f;    ///< pixel: of a match, one to one, best detections first
    float link = 10.0f;     ///< pixel: asked objects with a chain of smaller steps are one blend
    double purity = 0.99;   ///< at which completeness and blends are counted
};

/// Collects what a network found in samples of known truth, and says how good it is.
class RegionScore {
public:
    explicit RegionScore(const RegionScoreOptions& options = {}) : m_options(options) {}

    /// `objects` [K, kObjectColumns] as regionSample makes them.
    void add(const std::vector<RegionDetection>& detections, const torch::Tensor& objects);

    /// - "ap": area under precision over recall of all objects, whatever their class
    /// - "completeness", "threshold": largest completeness with `purity`, and the score it is reached at
    /// - "blends": share of blends of two or more of which all members are found there
    /// - "star_precision", "galaxy_precision": precision of a class at 80 % of its recall (0 where never reached)
    /// - "box_iou": mean over matches
    [[nodiscard]] QMap<QString, double> metrics() const;

private:
    struct Found {
        float score = 0.0f, star = 0.0f;
        int truth = -1; ///< matched object, -1 = none
    };
    struct Asked {
        bool star = false;
        bool asked = false;
        int blend = -1; ///< of two or more
    };
    [[nodiscard]] double classPrecision(bool star) const;

    RegionScoreOptions m_options;
    std::vector<Found> m_found;
    std::vector<Asked> m_truth;
    int m_blends = 0;
    double m_iou = 0.0;
    int m_boxes = 0;
};

} // namespace blendscope
