#pragma once

#include "core/Random.h"
#include "simulate/Galaxy.h"

#include <QString>

namespace blendscope {

/// What makes a galaxy's disk irregular; lengths in half-light radii of the disk.
/// Sources, rounded: logarithmic spirals of pitch 8 to 35 deg (Kennicutt 1981, AJ 86, 1847; Savchenko et al. 2020,
/// MNRAS 493, 390); knots with N(L) ~ L^-2 (Kennicutt, Edgar & Hodge 1989, ApJ 337, 761) that hold 5 to 40 % of the
/// light, most of it blue (Guo et al. 2015, ApJ 800, 39); dust of tau ~ lambda^-0.7 (Charlot & Fall 2000, ApJ 539, 718)
/// on the inner edge of the arms, or in a lane across an edge-on disk; faint tidal features around 12 to 18 % of bright
/// galaxies (Atkinson, Abraham & Ferguson 2013, ApJ 765, 28), which hold some percent of the light.
struct Morphology {
    int arms = 0;               ///< 0 = none
    double pitchDegrees = 18.0; ///< of the arms
    double armContrast = 1.0;   ///< brightest over faintest along a circle, in the young light; 1 = none
    double flocculence = 0.0;   ///< 0 = grand design .. 1 = torn to pieces
    double youngShare = 0.4;    ///< of the disk's i-like light: arms and knots
    int knots = 0;              ///< star-forming knots
    double knotShare = 0.0;     ///< of the disk's i-like light, part of youngShare
    double knotSize = 0.08;     ///< FWHM of the largest
    double lopsided = 0.0;      ///< amplitude of cos(phi), 0..0.7
    double bar = 0.0;           ///< share of the old light in a bar
    double dust = 0.0;          ///< optical depth at 550 nm where the dust is thickest
    int tails = 0;              ///< tidal tails
    double tailShare = 0.0;     ///< of the old light, all tails
    int shells = 0;             ///< arcs of a merger's stars
    double shellShare = 0.0;    ///< of the old light

    /// "spiral", "flocculent", "clumpy" or "edge-on", with "+tidal" behind it where there are tails or shells.
    [[nodiscard]] QString name(double axisRatio) const;

    /// What may be drawn.
    struct Wish {
        bool knots = true, arms = true, dust = true, tides = true;
        QString kind; ///< "spiral", "flocculent", "clumpy"; empty = as they are met
    };
    /// A morphology as it is met; disks flatter than kEdgeOn get a dust lane and no arms.
    [[nodiscard]] static Morphology draw(Random& random, const Wish& wish, double axisRatio);
    static constexpr double kEdgeOn = 0.3;
};

/// The pictures of an irregular disk: young stars, and old stars behind the dust as it is at two wavelengths, between
/// which other wavelengths are mixed. Maps have unit sum and no fluxes yet.
struct MorphologyMaps {
    LightMap young, oldBlue, oldRed;
    double passedBlue = 1.0, passedRed = 1.0; ///< share of the old light that passes the dust in the two
    double hlrArcsec = 0.0;                   ///< circularised, of old and young light in the red together

    /// Share of the blue picture in the old light at a wavelength (the rest is the red one's).
    [[nodiscard]] static double blueness(double wavelengthNm);
};

/// `pitchArcsec`: size of the maps' pixels, made larger where the disk is very large. Deterministic in `random`.
[[nodiscard]] MorphologyMaps drawMorphology(const Morphology& morphology, Random& random, const SersicComponent& disk,
                                            double pitchArcsec);

} // namespace blendscope
