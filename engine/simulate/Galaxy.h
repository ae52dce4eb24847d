#pragma once

#include <QString>
#include <vector>

namespace blendscope {

/// One Sersic component of an object.
struct SersicComponent {
    double n = 1.0;           ///< Sersic index, 0.5..8
    double aArcsec = 0.0;     ///< half-light semi-major axis, before the PSF
    double bArcsec = 0.0;     ///< half-light semi-minor axis
    double angle = 0.0;       ///< deg, from +x towards +y
    std::vector<double> flux; ///< counts per band of the survey
};

/// A galaxy or star as drawn by a population: what the truth table says of it.
struct Galaxy {
    bool star = false;
    double x = 0.0, y = 0.0; ///< pixel, 0-based, centres at integers
    double redshift = 0.0;
    std::vector<double> magnitude;           ///< AB per band of the survey
    std::vector<SersicComponent> components; ///< disk first, then bulge; empty for a star
    std::vector<double> pointFlux;           ///< counts per band of a point source; empty for none

    [[nodiscard]] double totalFlux(size_t band) const {
        double sum = band < pointFlux.size() ? pointFlux[band] : 0.0;
        for (const SersicComponent& c : components) {
            sum += c.flux[band];
        }
        return sum;
    }
};

} // namespace blendscope
