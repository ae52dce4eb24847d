#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// One round Gaussian of a mixture: share of the flux and variance.
struct GaussianTerm {
    double amplitude = 0.0;
    double variance = 0.0;
};

/// Galaxy profiles of unit flux and unit half-light radius as sums of Gaussians (the idea of Hogg & Lang 2013, PASP
/// 125, 719; the coefficients are a fit of our own, within 4 % in surface brightness between 0.05 and 4 radii for the
/// exponential and 9 % between 0.05 and 20 radii for de Vaucouleurs, the light beyond included in the total).
[[nodiscard]] const std::vector<GaussianTerm>& exponentialGaussians();
[[nodiscard]] const std::vector<GaussianTerm>& deVaucouleursGaussians();

/// A PSF as Gaussians that share one shape: covariance of term i = variance_i * shape (shape in pixel^2).
struct GaussianPsf {
    std::vector<GaussianTerm> terms;
    double shapeXx = 1.0, shapeYy = 1.0, shapeXy = 0.0;
    double fwhmPixels = 0.0;

    /// The best sum of at most `count` Gaussians for a centred PSF image (CV_32F, unit sum); the shape comes from its
    /// adaptive moments. Amplitudes are positive and sum to the light that the image holds. A broken image gives a
    /// single Gaussian of `fallbackFwhm`.
    [[nodiscard]] static GaussianPsf fit(const cv::Mat& psf, double fallbackFwhm, int count = 4);
    [[nodiscard]] static GaussianPsf gaussian(double fwhmPixels);
    /// The pixel values of the mixture on a size x size grid, CV_32F.
    [[nodiscard]] cv::Mat image(int size) const;
};

} // namespace blendscope
