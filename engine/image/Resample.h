#pragma once

#include "core/Plane.h"
#include "core/Psf.h"
#include "core/Wcs.h"

#include <memory>
#include <opencv2/core.hpp>
#include <optional>

namespace blendscope {

/// Where the pixels of one grid lie in another, by their sky positions. Exact on a mesh of nodes, bilinear between them
/// (off by less than 0.01 px for the distortions of real cameras). Immutable.
class ResampleGrid {
public:
    /// From images of `fromSize` with solution `from` onto a grid of `toSize` with solution `to`.
    ResampleGrid(const Wcs& from, const Wcs& to, cv::Size fromSize, cv::Size toSize);

    [[nodiscard]] cv::Size fromSize() const { return m_fromSize; }
    [[nodiscard]] cv::Size toSize() const { return m_toSize; }
    /// Position in the source of a position in the target; NaN where the sky has no answer.
    [[nodiscard]] cv::Point2d source(double x, double y) const;
    /// d(source) / d(target) at a target position: [dxs/dx dxs/dy; dys/dx dys/dy].
    [[nodiscard]] cv::Matx22d jacobian(double x, double y) const;
    /// Whether any node of the target falls into the source.
    [[nodiscard]] bool overlaps() const { return m_overlaps; }

private:
    cv::Size m_fromSize, m_toSize;
    cv::Mat m_nodes; // CV_64FC2
    bool m_overlaps = false;
};

using ResampleGridPtr = std::shared_ptr<const ResampleGrid>;

/// Planes on the target grid, made when first read and kept. Image: bicubic (Keys 1981), times the area of a target
/// pixel in source pixels, so that fluxes in apertures stay; sampled more densely where target pixels are larger; NaN
/// outside and where the nearest source pixel is NaN. Variance: bilinear, times the same area, so that the noise of
/// apertures stays (the noise of single pixels is smaller: it is shared by neighbours); +inf outside. Mask: the bits of
/// the nearest pixel; 0 outside (the image is NaN there).
[[nodiscard]] PlanePtr resampleImage(const PlanePtr& source, ResampleGridPtr grid);
[[nodiscard]] PlanePtr resampleVariance(const PlanePtr& source, ResampleGridPtr grid);
[[nodiscard]] PlanePtr resampleMask(const PlanePtr& source, ResampleGridPtr grid);

/// The PSF as it looks on the target grid, by the Jacobian at its centre.
[[nodiscard]] Psf resamplePsf(const Psf& psf, const ResampleGrid& grid);

} // namespace blendscope
