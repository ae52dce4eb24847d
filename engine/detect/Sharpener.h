#pragma once

#include "core/Scene.h"
#include "detect/DetectionImage.h"

#include <map>
#include <memory>
#include <mutex>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

class Progress;

/// Tolerances of the sharpened search for peaks.
struct SharpenOptions {
    int iterations = 50;
    double smoothing = 0.21;         ///< sigma of the Gaussian that the deconvolved image is seen through, in FWHM
    double leastSmoothing = 0.6;     ///< the same, least value in pixels
    double blur = 0.55;              ///< sigma, in FWHM, of the blur against which a peak is tested
    double significance = 1.0;       ///< least significance of a peak against that blur, close to a brighter one
    double closeFwhm = 1.25;         ///< up to here a peak is close; beyond 1.4 times as far it needs twice as much
    double leastContrast = 0.15;     ///< of a peak over its saddle, relative to the peak
    double leastExcess = 4.0;        ///< S/N of the light above the saddle
    double psfError = 0.01;          ///< relative error of a given PSF, which limits what is believed near bright light
    double estimatedPsfError = 0.04; ///< the same where the PSF was not given
    int largestSide = 1024;          ///< boxes with a longer side are not sharpened
};

/// A peak that the sharpened image shows.
struct SharpPeak {
    double x = 0.0, y = 0.0; ///< scene pixels
    double height = 0.0;
};

/// Finds peaks that blur together in the image but not in the sky. All bands of a box become one matched-filtered
/// image, a sufficient statistic for light of the scene's typical spectrum; from it a non-negative light distribution
/// is found that fits the data better and better: x <- x * (H^T W d) / (H^T W H x), the image space reconstruction
/// algorithm (Daube-Witherspoon & Muehllehner 1986, IEEE Trans. Med. Imaging 5, 61). A maximum of x counts if the
/// data reject, in chi-square, the same light blurred: sqrt(delta^T H^T W H delta) with delta = its light above the
/// saddle minus that light blurred, against the noise of the sky, of the objects themselves and of the PSF's error.
/// Safe from many threads.
class Sharpener {
public:
    Sharpener(const Scene& scene, const std::vector<SkyModelPtr>& sky, const DetectionImage& detection,
              const SharpenOptions& options);

    /// Whether the PSFs are known well enough to sharpen at all.
    [[nodiscard]] bool usable() const { return m_usable; }
    [[nodiscard]] double fwhmPixels() const { return m_fwhm; }

    /// Peaks of `inside` (CV_8U of `box`), highest first; none for boxes that are too large. `significance` (of the
    /// scene) must reach `threshold` at a peak. Throws ReadError, CancelledError.
    [[nodiscard]] std::vector<SharpPeak> find(const Box& box, const cv::Mat& inside, const cv::Mat& significance,
                                              double threshold, double leastShare, Progress& progress) const;

    /// Variance of the filtered image at a pixel, the objects' own Poisson noise included, over that of the sky
    /// alone, squared noise scale not included. At least 1 for sky-only planes.
    [[nodiscard]] double noiseRatio(int x, int y) const;

private:
    struct Spectra {
        std::vector<cv::Mat> psf; ///< per band, weighted by spectrum / variance
        cv::Mat response;         ///< of the filtered image to a point source of unit S/N
    };
    [[nodiscard]] std::shared_ptr<const Spectra> spectra(cv::Size size) const;
    [[nodiscard]] cv::Mat filtered(const Box& padded, cv::Size size, const Spectra& s) const;

    const Scene& m_scene;
    const std::vector<SkyModelPtr>& m_sky;
    SharpenOptions m_options;
    std::vector<double> m_spectrum, m_variance;
    double m_noiseScale = 1.0;
    double m_fwhm = 0.0, m_psfError = 0.0;
    int m_margin = 0;
    bool m_usable = false;
    mutable std::mutex m_mutex;
    mutable std::map<std::pair<int, int>, std::shared_ptr<const Spectra>> m_spectra;
};

} // namespace blendscope
