#pragma once

#include "core/Detection.h"
#include "core/Scene.h"
#include "image/Convolve.h"

#include <QJsonObject>
#include <optional>
#include <vector>

namespace blendscope {

class Progress;

/// What a detection image measures on the whole scene before it is made, see DetectionImage.
struct DetectionConditions {
    std::vector<double> spectrum, skyVariance;
    double noiseScale = 1.0;

    [[nodiscard]] QJsonObject toJson() const;
    /// Nothing where the object is empty, damaged or of another number of bands.
    [[nodiscard]] static std::optional<DetectionConditions> fromJson(const QJsonObject& json, std::size_t bands);
};

/// How the bands of a scene become one detection image.
struct DetectionImageOptions {
    enum class Filter { Psf, Pyramid, None }; ///< Pyramid: 3 x 3 of 1 2 1, 2 4 2, 1 2 1
    enum class Combine { Weighted, Equal, ChiSquare };
    Filter filter = Filter::Psf;
    Combine combine = Combine::Weighted;
    double fallbackFwhmPixels = 3.0; ///< of a Gaussian filter where a band has no PSF
    double filterEnergy = 0.995;     ///< share of the filter's energy that is kept
    double brightSigma = 8.0;        ///< pixels above it tell the typical spectrum (Weighted)
    double leastBandWeight = 0.15;   ///< of the strongest band's, so that odd colours are not lost
    double chiSquareAnchor = 5.0;    ///< sigma at which ChiSquare has the false-alarm rate of a single Gaussian
    double largestNoiseScale = 10.0; ///< cap for the correction of correlated noise
    double leastCoverage = 0.4;      ///< share of the squared filter that must fall on usable pixels around a hole
    int stripRows = 128;
    int threads = 0;                          ///< 0 = all of TaskPool::shared()
    std::optional<DetectionConditions> given; ///< used instead of measured
};

/// One image of significances made of all bands: per band the matched filter of a point source, sum(P w d) /
/// sqrt(sum(P^2 w)) with w = 1 / variance (0 where unusable), so that uneven noise, holes and borders are weighed as a
/// likelihood does; over bands the sum weighted by the typical spectrum of the scene's bright pixels (Weighted), by
/// equal S/N (Equal), or the root of the sum of the squared positive significances (ChiSquare: Szalay et al. 1999, AJ
/// 117, 68), moved so that its false alarms at `chiSquareAnchor` sigma are a single Gaussian's.
struct DetectionImage {
    cv::Mat significance;            ///< CV_32F [y, x] of the scene, sigma; 0 where nothing is known
    std::vector<double> spectrum;    ///< per band: counts of a typical source, scaled so that sum s^2 sum(P^2)/var = 1
    std::vector<double> skyVariance; ///< per band: median of the variance plane, counts^2; 0 = band not used
    /// Measured noise of the filtered image over what independent pixels would give; `significance` is divided by it.
    double noiseScale = 1.0;

    [[nodiscard]] DetectionConditions conditions() const { return {spectrum, skyVariance, noiseScale}; }

    /// `sky`: per band, may hold nulls. Throws ReadError, CancelledError.
    [[nodiscard]] static DetectionImage make(const Scene& scene, const std::vector<SkyModelPtr>& sky,
                                             const DetectionImageOptions& options, Progress& progress);
};

/// Pixels of `box` of a band, sky taken off, with weights 1 / variance; both are 0 where the band is unusable.
void readWeighted(const Band& band, const SkyModel* sky, const Box& box, cv::Mat& data, cv::Mat& weight);

} // namespace blendscope
