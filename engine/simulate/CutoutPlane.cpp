#include "simulate/CutoutPlane.h"

#include "core/Error.h"

namespace blendscope {

CutoutPlane::CutoutPlane(cv::Size size, const cv::Mat& pixels, int x0, int y0) : m_size(size) {
    CV_Assert(pixels.empty() || pixels.type() == CV_32F);
    m_box = Box{x0, y0, pixels.cols, pixels.rows}.intersected(Box::of(size));
    if (m_box.empty()) {
        m_box = {};
    } else {
        m_pixels = pixels(m_box.shifted(-x0, -y0).rect());
        // A view would keep the whole of a matrix that was cut alive.
        if (m_pixels.total() < pixels.total()) m_pixels = m_pixels.clone();
    }
}

cv::Mat CutoutPlane::read(const Box& box) const {
    if (box.empty() || box.intersected(Box::of(m_size)) != box) {
        throw ReadError(QStringLiteral("region %1,%2 %3x%4 is outside the %5x%6 image")
                            .arg(box.x0)
                            .arg(box.y0)
                            .arg(box.width)
                            .arg(box.height)
                            .arg(m_size.width)
                            .arg(m_size.height));
    }
    const Box common = box.intersected(m_box);
    if (common == box) return m_pixels(box.shifted(-m_box.x0, -m_box.y0).rect());
    cv::Mat out = cv::Mat::zeros(box.size(), CV_32F);
    if (!common.empty()) {
        m_pixels(common.shifted(-m_box.x0, -m_box.y0).rect()).copyTo(out(common.shifted(-box.x0, -box.y0).rect()));
    }
    return out;
}

} // namespace blendscope
