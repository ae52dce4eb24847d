#pragma once

#include "core/Plane.h"

namespace blendscope {

/// A plane that is zero but for a small cut-out: the isolated image of one object without a scene's worth of memory.
class CutoutPlane final : public Plane {
public:
    /// `pixels` (CV_32F) is put with its first pixel at (x0, y0); what lies outside the plane is cut off.
    CutoutPlane(cv::Size size, const cv::Mat& pixels, int x0, int y0);
    [[nodiscard]] cv::Size size() const override { return m_size; }
    [[nodiscard]] int type() const override { return CV_32F; }
    [[nodiscard]] cv::Mat read(const Box& box) const override;

    /// The same with a copy of the smallest box that holds all pixels above `limit` in absolute value.
    [[nodiscard]] std::shared_ptr<const CutoutPlane> trimmed(float limit) const;

    [[nodiscard]] const Box& cutoutBox() const { return m_box; } ///< inside the plane; empty where nothing is
    [[nodiscard]] const cv::Mat& cutout() const { return m_pixels; }

private:
    cv::Size m_size;
    Box m_box;
    cv::Mat m_pixels;
};

} // namespace blendscope
