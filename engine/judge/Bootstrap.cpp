#include "judge/Bootstrap.h"

#include "core/Random.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

namespace blendscope {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kMadToSigma = 1.4826;

std::vector<long long> countByUnit(const std::vector<UnitSample::Row>& rows, int units) {
    std::vector<long long> counts(static_cast<size_t>(units), 0);
    for (const UnitSample::Row& r : rows) {
        ++counts[static_cast<size_t>(r.unit)];
    }
    return counts;
}

long long total(const std::vector<long long>& counts, const Bootstrap::Weights& weights) {
    long long n = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
        n += counts[i] * weights[i];
    }
    return n;
}

constexpr int kLeastUnits = 3;

int unitsWith(const std::vector<double>& denominator) {
    return static_cast<int>(std::count_if(denominator.begin(), denominator.end(), [](double d) { return d > 0.0; }));
}

Estimate withoutError(Estimate e) {
    e.error = kNone;
    std::fill(e.replicates.begin(), e.replicates.end(), kNone);
    return e;
}

int unitsWith(const std::vector<long long>& counts) {
    return static_cast<int>(std::count_if(counts.begin(), counts.end(), [](long long n) { return n > 0; }));
}

/// Median of rows sorted by value, each taken as often as its unit was drawn.
double weightedMedian(const std::vector<UnitSample::Row>& rows, const Bootstrap::Weights& weights, long long n) {
    if (n == 0) return kNone;
    const long long low = (n - 1) / 2, high = n / 2;
    long long seen = 0;
    double first = kNone;
    for (const UnitSample::Row& r : rows) {
        const long long w = weights[static_cast<size_t>(r.unit)];
        if (w == 0) continue;
        if (std::isnan(first) && seen + w > low) first = r.value;
        if (seen + w > high) return 0.5 * (first + r.value);
        seen += w;
    }
    return first;
}

double weightedScatter(const std::vector<UnitSample::Row>& rows, const Bootstrap::Weights& weights, long long n) {
    const double centre = weightedMedian(rows, weights, n);
    if (!std::isfinite(centre)) return kNone;
    // Distances from the centre in order, walking outwards on both sides of it.
    const auto above = std::lower_bound(rows.begin(), rows.end(), centre,
                                        [](const UnitSample::Row& r, double v) { return r.value < v; });
    auto up = above;
    auto down = above;
    const long long low = (n - 1) / 2, high = n / 2;
    long long seen = 0;
    double first = kNone;
    while (up != rows.end() || down != rows.begin()) {
        const bool takeUp =
            up != rows.end() && (down == rows.begin() || up->value - centre <= centre - (down - 1)->value);
        const UnitSample::Row& r = takeUp ? *up++ : *--down;
        const long long w = weights[static_cast<size_t>(r.unit)];
        if (w == 0) continue;
        const double distance = std::abs(r.value - centre);
        if (std::isnan(first) && seen + w > low) first = distance;
        if (seen + w > high) return kMadToSigma * 0.5 * (first + distance);
        seen += w;
    }
    return kMadToSigma * first;
}

} // namespace

double standardDeviation(const std::vector<double>& values) {
    double sum = 0.0, squares = 0.0;
    int n = 0;
    for (const double v : values) {
        if (!std::isfinite(v)) continue;
        sum += v;
        ++n;
    }
    if (n < 2) return kNone;
    const double mean = sum / n;
    for (const double v : values) {
        if (std::isfinite(v)) squares += (v - mean) * (v - mean);
    }
    return std::sqrt(squares / n);
}

void UnitSample::add(double value, int unit) {
    if (!std::isfinite(value)) return;
    m_rows.push_back({value, unit});
    m_sorted = false;
}

std::vector<double> UnitSample::values() const {
    std::vector<double> out;
    out.reserve(m_rows.size());
    for (const Row& r : m_rows) {
        out.push_back(r.value);
    }
    return out;
}

