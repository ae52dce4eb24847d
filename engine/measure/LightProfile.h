#pragma once

#include "measure/AdaptiveMoments.h"
#include "measure/PsfMixture.h"

#include <opencv2/core.hpp>

namespace blendscope {

/// What a galaxy profile, convolved with the PSF, says of one object: an exponential disk plus a de Vaucouleurs bulge
/// of one half-light radius, fitted to the light in elliptical annuli of the shape that the moments give. All radii are
/// area-equivalent (geometric mean of the axes), pixel.
class LightProfile {
public:
    /// Major over minor axis (>= 1) of ellipses: of unit-area variances the major one is this ratio, the minor its
    /// inverse.
    struct Shape {
        double galaxy = 1.0;  ///< before the PSF
        double annulus = 1.0; ///< of the annuli and apertures: as seen
    };

    /// `image`, `variance`: CV_32F of one size; pixels with variance <= 0 do not count. `moments` in pixels of the
    /// image; `reach`: outermost annulus. Not valid with fewer than four annuli or without positive light.
    LightProfile(const cv::Mat& image, const cv::Mat& variance, const Moments& moments, const PsfMixture& psf,
                 double reach);

    [[nodiscard]] bool valid() const { return m_valid; }
    /// Half-light radius before the PSF; 0 if a point fits as well.
    [[nodiscard]] double halfLightRadius() const { return m_halfLight; }
    [[nodiscard]] double bulgeFraction() const { return m_bulge; }
    struct Part {
        double value = 1.0;
        double error = 0.0;
    };
    /// The part of the light inside an elliptical aperture of this area-equivalent radius in a band with this PSF: 1 if
    /// not valid.
    [[nodiscard]] Part enclosed(double radius, const PsfMixture& psf) const;
    /// Probability of a point source: evidence of a point against that of the extended family, with priors on radius
    /// and number (see LightProfile.cpp). NaN if not valid.
    [[nodiscard]] double pointProbability() const { return m_point; }

private:
    /// One member of the family with its weight after the fit.
    struct Sample {
        double radius = 0.0; ///< half-light radius, both components
        double bulge = 0.0;
        double weight = 0.0;
    };
    Shape m_shape;
    std::vector<Sample> m_samples;
    double m_halfLight = 0.0, m_bulge = 0.0, m_point = 0.0;
    bool m_valid = false;
};

} // namespace blendscope
