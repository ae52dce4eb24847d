#include "simulate/StarCounts.h"

#include "simulate/Population.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace blendscope {

namespace {

constexpr double kVNm = 551.0;
constexpr double kVegaMinusAb = 0.044; ///< in V (Frei & Gunn 1994, AJ 108, 1476)

double power10(double x) {
    return std::pow(10.0, x);
}

/// The magnitude law that both parts share: steep before the knee, `flat` in log counts beyond it.
double law(double m, double knee, double count, double bend, double flat, double power) {
    return count * power10(flat * (m - knee)) / std::pow(1.0 + power10(bend * (m - knee)), power);
}

} // namespace

StarCounts::StarCounts(double longitude, double latitude) {
    const double b = std::abs(latitude);
    if (!(b >= kLeastLatitude && b <= 90.0) || !std::isfinite(longitude)) {
        throw std::invalid_argument("star counts are known for galactic latitudes from 20 to 90 deg");
    }
    constexpr double kRadian = std::numbers::pi / 180.0;
    m_cosLongitude = std::cos(longitude * kRadian);
    m_sinLatitude = std::sin(b * kRadian);
    m_cosLatitude = std::cos(b * kRadian);
}

double StarCounts::brighterThanV(double v) const {
    const double step = std::clamp(v, 12.0, 20.0) - 12.0;
    const double mu = 0.03 + 0.0075 * step;
    const double gamma = 0.36 - 0.04 * step;
    // sin b (1 - mu cot b cos l), the path through the disk.
    const double path = m_sinLatitude - mu * m_cosLatitude * m_cosLongitude;
    const double disk = law(v, 15.75, 925.0, -0.132, 0.035, 3.0) / std::pow(path, 3.0 - 5.0 * gamma);
    const double towardsCentre = m_cosLatitude * m_cosLongitude;
    const double spheroid =
        law(v, 17.5, 1050.0, -0.18, 0.087, 2.5) / std::pow(1.0 - towardsCentre, 1.45 - 0.2 * towardsCentre);
    return disk + spheroid;
}

double StarCounts::brighterThan(double i) const {
    return brighterThanV(i + Population::meanStarColour(i, kVNm) + kVegaMinusAb) / 3600.0;
}

double StarCounts::density(double bright, double faint) const {
    return std::max(0.0, brighterThan(faint) - brighterThan(bright));
}

double StarCounts::drawMagnitude(Random& random, double bright, double faint) const {
    const double low = brighterThan(bright);
    const double wanted = low + (brighterThan(faint) - low) * random.uniform();
    // The counts rise everywhere, so that halving finds the place to far below a millimagnitude.
    double a = bright, b = faint;
    for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (a + b);
        (brighterThan(middle) < wanted ? a : b) = middle;
    }
    return 0.5 * (a + b);
}

} // namespace blendscope
