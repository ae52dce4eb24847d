#pragma once

#include "core/Box.h"

#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// A rough position of one object.
struct Peak {
    double x = 0.0, y = 0.0; ///< pixel
    float significance = 0;  ///< height in the detection image, in sigma
    int position = -1;       ///< row of the given positions (--positions), or -1
};

/// A horizontal run of pixels: row y, x0 <= x < x1.
struct Span {
    int y = 0, x0 = 0, x1 = 0;
};

/// One connected above-threshold region, with its peaks, brightest first.
struct Footprint {
    int id = 0; ///< from 1, unique in a result
    Box box;
    std::vector<Span> spans; ///< sorted by y, then x
    std::vector<Peak> peaks;

    [[nodiscard]] long long area() const;
    [[nodiscard]] bool contains(int x, int y) const;
    /// CV_8U of the given box (scene coordinates): 255 inside the footprint, 0 outside.
    [[nodiscard]] cv::Mat mask(const Box& within) const;
    /// The runs of all nonzero pixels of `mask` (CV_8U), whose pixel (0, 0) is at (x0, y0) of the scene.
    [[nodiscard]] static Footprint fromMask(const cv::Mat& mask, int x0, int y0);
};

/// Sky of one band as detection saw it: a mesh of levels and noise, interpolated to pixels. Immutable.
class SkyModel {
public:
    virtual ~SkyModel() = default;
    /// CV_32F level to subtract, and CV_32F rms of the sky noise, counts.
    [[nodiscard]] virtual cv::Mat level(const Box& box) const = 0;
    [[nodiscard]] virtual cv::Mat rms(const Box& box) const = 0;
    [[nodiscard]] virtual bool isZero() const { return false; } ///< level is 0 everywhere: nothing to subtract
};
using SkyModelPtr = std::shared_ptr<const SkyModel>;

} // namespace blendscope
