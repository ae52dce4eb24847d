#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace blendscope {

/// A stated probability and whether the thing came true.
struct Forecast {
    double probability = 0.0;
    bool happened = false;
    int unit = 0;    ///< scene, for the bootstrap
    int member = -1; ///< row of PipelineReport::objects
};

/// One bin of a reliability diagram (Murphy & Winkler 1977, Appl. Statist. 26, 41).
struct ReliabilityBin {
    double low = 0.0, high = 0.0;
    double meanProbability = std::numeric_limits<double>::quiet_NaN();
    double frequency = std::numeric_limits<double>::quiet_NaN(); ///< share that came true
    double error = std::numeric_limits<double>::quiet_NaN();     ///< binomial, of the frequency
    int count = 0;
    std::vector<int> members;
};

struct Reliability {
    std::vector<ReliabilityBin> bins; ///< equal width; empty ones too
    /// Expected calibration error (Guo et al. 2017, ICML): mean over forecasts of |mean probability - frequency| of
    /// their bin. NaN without forecasts.
    double calibrationError = std::numeric_limits<double>::quiet_NaN();
    /// Mean squared distance of probability and truth (Brier 1950, Mon. Weather Rev. 78, 1).
    double brier = std::numeric_limits<double>::quiet_NaN();
    int count = 0;
};

inline constexpr int kReliabilityBins = 10;

/// Probabilities outside 0..1 are held there; NaN is left out.
[[nodiscard]] Reliability reliabilityOf(const std::vector<Forecast>& forecasts, int bins = kReliabilityBins);

/// The same of a resample: each forecast as often as `weights` says of its unit. Members are not listed.
[[nodiscard]] Reliability reliabilityIn(const std::vector<Forecast>& forecasts,
                                        const std::vector<std::uint16_t>& weights);

/// Probability integral transform of a measurement with a Gaussian error: where the truth lies in the distribution that
/// was stated, 0..1 (Dawid 1984, J. R. Stat. Soc. A 147, 278). Uniform if errors are honest, a valley if they are too
/// small, a hill if too large, a slope if the values are biased.
[[nodiscard]] double gaussianPit(double value, double error, double truth);

/// Greatest distance between the values' cumulative distribution and the uniform one (Kolmogorov); NaN for none.
[[nodiscard]] double distanceFromUniform(std::vector<double> values);

} // namespace blendscope