const std::vector<UnitSample::Row>& UnitSample::sorted() const {
    if (!m_sorted) {
        std::stable_sort(m_rows.begin(), m_rows.end(), [](const Row& a, const Row& b) { return a.value < b.value; });
        m_sorted = true;
    }
    return m_rows;
}

Bootstrap::Bootstrap(int units, int replicates, std::uint64_t seed) : m_units(std::max(units, 0)) {
    if (m_units < 3) return;
    m_weights.resize(static_cast<size_t>(std::max(replicates, 0)));
    for (size_t k = 0; k < m_weights.size(); ++k) {
        Random random(seed, 0xB007, k);
        m_weights[k].assign(static_cast<size_t>(m_units), 0);
        for (int i = 0; i < m_units; ++i) {
            ++m_weights[k][static_cast<size_t>(random.integer(0, m_units - 1))];
        }
    }
}

Estimate Bootstrap::of(const std::function<double(const Weights&)>& statistic, long long count) const {
    Estimate out;
    out.count = count;
    out.value = statistic(Weights(static_cast<size_t>(m_units), 1));
    out.replicates.reserve(m_weights.size());
    for (const Weights& w : m_weights) {
        out.replicates.push_back(statistic(w));
    }
    out.error = standardDeviation(out.replicates);
    return out;
}

Estimate Bootstrap::ratio(const std::vector<double>& numerator, const std::vector<double>& denominator) const {
    double all = 0.0;
    for (const double d : denominator) {
        all += d;
    }
    Estimate out = of(
        [&](const Weights& w) {
            double n = 0.0, d = 0.0;
            for (size_t i = 0; i < w.size(); ++i) {
                n += w[i] * numerator[i];
                d += w[i] * denominator[i];
            }
            return d > 0.0 ? n / d : kNone;
        },
        std::llround(all));
    return unitsWith(denominator) < kLeastUnits ? withoutError(std::move(out)) : out;
}

Estimate Bootstrap::share(const std::vector<double>& numerator, const std::vector<double>& denominator) const {
    Estimate out = ratio(numerator, denominator);
    if (std::isfinite(out.error) && (out.value <= 0.0 || out.value >= 1.0))
        out.error = shareError(out.value, static_cast<double>(out.count));
    return out;
}

Estimate Bootstrap::mean(const UnitSample& sample) const {
    std::vector<double> sum(static_cast<size_t>(m_units), 0.0), n(static_cast<size_t>(m_units), 0.0);
    for (const UnitSample::Row& r : sample.sorted()) {
        sum[static_cast<size_t>(r.unit)] += r.value;
        n[static_cast<size_t>(r.unit)] += 1.0;
    }
    const bool counts = std::all_of(sample.sorted().begin(), sample.sorted().end(),
                                    [](const UnitSample::Row& r) { return r.value == 0.0 || r.value == 1.0; });
    return counts ? share(sum, n) : ratio(sum, n);
}

Estimate Bootstrap::median(const UnitSample& sample) const {
    const auto& rows = sample.sorted();
    const std::vector<long long> counts = countByUnit(rows, m_units);
    Estimate out = of([&](const Weights& w) { return weightedMedian(rows, w, total(counts, w)); },
                      static_cast<long long>(rows.size()));
    return unitsWith(counts) < kLeastUnits ? withoutError(std::move(out)) : out;
}

Estimate Bootstrap::scatter(const UnitSample& sample) const {
    const auto& rows = sample.sorted();
    const std::vector<long long> counts = countByUnit(rows, m_units);
    Estimate out = of([&](const Weights& w) { return weightedScatter(rows, w, total(counts, w)); },
                      static_cast<long long>(rows.size()));
    if (rows.size() < 2) out.value = kNone; // one value does not scatter
    return unitsWith(counts) < kLeastUnits ? withoutError(std::move(out)) : out;
}

