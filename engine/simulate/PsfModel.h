#pragma once

#include "core/Psf.h"
#include "simulate/Profile.h"
#include "simulate/RadialTable.h"

#include <cmath>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// A point-spread function as its Fourier transform, lengths in pixels: a product of radial profiles, each scaled and
/// sheared, or an image. Cheap to copy and to rescale: the tables are shared. Immutable, safe from many threads.
class PsfModel {
public:
    /// Throw UsageError for widths <= 0 and exponents that make no sense.
    [[nodiscard]] static PsfModel moffat(double fwhm, double beta);
    [[nodiscard]] static PsfModel gaussian(double fwhm);
    /// Long exposures through Kolmogorov turbulence: exp(-3.44 (lambda k / (2 pi r0))^(5/3)) (Fried 1966, JOSA 56,
    /// 1372).
    [[nodiscard]] static PsfModel kolmogorov(double fwhm);
    /// Diffraction at a round mirror with a central obscuration (share of the diameter, 0 <= o < 0.95), O'Neill 1956.
    [[nodiscard]] static PsfModel airy(double lambdaOverDiameter, double obscuration);
    /// An effective PSF, pixel response included, that is sampled well enough to have nothing beyond the Nyquist
    /// frequency. Throws UsageError for an empty one.
    [[nodiscard]] static PsfModel image(const Psf& psf);

    PsfModel(const MoffatTransform& moffat); // NOLINT(google-explicit-constructor): the same thing, tabulated

    /// Both after each other. An image can be convolved with analytic ones, not with another image (UsageError).
    [[nodiscard]] PsfModel convolved(const PsfModel& other) const;
    /// All lengths times a factor; images too (by their transform).
    [[nodiscard]] PsfModel scaled(double factor) const;
    /// Distorted by a reduced shear: a circle becomes an ellipse of the same area with (a - b) / (a + b) =
    /// hypot(g1, g2), longer along half of atan2(g2, g1). |g| < 0.9.
    [[nodiscard]] PsfModel sheared(double g1, double g2) const;

    /// True where the pixel response is part of it.
    [[nodiscard]] bool includesPixel() const { return !m_image.empty(); }
    /// Radian per pixel where the transform falls below 1e-6 for good.
    [[nodiscard]] double cutoff() const;
    /// Roughly, for sizes of boxes: parts added in quadrature.
    [[nodiscard]] double fwhm() const;
    /// Surface brightness of unit flux at radius r; good in the wings, where boxes are to end.
    [[nodiscard]] double surface(double r) const;
    [[nodiscard]] double fluxBeyond(double r) const;

    /// The analytic parts' transform along a row: out[i] = T(kx[i], ky) for i < count. 1 where there are none.
    void row(const float* kx, int count, float ky, float* out) const;
    /// The image's transform, CV_32FC2 [ky, kx]; empty without an image.
    [[nodiscard]] cv::Mat imageTransform(const std::vector<double>& kx, const std::vector<double>& ky) const;

private:
    /// A round profile of FWHM (or lambda / D) 1.
    struct Radial {
        RadialTable transform;
        double cutoff = 0.0;
        double fwhm = 1.0;
        std::vector<double> logSurface; ///< at r = 2^(i / 2 - 2)
        [[nodiscard]] double surface(double r) const;
        [[nodiscard]] double beyond(double r) const;
    };
    /// T(k) = radial(|(a, b; b, d) k|): a symmetric matrix of scale and shear.
    struct Part {
        std::shared_ptr<const Radial> radial;
        double a = 1.0, b = 0.0, d = 1.0;
        [[nodiscard]] double length() const { return std::sqrt(std::abs(a * d - b * b)); }
    };
    PsfModel() = default;
    [[nodiscard]] static PsfModel of(std::shared_ptr<const Radial> radial, double scale);
    [[nodiscard]] static std::shared_ptr<const Radial> tabulate(const std::function<double(double)>& transform,
                                                                const std::function<double(double)>& surface);

    std::vector<Part> m_parts;
    cv::Mat m_image;
    double m_imageScale = 1.0;
    double m_imageFwhm = 0.0;
};

} // namespace blendscope
