#pragma once

#include "core/Box.h"
#include "core/Psf.h"
#include "simulate/Galaxy.h"
#include "simulate/Profile.h"

#include <map>
#include <vector>

namespace blendscope {

/// Draws noiseless images of objects through a Moffat PSF and square pixels, in Fourier space: the exact transforms of
/// the profiles (Profile.h) are multiplied, the parts above the Nyquist frequency folded in, and transformed back.
/// Pixel values are right to 1e-3 of an object's peak for 0.5 <= n <= 6 and any PSF above about one pixel; the sum over
/// an unclipped box is the flux. Immutable after construction: safe from many threads.
class Renderer {
public:
    /// One PSF per band. `indices`: the Sersic indices that will be drawn, tabulated once. `sigma`: sky noise per band
    /// in counts, which decides how far out an object is drawn (to 0.02 sigma per pixel). Throws UsageError.
    Renderer(double pixelScaleArcsec, std::vector<MoffatTransform> psfPixels, const std::vector<double>& indices,
             std::vector<double> sigma);

    struct Drawing {
        Box box;                    ///< in scene pixels; may reach beyond the scene
        std::vector<cv::Mat> bands; ///< CV_32F of `box`, counts
    };
    /// The object in all bands. `mostPixels`: largest side of the box; light beyond is folded back into the box, so
    /// that the flux is kept. Throws UsageError for a Sersic index that was not announced.
    [[nodiscard]] Drawing draw(const Galaxy& galaxy, int mostPixels = 1024) const;

    /// The effective PSF of a band, pixel response included: unit sum, odd size, at most `most` pixels, large enough to
    /// hold 99.95 % of the light where it can.
    [[nodiscard]] Psf psf(int band, int most = 63) const;

private:
    [[nodiscard]] const SersicTransform& transform(double n) const;
    [[nodiscard]] int sideFor(const Galaxy& galaxy, int most) const;
    [[nodiscard]] std::vector<cv::Mat> render(const Galaxy& galaxy, double x, double y, int side,
                                              const std::vector<size_t>& bands) const;

    double m_scale;
    std::vector<MoffatTransform> m_psf;
    std::map<double, SersicTransform> m_transforms;
    std::map<double, double> m_b; ///< sersicB of each index
    std::vector<double> m_sigma;
};

} // namespace blendscope
