#pragma once

#include "method/BlendMethod.h"

namespace blendscope {

/// Cuts blends out of a scene: subtracts the sky of the detection, turns variances into weights, takes out unusable
/// pixels. Safe to use from many threads; the scene and the result must outlive it.
class BlendCutter {
public:
    BlendCutter(const Scene& scene, const Result& detections);

    /// The blend's box is the footprint grown by a margin of 2.5 FWHM and 15 % of its size (at most 60 pixels), inside
    /// the scene. Throws ReadError.
    [[nodiscard]] BlendInput cut(const Footprint& footprint) const;

private:
    const Scene& m_scene;
    const Result& m_detections;
    cv::Mat m_footprintIds; ///< CV_32S [y, x]
    double m_fwhm = 3.0;    ///< pixel, the widest band's
    Psf m_unknownPsf;
};

} // namespace blendscope
