#pragma once

#include "core/Random.h"
#include "core/Scene.h"
#include "simulate/Galaxy.h"

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

class RecipeReader;

/// What spoils images, after the classes of MaxiMask and MaxiTrack (Paillassa et al. 2020, A&A 634, A48). JSON keys of
/// "artefacts"; numbers are expected ones, drawn by Poisson for each band, brightnesses in sigmas of the sky a pixel:
/// "cosmic_rays", "hot_pixels", "dead_pixels" (per megapixel), "hot_columns", "dead_columns", "satellites", "planes"
/// (per image), "fringes" (amplitude; red bands alone), "nebulosity" (rms), "gradient" (from border to border),
/// "saturation" (magnitude of the star whose peak just fills the wells; charge above runs along the columns), "spikes"
/// (share of a star's light in four diffraction spikes), "spike_angle" (deg), "tracking" (pixels by which the telescope
/// drifts), "masked": the masks bear the names that methods obey (BAD, SAT, CR); else they are truth alone (ART_...).
struct Artefacts {
    double cosmicRays = 0.0, hotPixels = 0.0, deadPixels = 0.0, hotColumns = 0.0, deadColumns = 0.0, satellites = 0.0,
           planes = 0.0, fringes = 0.0, nebulosity = 0.0, gradient = 0.0, spikes = 0.0, spikeAngle = 45.0,
           tracking = 0.0;
    double saturation = 0.0; ///< magnitude; 0 = none
    bool masked = false;
    bool any = false;

    /// Bits of the masks, in the order of MaxiMask's classes.
    enum Bit {
        CosmicRay,
        HotColumn,
        DeadColumn,
        HotPixel,
        DeadPixel,
        Trail,
        Fringe,
        Nebula,
        Saturated,
        Spike,
        Background,
        Bad,     ///< what methods are told of hot and dead pixels
        Tracking ///< the whole image is drawn out, as MaxiTrack says of images
    };
    [[nodiscard]] MaskPlaneNames maskNames() const;
    [[nodiscard]] static Artefacts read(const RecipeReader& json);
};

/// One band's artefacts. Lengths in pixels, light in counts.
struct ArtefactBand {
    double sigma = 1.0;          ///< rms of the sky
    double sky = 0.0;            ///< mean, counts
    double fwhm = 4.0;           ///< of the PSF
    double peak = 0.05;          ///< of a PSF of unit flux
    double wavelength = 0.0;     ///< nm
    double saturationFlux = 0.0; ///< flux of the star whose peak just fills the wells
    size_t number = 0;           ///< of the band, in Galaxy's fluxes
};

/// Light that falls on the detector beside the objects', onto `image` before its noise; `mask` (CV_32S) gets its bits.
/// `scene`: numbers that all bands share (clouds lie at one place in all of them).
void addSkyArtefacts(const Artefacts& artefacts, const ArtefactBand& band, const std::vector<Galaxy>& objects,
                     Random& random, Random scene, cv::Mat& image, cv::Mat& mask);
/// What the detector does, after the noise.
void addDetectorArtefacts(const Artefacts& artefacts, const ArtefactBand& band, Random& random, cv::Mat& image,
                          cv::Mat& mask);

} // namespace blendscope