Estimate Bootstrap::distanceFromUniform(const UnitSample& sample) const {
    const auto& rows = sample.sorted();
    const std::vector<long long> counts = countByUnit(rows, m_units);
    Estimate out = of(
        [&](const Weights& w) {
            const auto n = static_cast<double>(total(counts, w));
            if (!(n > 0.0)) return kNone;
            double seen = 0.0, most = 0.0;
            for (const UnitSample::Row& r : rows) {
                const double weight = w[static_cast<size_t>(r.unit)];
                if (weight == 0.0) continue;
                most = std::max(most, std::abs(r.value - seen / n));
                seen += weight;
                most = std::max(most, std::abs(seen / n - r.value));
            }
            return most;
        },
        static_cast<long long>(rows.size()));
    return unitsWith(counts) < kLeastUnits ? withoutError(std::move(out)) : out;
}

double shareError(double share, double n) {
    const double p = (share * n + 0.5) / (n + 1.0);
    return std::sqrt(p * (1.0 - p) / (n + 1.0));
}

double RangeOfShares::beyondChance() const {
    return std::sqrt(std::max(0.0, range * range - chance * chance));
}

RangeOfShares rangeOfShares(const std::vector<std::vector<double>>& numerator,
                            const std::vector<std::vector<double>>& denominator, int replicates) {
    RangeOfShares out;
    if (numerator.empty()) return out;
    const Bootstrap bootstrap(static_cast<int>(numerator.front().size()), replicates);
    std::vector<Estimate> shares;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (size_t c = 0; c < numerator.size(); ++c) {
        shares.push_back(bootstrap.ratio(numerator[c], denominator[c]));
        low = std::min(low, shares.back().value);
        high = std::max(high, shares.back().value);
    }
    out.range = high - low;
    double sum = 0.0;
    int n = 0;
    for (size_t k = 0; k < static_cast<size_t>(bootstrap.replicates()); ++k) {
        double least = std::numeric_limits<double>::infinity(), most = -least;
        for (const Estimate& e : shares) {
            const double off = e.replicates[k] - e.value;
            if (!std::isfinite(off)) continue;
            least = std::min(least, off);
            most = std::max(most, off);
        }
        if (!(most >= least)) continue;
        sum += most - least;
        ++n;
    }
    if (n > 0) out.chance = sum / n;
    return out;
}

double medianOf(std::vector<double> v) {
    std::erase_if(v, [](double x) { return !std::isfinite(x); });
    if (v.empty()) return kNone;
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    if (v.size() % 2) return *middle;
    return 0.5 * (*middle + *std::max_element(v.begin(), middle));
}

double scatterOf(const std::vector<double>& values) {
    const double centre = medianOf(values);
    std::vector<double> distances;
    for (const double v : values) {
        distances.push_back(std::abs(v - centre));
    }
    return kMadToSigma * medianOf(std::move(distances));
}

std::vector<double> linearFit(const std::vector<std::vector<double>>& x, const std::vector<double>& y) {
    const int rows = static_cast<int>(y.size()), columns = static_cast<int>(x.size()) + 1;
    if (rows < columns) return {};
    cv::Mat a(rows, columns, CV_64F), b(rows, 1, CV_64F), solution;
    for (int i = 0; i < rows; ++i) {
        for (int j = 0; j + 1 < columns; ++j) {
            a.at<double>(i, j) = x[static_cast<size_t>(j)][static_cast<size_t>(i)];
        }
        a.at<double>(i, columns - 1) = 1.0;
        b.at<double>(i, 0) = y[static_cast<size_t>(i)];
    }
    cv::Mat values;
    cv::SVD::compute(a, values, cv::SVD::NO_UV);
    if (!(values.at<double>(columns - 1) > 1e-9 * values.at<double>(0))) return {};
    if (!cv::solve(a, b, solution, cv::DECOMP_SVD)) return {};
    return std::vector<double>(solution.begin<double>(), solution.end<double>());
}

} // namespace blendscope
