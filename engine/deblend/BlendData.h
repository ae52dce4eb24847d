#pragma once

#include "core/Detection.h"
#include "core/Psf.h"
#include "core/Result.h"

#include <QMap>
#include <QString>
#include <cstdint>
#include <limits>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

class Scene;

/// One blend cut out of its scene: all that a deblender needs. Matrices are CV_32F [y, x] of `box`, views into the
/// scene where possible: not to be written to.
struct BlendInput {
    Box box; ///< in scene pixels: the footprint grown by a margin, inside the scene
    const Footprint* footprint = nullptr;
    cv::Mat inside;                     ///< CV_8U: 255 in the footprint, 0 in the margin
    cv::Mat others;                     ///< CV_8U: 255 where another footprint's pixels lie
    std::vector<Peak> peaks;            ///< scene pixels, brightest first
    std::vector<cv::Mat> data;          ///< per band: sky-subtracted counts, 0 where unusable
    std::vector<cv::Mat> weight;        ///< per band: 1 / variance of sky and detector, 0 where unusable
    std::vector<float> skySigma;        ///< per band: typical noise in the box, counts
    std::vector<double> gain;           ///< per band: electrons per count where source noise must be added to the
                                        ///< weights' variance (counts / gain); 0 = the weights hold it already
    std::vector<const Psf*> psf;        ///< per band, never null; may be unknown
    double pixelScale = 0.0;            ///< arcsec, 0 = unknown
    const Scene* scene = nullptr;       ///< for methods that look beyond the box; may be null
    const Result* detections = nullptr; ///< the scene's footprints, peaks and sky; null where `scene` is
};

/// What a deblender says of one blend. The host fills in ids, shares, and all measurements that are missing.
struct BlendOutput {
    struct Child {
        Peak peak;                  ///< which peak it is of (position is kept), possibly moved
        Box box;                    ///< scene pixels, inside the scene
        std::vector<cv::Mat> model; ///< per band, CV_32F of `box`, counts, PSF included, >= 0
        std::vector<float> flux;    ///< per band: the model's own total flux if it knows better than its pixels' sum
                                    ///< (light outside the box); empty = not known
        std::vector<float> fluxErr; ///< per band: width of the likelihood with neighbours, positions and shapes free,
                                    ///< or what a method says its error is; empty: the host takes that at fixed shapes
        double hlr = std::numeric_limits<double>::quiet_NaN(); ///< pixel, before the PSF, if the model knows
        std::uint32_t flags = 0;
        QString note;
        QMap<QString, double> extra; ///< further columns of the catalogue
    };
    struct Covariance {
        int a = 0, b = 0;              ///< children, a < b
        std::vector<float> covariance; ///< of their fluxes, per band, counts^2
    };
    std::vector<Child> children;
    std::vector<Covariance> covariances; ///< beside fluxErr, of children whose fluxes are not independent
    /// The hard assignment of pixels as child index + 1 (CV_32S of the blend's box), if the method has one; empty:
    /// the host gives each pixel of the footprint to the child with the most light (S/N over bands) in it.
    cv::Mat labels;
    std::uint32_t flags = 0;
    QString message;
    int iterations = 0;
    /// What was considered beyond the peaks; `object` holds the child's index + 1, which the host turns into an id.
    std::vector<SourceCandidate> candidates;
};

} // namespace blendscope
