#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace blendscope {

/// A number with its standard error and its value in every resample.
struct Estimate {
    double value = std::numeric_limits<double>::quiet_NaN();
    double error = std::numeric_limits<double>::quiet_NaN();
    long long count = 0;
    std::vector<double> replicates;
};

/// Values, each with the unit (scene) that it belongs to. Values that are not finite are dropped on adding.
class UnitSample {
public:
    void add(double value, int unit);
    [[nodiscard]] size_t size() const { return m_rows.size(); }
    [[nodiscard]] bool empty() const { return m_rows.empty(); }
    [[nodiscard]] std::vector<double> values() const;

    struct Row {
        double value;
        int unit;
    };
    /// Sorted by value.
    [[nodiscard]] const std::vector<Row>& sorted() const;

private:
    mutable std::vector<Row> m_rows;
    mutable bool m_sorted = true;
};

/// Bootstrap over units (Efron 1979, Ann. Statist. 7, 1): units are drawn with replacement, so that what is correlated
/// within a scene stays together. The same draws serve every number and every pipeline: differences of two are paired.
/// Deterministic.
class Bootstrap {
public:
    /// With fewer than three units there are no errors.
    explicit Bootstrap(int units, int replicates = 200, std::uint64_t seed = 1);

    [[nodiscard]] int units() const { return m_units; }
    [[nodiscard]] int replicates() const { return static_cast<int>(m_weights.size()); }

    /// How often each unit was drawn.
    using Weights = std::vector<std::uint16_t>;
    [[nodiscard]] const std::vector<Weights>& weights() const { return m_weights; } ///< a row a resample
    /// Any statistic of the weights; it is called with all ones for the value itself.
    [[nodiscard]] Estimate of(const std::function<double(const Weights&)>& statistic, long long count) const;

    /// Sum of numerators / sum of denominators, given per unit. No error where fewer than three units have a
    /// denominator: resampling them would tell nothing.
    [[nodiscard]] Estimate ratio(const std::vector<double>& numerator, const std::vector<double>& denominator) const;
    /// The same of counts: where all or none hold, resampling gives no error at all, and that of Agresti and Coull
    /// (1998, Am. Stat. 52, 119) with z = 1 stands in: p (1 - p) / n of half a success more among n + 1.
    [[nodiscard]] Estimate share(const std::vector<double>& numerator, const std::vector<double>& denominator) const;
    /// As share() where all values are 0 or 1. No error with values in fewer than three units; likewise below.
    [[nodiscard]] Estimate mean(const UnitSample& sample) const;
    [[nodiscard]] Estimate median(const UnitSample& sample) const;
    /// 1.4826 times the median distance from the median: the sigma of a Gaussian, blind to outliers.
    [[nodiscard]] Estimate scatter(const UnitSample& sample) const;
    /// Largest distance of the values' distribution from that of a uniform one in 0..1 (Kolmogorov-Smirnov).
    [[nodiscard]] Estimate distanceFromUniform(const UnitSample& sample) const;

private:
    int m_units;
    std::vector<Weights> m_weights;
};

/// Of finite values, about their mean; NaN with fewer than two.
[[nodiscard]] double standardDeviation(const std::vector<double>& values);

/// Standard error of a share of n after Agresti and Coull, z = 1; never 0.
[[nodiscard]] double shareError(double share, double n);

/// How far a share moves from one condition to another, against how far chance alone would move it.
struct RangeOfShares {
    double range = std::numeric_limits<double>::quiet_NaN();  ///< highest - lowest
    double chance = std::numeric_limits<double>::quiet_NaN(); ///< mean range over resamples where nothing differs
    /// sqrt(range^2 - chance^2), not below 0.
    [[nodiscard]] double beyondChance() const;
};
/// `numerator` and `denominator`: [condition][unit]. Units (the same galaxies in every condition) are drawn together.
[[nodiscard]] RangeOfShares rangeOfShares(const std::vector<std::vector<double>>& numerator,
                                          const std::vector<std::vector<double>>& denominator, int replicates = 200);

/// Median of finite values, the mean of the middle two of an even number; NaN for none.
[[nodiscard]] double medianOf(std::vector<double> values);
/// 1.4826 MAD about the median; NaN for none.
[[nodiscard]] double scatterOf(const std::vector<double>& values);

/// Least-squares coefficients of y on columns of x (a constant is added last) by normal equations; empty where they are
/// singular.
[[nodiscard]] std::vector<double> linearFit(const std::vector<std::vector<double>>& x, const std::vector<double>& y);

} // namespace blendscope
