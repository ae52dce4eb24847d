#pragma once

#include "core/Box.h"
#include "core/Psf.h"
#include "simulate/Galaxy.h"
#include "simulate/Profile.h"
#include "simulate/PsfModel.h"
#include "simulate/RadialTable.h"

#include <map>
#include <memory>
#include <vector>

namespace blendscope {

/// Transforms of Sersic profiles, tabulated once and shared by many renderers. Immutable.
class SersicBank {
public:
    /// Throws UsageError for an index outside 0.5..8.
    explicit SersicBank(const std::vector<double>& indices);
    struct Entry {
        RadialTable transform; ///< in k r_e
        double b = 0.0;        ///< sersicB
        double logNorm = 0.0;  ///< ln of the surface brightness at the centre for unit flux and r_e
    };
    /// Throws UsageError for an index that was not announced.
    [[nodiscard]] const Entry& at(double n) const;

private:
    std::map<double, Entry> m_entries;
};

/// Draws noiseless images of objects through a PSF and square pixels, in Fourier space: the exact transforms of
/// the profiles (Profile.h) are multiplied, the parts above the Nyquist frequency folded in, and transformed back.
/// Pixel values are right to 1e-3 of an object's peak for 0.5 <= n <= 6 and any PSF above about one pixel; the sum over
/// an unclipped box is the flux. Immutable after construction: safe from many threads.
class Renderer {
public:
    /// How the bands see the sky beside their PSFs.
    struct Optics {
        /// Pixels by which a band's picture is moved; empty = none.
        std::vector<cv::Point2d> offsets;
        /// How the PSF changes from place to place (pixel position): band, x, y and the band's PSF in; null = not.
        std::function<PsfModel(size_t, double, double, const PsfModel&)> vary;
    };

    /// One PSF per band. `indices`: the Sersic indices that will be drawn, tabulated once. `sigma`: sky noise per band
    /// in counts, which decides how far out an object is drawn (to 0.02 sigma per pixel). Throws UsageError.
    Renderer(double pixelScaleArcsec, std::vector<PsfModel> psfs, const std::vector<double>& indices,
             std::vector<double> sigma);
    Renderer(double pixelScaleArcsec, std::vector<PsfModel> psfs, std::shared_ptr<const SersicBank> bank,
             std::vector<double> sigma, Optics optics = {});

    struct Drawing {
        Box box;                    ///< in scene pixels; may reach beyond the scene
        std::vector<cv::Mat> bands; ///< CV_32F of `box`, counts
    };
    /// The object in all bands. `mostPixels`: largest side of the box; light beyond is folded back into the box, so
    /// that the flux is kept. Throws UsageError for a Sersic index that was not announced.
    [[nodiscard]] Drawing draw(const Galaxy& galaxy, int mostPixels = 1024) const;

    /// The effective PSF of a band in the middle of the field (or at a place), pixel response included: unit sum, odd
    /// size, at most `most` pixels, large enough to hold 99.95 % of the light where it can.
    [[nodiscard]] Psf psf(int band, int most = 63) const;
    [[nodiscard]] Psf psfAt(int band, double x, double y, int most = 63) const;

    [[nodiscard]] size_t bands() const { return m_psf.size(); }
    [[nodiscard]] double sigma(size_t band) const { return m_sigma[band]; }
    [[nodiscard]] double pixelScale() const { return m_scale; }

private:
    [[nodiscard]] int sideFor(const Galaxy& galaxy, int most) const;
    [[nodiscard]] std::vector<cv::Mat> render(const Galaxy& galaxy, double x, double y, int side,
                                              const std::vector<size_t>& bands,
                                              const std::vector<PsfModel>& psfs) const;
    [[nodiscard]] Psf psfOf(const PsfModel& model, int most) const;

    double m_scale;
    std::vector<PsfModel> m_psf;
    std::shared_ptr<const SersicBank> m_bank;
    std::vector<double> m_sigma;
    Optics m_optics;
};

} // namespace blendscope
