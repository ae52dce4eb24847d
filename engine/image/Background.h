#pragma once

#include "core/Detection.h"
#include "core/Plane.h"

#include <vector>

namespace blendscope {

class Progress;
struct Band;

/// How the sky of an image is measured.
struct BackgroundOptions {
    int meshPixels = 64;    ///< side of a mesh (BACK_SIZE); the image is divided evenly into meshes of about this size
    int filterMeshes = 3;   ///< side of the median filter over meshes (BACK_FILTERSIZE), 1 = none
    double clipSigma = 3.0; ///< pixels further than this from the median are clipped, until none is left
    double crowdedSkew = 0.3;  ///< |mean - median| in sigma above which the median is taken, not the mode
    double usableShare = 0.05; ///< least share of usable pixels of a mesh; others take their neighbours' values
    int threads = 0;           ///< 0 = all of TaskPool::shared()
};

/// Sky level and noise on a mesh, interpolated to pixels: natural bicubic splines for the level, bilinear for the
/// noise. Per mesh the histogram is clipped around its median; the level is the mode estimated as 2.5 median - 1.5
/// mean where the mesh is not crowded, else the median (Bertin & Arnouts 1996, A&AS 117, 393, section 3). The noise is
/// the clipped standard deviation, or that of the pixels below the level where sources have widened the upper side.
/// NaN pixels and those with an unusable variance or mask bit do not take part. Immutable, safe from many threads.
class Background final : public SkyModel {
public:
    /// `variance` and `mask` may be null. Never fails for lack of pixels: then level and noise are 0. Throws
    /// ReadError, CancelledError.
    [[nodiscard]] static std::shared_ptr<const Background> measure(const Plane& image, const Plane* variance = nullptr,
                                                                   const Plane* mask = nullptr, int unusableBits = 0,
                                                                   const BackgroundOptions& options = {},
                                                                   Progress* progress = nullptr);
    /// Of a band, with its variance, mask and unusable bits.
    [[nodiscard]] static std::shared_ptr<const Background>
    measure(const Band& band, const BackgroundOptions& options = {}, Progress* progress = nullptr);

    [[nodiscard]] cv::Mat level(const Box& box) const override;
    [[nodiscard]] cv::Mat rms(const Box& box) const override;
    [[nodiscard]] bool isZero() const override { return m_zero; }

    /// The same noise over a level of 0: for images whose sky is already taken off.
    [[nodiscard]] std::shared_ptr<const Background> withoutLevel() const;

    [[nodiscard]] float globalLevel() const { return m_globalLevel; }  ///< median over meshes, counts
    [[nodiscard]] float globalRms() const { return m_globalRms; }      ///< median over meshes, counts
    [[nodiscard]] const cv::Mat& levelMesh() const { return m_level; } ///< CV_32F, a value a mesh
    [[nodiscard]] const cv::Mat& rmsMesh() const { return m_rms; }

    /// Whether the measured level is a sky that must come off rather than faint light on a subtracted image: it lies
    /// more than 3 sigma from 0, or more than half a sigma (or varies by as much) on an image of at least 4 x 4 meshes.
    [[nodiscard]] bool looksUnsubtracted() const;

private:
    cv::Size m_size;
    cv::Mat m_level, m_levelCurvature; // the second: d2/dy2 of the splines along columns
    cv::Mat m_rms;
    float m_globalLevel = 0.0f, m_globalRms = 0.0f;
    bool m_zero = false;
};

/// Variance of the sky for an image that came without: the squared noise of a Background of `image`, made when it is
/// first read and kept as a mesh (no full-size memory). Positive everywhere: where the image has no noise at all, a
/// millionth of its own variance stands in, or 1 for a constant image. Add the objects' Poisson noise where the gain is
/// known (Band::varianceIsSkyOnly).
[[nodiscard]] PlanePtr estimateVariance(PlanePtr image, PlanePtr mask = nullptr, int unusableBits = 0,
                                        const BackgroundOptions& options = {});

} // namespace blendscope
