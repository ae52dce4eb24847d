#pragma once

#include <vector>

namespace blendscope {

/// One source of a JointFit: an elliptical mix of an exponential disk and a de Vaucouleurs bulge with one half-light
/// radius, or a point, with one spectrum.
struct JointSource {
    double x = 0.0, y = 0.0; ///< pixel of the blend's box
    double startX = 0.0, startY = 0.0;
    double positionSigma = 1.0; ///< pixel, of the prior around the start
    double logRadius = 0.0;     ///< ln of the half-light radius in pixel, geometric mean of the axes, before the PSF
    double e1 = 0.0, e2 = 0.0;  ///< ln(a / b) times cos, sin of twice the position angle
    double bulge = 0.1;         ///< share of the flux in the de Vaucouleurs part; below 0: in a Gaussian instead
    bool point = false;
    bool fitShape = true, fitBulge = true;
    std::vector<double> flux; ///< per band, total counts, >= 0
};

/// One Gaussian of a source's profile: share of the flux, its derivative by the bulge share, variance in units of the
/// half-light radius squared.
struct ProfileTerm {
    double amplitude = 0.0, derivative = 0.0, variance = 0.0;
};

/// At most 16, written to `terms`; with `derivatives` also those that have no light yet. Returns their number.
int listProfileTerms(const JointSource& source, bool derivatives, ProfileTerm* terms);

/// The half-light radius of sources that lie on each other, before the PSF, all bands' counts together, pixel
/// (circularised).
[[nodiscard]] double halfLightRadius(const std::vector<JointSource>& parts);

} // namespace blendscope
