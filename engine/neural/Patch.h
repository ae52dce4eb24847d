#pragma once

#include "core/Result.h"
#include "core/Scene.h"

#include <vector>

namespace blendscope {

/// Pixels of a scene or a training stamp, as networks take them. Matrices are CV_32F [y, x] of `box`.
struct Patch {
    Box box; ///< scene pixels; may reach beyond the scene
    QStringList bands;
    std::vector<double> wavelength; ///< nm per band, 0 = unknown
    std::vector<cv::Mat> image;     ///< per band: sky-subtracted counts; 0 where unusable and outside the scene
    std::vector<cv::Mat> weight;    ///< per band: 1 / variance (counts^-2) of sky and detector; 0 where unusable
    std::vector<float> sigma;       ///< per band: rms of the sky's noise, counts, one value for the whole scene
    std::vector<double> fwhm;       ///< per band: pixel; 0 = unknown
    std::vector<double> gain;       ///< per band: electrons per count; 0 = unknown
    std::vector<double> zeroPoint;  ///< per band; NaN = unknown
    double pixelScale = 0.0;        ///< arcsec; 0 = unknown

    /// Variance of the photons of one sigma of light, in squares of sigma; 0 = unknown.
    [[nodiscard]] double poisson(std::size_t band) const;
};

/// Reads patches of a scene by region. Safe from many threads; the scene must outlive it.
class PatchReader {
public:
    /// `sky` per band as Result::sky; empty = the scene is taken as sky-subtracted. The noise of each band is the
    /// median of its variance over up to 256 x 256 pixels of the whole scene, so that it does not depend on the patch.
    /// Where the variance holds the photons of objects, its rise with the light tells the gain better than the header,
    /// which may speak of a single exposure. Throws ReadError.
    explicit PatchReader(const Scene& scene, std::vector<SkyModelPtr> sky = {});

    /// Any box; what lies outside the scene is without data. Throws ReadError.
    [[nodiscard]] Patch read(const Box& box) const;

    [[nodiscard]] const Scene& scene() const { return m_scene; }
    [[nodiscard]] const std::vector<float>& sigma() const { return m_sigma; }
    /// As Patch::poisson.
    [[nodiscard]] double poisson(std::size_t band) const;

private:
    const Scene& m_scene;
    std::vector<SkyModelPtr> m_sky;
    std::vector<float> m_sigma;
    std::vector<double> m_gain;
};

} // namespace blendscope
