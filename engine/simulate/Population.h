#pragma once

#include "core/Random.h"
#include "simulate/Galaxy.h"
#include "simulate/Morphology.h"
#include "simulate/Survey.h"

#include <optional>

namespace blendscope {

/// A small population of galaxies and stars for demonstration scenes; magnitudes are i-like (AB, 756 nm) whatever the
/// survey's bands. Trends, rounded, after
/// - counts: N(< i) = 46 x 10^(0.31 (i - 25)) per arcmin^2, and redshifts p(z) ~ z^2 exp(-z / z0), z0 = 0.0417 i -
/// 0.744:
///   LSST Science Book (2009, arXiv:0912.0201), section 3.7;
/// - sizes: half-light radii of COSMOS galaxies in F814W (Leauthaud et al. 2007, ApJS 172, 219; Griffith et al. 2012,
///   ApJS 200, 9): median 0.35 arcsec at i = 24, falling by 0.11 dex a magnitude, scatter 0.18 dex;
/// - shapes: disks of intrinsic thickness 0.2 seen from all sides; rounder spheroids;
/// - colours: power laws with a break at 400 nm (1.05 to 2.2 in flux from young to passive, Kauffmann et al. 2003,
/// MNRAS
///   341, 33) and the Lyman-alpha forest (Madau 1995, ApJ 441, 18), seen through box filters, so that galaxies follow
///   redshift tracks and a passive sequence; bulges are redder than their disks;
/// - stars: the stellar locus of Covey et al. 2007, AJ 134, 2398, from F to M dwarfs.
class Population {
public:
    explicit Population(Survey survey);
    /// The Sersic indices of its galaxies, for the renderer.
    [[nodiscard]] static std::vector<double> sersicIndices() { return {1.0, 4.0}; }

    /// Galaxies per arcmin^2 between two magnitudes.
    [[nodiscard]] static double galaxyDensity(double bright, double faint);
    /// A magnitude from these counts.
    [[nodiscard]] static double drawMagnitude(Random& random, double bright, double faint);
    [[nodiscard]] static double drawRedshift(Random& random, double magnitude);
    /// Flux density f_nu (any unit) at a rest wavelength in nm of a type from 0 (young) to 1 (passive).
    [[nodiscard]] static double restFlux(double type, double restNm);

    /// What fixes a galaxy; NaN = drawn.
    struct Wish {
        double magnitude = 24.0;
        double redshift = std::numeric_limits<double>::quiet_NaN();
        double type = std::numeric_limits<double>::quiet_NaN();      ///< 0 young .. 1 passive
        double hlrArcsec = std::numeric_limits<double>::quiet_NaN(); ///< circularised
        double bulge = std::numeric_limits<double>::quiet_NaN();     ///< share of the i-like flux
        double axisRatio = std::numeric_limits<double>::quiet_NaN(); ///< of the disk
        double angle = std::numeric_limits<double>::quiet_NaN();     ///< deg from +x towards +y
        double sizeFactor = 1.0;                                     ///< on a drawn half-light radius
        /// Knots, arms, dust and tails instead of a smooth disk; a galaxy without a disk of its own stays smooth unless
        /// `forced`.
        std::optional<Morphology::Wish> irregular;
        bool forced = false;
    };
    [[nodiscard]] Galaxy galaxy(Random& random, const Wish& wish) const;
    /// `colour`: 0 (F dwarf) .. 1 (late M dwarf); NaN = drawn, redder towards faint magnitudes.
    [[nodiscard]] Galaxy star(Random& random, double magnitude,
                              double colour = std::numeric_limits<double>::quiet_NaN()) const;
    /// AB magnitude at a wavelength minus the i-like one, mean of the stars of a magnitude.
    [[nodiscard]] static double meanStarColour(double magnitude, double wavelengthNm);

private:
    void makeIrregular(Galaxy& galaxy, Random& random, const Morphology::Wish& wish, const SersicComponent& disk,
                       double type, double share, double magnitude) const;
    /// Flux in each band relative to the 756 nm filter.
    [[nodiscard]] std::vector<double> relativeFlux(double type, double redshift) const;
    Survey m_survey;
};

} // namespace blendscope
