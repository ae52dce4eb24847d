#pragma once

#include "judge/SceneScore.h"

#include <functional>
#include <vector>

namespace blendscope {

/// What the curves of a report are drawn over, and what is drawn.

/// What an object, or a detection, is put into a bin by.
struct MetricAxis {
    QString id, label;
    bool log = false;
    std::vector<double> edges;
    std::function<double(const SceneScore&, const TruthScore&)> value;
    /// Likewise of a detection, by what was measured of it; none = detections have no such value.
    std::function<double(const SceneScore&, const DetectionScore&)> ofDetection;
    QString detectionLabel;
};

/// What is averaged in a bin.
struct MetricCurve {
    enum class Kind { Mean, Median, Scatter, Uniform };
    QString id, title, yLabel, help;
    Kind kind = Kind::Mean;
    double level = kNan;
    double yLow = kNan, yHigh = kNan;
    bool allKnown = false; ///< also of objects that are known but not eligible
    std::function<double(const SceneScore&, const TruthScore&)> value; ///< NaN = left out
};

[[nodiscard]] std::vector<MetricAxis> metricAxes(const std::vector<SceneScore>& scenes, double magnitudeBin);
[[nodiscard]] std::vector<MetricCurve> metricCurves(const std::vector<SceneScore>& scenes);

/// Outcomes that a blend can have (Judgement.h), and those that an object can have which would be detected alone.
[[nodiscard]] const std::vector<Outcome>& blendOutcomes();
[[nodiscard]] const std::vector<Outcome>& aloneOutcomes();

[[nodiscard]] const BandScore& referenceOf(const SceneScore& scene, const TruthScore& t);
/// Bright enough in this band (S/N 10) that its flux says something.
[[nodiscard]] bool visibleIn(const BandScore& band);
/// Relative error that counts as close: 20 %.
inline constexpr double kCloseFlux = 0.2;

/// g - i, or the bluest band and the reference one.
struct ColourBands {
    int blue = -1, red = -1;
    QString name; ///< "g-i"; empty with fewer than two bands
};
[[nodiscard]] ColourBands colourBandsOf(const SceneScore& scene);
/// Magnitudes; NaN where one of the two was not measured well enough.
[[nodiscard]] double colourErrorOf(const TruthScore& t, const ColourBands& bands);

/// Edges in steps of `width` from at or below `low` to above `high`.
[[nodiscard]] std::vector<double> binEdges(double low, double high, double width);

} // namespace blendscope
