#pragma once

#include <QString>
#include <opencv2/core.hpp>

namespace blendscope {

/// The effective point-spread function of one band, pixel response included.
struct Psf {
    /// Where the PSF comes from; anything but Given is listed in Scene::assumptions.
    enum class Origin { None, Given, FromFwhm, Stars, Assumed };

    cv::Mat image; ///< CV_32F [y, x], odd size, unit sum, centred on the middle pixel; empty if unknown
    double fwhmPixels = 0.0;
    Origin origin = Origin::None;

    [[nodiscard]] bool known() const { return !image.empty(); }

    /// Makes a Psf from any image: NaN to 0, trimmed or padded to an odd size with the light's centroid on the middle
    /// pixel (sub-pixel shift by bicubic interpolation when off by more than 0.02 px), scaled to unit sum; the FWHM is
    /// measured. Throws ReadError for an image without positive flux.
    [[nodiscard]] static Psf fromImage(const cv::Mat& image, Origin origin);

    /// Moffat profile (beta 2.5 unless told) integrated over pixels. Throws UsageError for fwhmPixels <= 0.
    [[nodiscard]] static Psf moffat(double fwhmPixels, double beta = 2.5, Origin origin = Origin::FromFwhm);

    /// Circular Gaussian integrated over pixels. Throws UsageError for fwhmPixels <= 0.
    [[nodiscard]] static Psf gaussian(double fwhmPixels, Origin origin = Origin::FromFwhm);
};

/// FWHM (pixels) of a centred PSF image: twice the radius at which its azimuthal mean falls to half its maximum.
[[nodiscard]] double measureFwhm(const cv::Mat& psf);

} // namespace blendscope
