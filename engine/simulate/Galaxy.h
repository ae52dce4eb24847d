#pragma once

#include <QMap>
#include <QString>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

class PsfModel;

/// One Sersic component of an object.
struct SersicComponent {
    double n = 1.0;           ///< Sersic index, 0.5..8
    double aArcsec = 0.0;     ///< half-light semi-major axis, before the PSF
    double bArcsec = 0.0;     ///< half-light semi-minor axis
    double angle = 0.0;       ///< deg, from +x towards +y
    std::vector<double> flux; ///< counts per band of the survey
};

/// Light of one colour as a finely sampled picture, before the PSF: spiral arms, knots, tails, or a real galaxy.
struct LightMap {
    cv::Mat pixels;           ///< CV_32F [y, x], unit sum, axes along those of the scene
    double pitchArcsec = 0.0; ///< of its pixels; must resolve what it shows
    cv::Point2d centre;       ///< map pixel that lies at the object's position
    std::vector<double> flux; ///< counts per band of the survey
    /// The PSF that the picture already carries (lengths in arcsec), divided out as the scene's is put on, which must
    /// be the wider one; null = none.
    std::shared_ptr<const PsfModel> seen;
};

/// A galaxy or star as drawn by a population: what the truth table says of it.
struct Galaxy {
    bool star = false;
    double x = 0.0, y = 0.0; ///< pixel, 0-based, centres at integers
    double redshift = 0.0;
    std::vector<double> magnitude;           ///< AB per band of the survey
    std::vector<SersicComponent> components; ///< disk first, then bulge; empty for a star
    std::vector<LightMap> maps;              ///< what smooth profiles cannot say
    std::vector<double> pointFlux;           ///< counts per band of a point source; empty for none
    SersicComponent mapDisk;                 ///< the smooth disk that the maps stand for, with their flux
    QString morphology;                      ///< "spiral", "clumpy", ...; empty = smooth
    /// Half-light radius where the components do not say it; NaN = they do.
    double hlrArcsec = std::numeric_limits<double>::quiet_NaN();

    [[nodiscard]] double totalFlux(size_t band) const {
        double sum = band < pointFlux.size() ? pointFlux[band] : 0.0;
        for (const SersicComponent& c : components) {
            sum += c.flux[band];
        }
        for (const LightMap& m : maps) {
            sum += m.flux[band];
        }
        return sum;
    }

    QMap<QString, double> notes; ///< further columns of its truth row

    /// All fluxes times a factor, magnitudes with them.
    void brighten(double factor);
};

} // namespace blendscope
