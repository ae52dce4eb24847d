#include "SourceOdds.h"

#include "OddsWeights.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace blendscope {

namespace {

// From these on a trait is worth a word.
constexpr double kAlien = 16.0;    // chi-square
constexpr double kBluer = 0.25;    // ln of blue over red light
constexpr double kMirrored = 25.0; // chi-square

} // namespace

double SourceTraits::logOdds() const {
    using namespace odds;
    // Limits keep what the simulations never showed from being extrapolated; a gain beyond a thousand says no more,
    // since the structure of bright galaxies gains as much.
    const double term[kTerms] = {std::min(std::log(std::max(gain, 1.0) / 50.0), 3.0),
                                 std::log(std::clamp(contrast, 1e-3, 3.0)),
                                 std::log1p(alien / 5.0),
                                 std::min(alien / std::max(rawGain, 1.0), 1.0),
                                 std::log(std::clamp(hostRadius, 0.1, 2.0)),
                                 std::log(std::clamp(reach, 0.3, 8.0)),
                                 std::min(separation, 2.5),
                                 std::clamp(bluer, -1.5, 1.5),
                                 std::log1p(std::max(mirrored, 0.0) / 10.0)};
    double z[kTerms];
    for (int i = 0; i < kTerms; ++i)
        z[i] = std::clamp((term[i] - kMean[i]) / kDeviation[i], -kMost, kMost);
    double sum = kConstant;
    const double* product = kProduct;
    for (int i = 0; i < kTerms; ++i) {
        sum += kLinear[i] * z[i];
        for (int j = i; j < kTerms; ++j)
            sum += *product++ * z[i] * z[j];
    }
    return sum;
}

double SourceTraits::probability() const {
    return 1.0 / (1.0 + std::exp(-logOdds()));
}

QString SourceTraits::words() const {
    QString colour = QStringLiteral("of its colour");
    if (alien > kAlien) {
        colour = QStringLiteral("of a colour of its own");
    } else if (std::abs(bluer) > kBluer) {
        colour = bluer > 0.0 ? QStringLiteral("bluer, as young stars are") : QStringLiteral("redder");
    }
    QString words = QStringLiteral("%1 % sure to be a source of its own: %2 % of the light there, %3 FWHM and %4 "
                                   "half-light radii from the brighter one, %5")
                        .arg(100.0 * probability(), 0, 'f', 0)
                        .arg(100.0 * std::min(contrast, 9.99), 0, 'f', 0)
                        .arg(separation, 0, 'f', 1)
                        .arg(std::min(reach, 99.0), 0, 'f', 1)
                        .arg(colour);
    if (mirrored > kMirrored) words += QStringLiteral(", with a counterpart on the other side");
    words += QStringLiteral(" [traits");
    const std::pair<const char*, double> all[] = {{"contrast", contrast}, {"separation", separation}, {"reach", reach},
                                                  {"radius", hostRadius}, {"alien", alien},           {"bluer", bluer},
                                                  {"mirrored", mirrored}};
    for (const auto& [name, value] : all)
        words += QStringLiteral(" %1=%2").arg(QLatin1String(name)).arg(value, 0, 'g', 3);
    return words + QLatin1Char(']');
}

} // namespace blendscope
