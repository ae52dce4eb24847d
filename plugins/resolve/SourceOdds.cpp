#include "SourceOdds.h"

#include "OddsWeights.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

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
    return QStringLiteral("p %1: %2 of the light there; %3 FWHM, %4 radii from the host of radius %5; colour alien by "
                          "%6, bluer by %7; mirrored %8")
        .arg(probability(), 0, 'f', 2)
        .arg(contrast, 0, 'g', 3)
        .arg(separation, 0, 'f', 2)
        .arg(reach, 0, 'f', 2)
        .arg(hostRadius, 0, 'f', 2)
        .arg(alien, 0, 'f', 1)
        .arg(bluer, 0, 'f', 2)
        .arg(mirrored, 0, 'f', 1);
}

} // namespace blendscope
