#include "judge/Reliability.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

/// Without weights every forecast counts once and is listed.
Reliability gathered(const std::vector<Forecast>& forecasts, int bins, const std::vector<std::uint16_t>* weights) {
    Reliability out;
    bins = std::max(bins, 1);
    out.bins.resize(static_cast<size_t>(bins));
    std::vector<double> sum(out.bins.size(), 0.0), happened(out.bins.size(), 0.0);
    for (size_t i = 0; i < out.bins.size(); ++i) {
        out.bins[i].low = static_cast<double>(i) / bins;
        out.bins[i].high = static_cast<double>(i + 1) / bins;
    }
    double squares = 0.0;
    for (const Forecast& f : forecasts) {
        const int times = weights ? (*weights)[static_cast<size_t>(f.unit)] : 1;
        if (!std::isfinite(f.probability) || times == 0) continue;
        const double p = std::clamp(f.probability, 0.0, 1.0);
        const auto bin = static_cast<size_t>(std::min(bins - 1, static_cast<int>(p * bins)));
        sum[bin] += times * p;
        happened[bin] += f.happened ? times : 0.0;
        out.bins[bin].count += times;
        if (f.member >= 0 && !weights) out.bins[bin].members.push_back(f.member);
        squares += times * (p - (f.happened ? 1.0 : 0.0)) * (p - (f.happened ? 1.0 : 0.0));
        out.count += times;
    }
    if (out.count == 0) return out;
    double distance = 0.0;
    for (size_t i = 0; i < out.bins.size(); ++i) {
        ReliabilityBin& b = out.bins[i];
        if (b.count == 0) continue;
        b.meanProbability = sum[i] / b.count;
        b.frequency = happened[i] / b.count;
        // The Agresti-Coull interval's width: not zero where all or none came true.
        const double n = b.count + 4.0, p = (happened[i] + 2.0) / n;
        b.error = std::sqrt(p * (1.0 - p) / n);
        distance += std::abs(sum[i] - happened[i]);
    }
    out.calibrationError = distance / out.count;
    out.brier = squares / out.count;
    return out;
}

} // namespace

Reliability reliabilityOf(const std::vector<Forecast>& forecasts, int bins) {
    return gathered(forecasts, bins, nullptr);
}

Reliability reliabilityIn(const std::vector<Forecast>& forecasts, const std::vector<std::uint16_t>& weights) {
    return gathered(forecasts, kReliabilityBins, &weights);
}

double gaussianPit(double value, double error, double truth) {
    if (!(error > 0.0) || !std::isfinite(value) || !std::isfinite(truth) || !std::isfinite(error))
        return std::numeric_limits<double>::quiet_NaN();
    return 0.5 * std::erfc((value - truth) / (error * std::numbers::sqrt2));
}

double distanceFromUniform(std::vector<double> values) {
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    double most = 0.0;
    for (size_t i = 0; i < values.size(); ++i) {
        const auto k = static_cast<double>(i);
        most = std::max({most, std::abs(values[i] - k / n), std::abs(values[i] - (k + 1.0) / n)});
    }
    return most;
}

} // namespace blendscope
