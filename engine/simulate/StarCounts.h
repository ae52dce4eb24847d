#pragma once

#include "core/Random.h"

namespace blendscope {

/// How many stars of the Milky Way lie towards a direction: the closed form for the integrated V counts of a disk and a
/// spheroid, without extinction, of Bahcall & Soneira 1980 (ApJS 44, 73, appendix B; made for latitudes beyond 20 deg).
/// Magnitudes are the i-like AB ones of Population, by the mean V - i of its stars at each magnitude.
class StarCounts {
public:
    static constexpr double kLeastLatitude = 20.0; ///< deg; nearer to the plane the form does not hold

    /// Galactic coordinates in deg. Throws std::invalid_argument for a latitude nearer to the plane than
    /// kLeastLatitude or beyond a pole.
    StarCounts(double longitude, double latitude);

    /// Stars per square degree that are brighter than a V magnitude (Vega).
    [[nodiscard]] double brighterThanV(double v) const;
    /// Stars per arcmin^2 between two i magnitudes.
    [[nodiscard]] double density(double bright, double faint) const;
    /// An i magnitude between the two, from these counts.
    [[nodiscard]] double drawMagnitude(Random& random, double bright, double faint) const;

private:
    [[nodiscard]] double brighterThan(double i) const;
    double m_cosLongitude, m_sinLatitude, m_cosLatitude;
};

} // namespace blendscope
