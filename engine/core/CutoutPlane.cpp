#include "core/CutoutPlane.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>

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

std::shared_ptr<const CutoutPlane> CutoutPlane::trimmed(float limit) const {
    int x0 = m_box.width, x1 = -1, y0 = m_box.height, y1 = -1;
    for (int y = 0; y < m_box.height; ++y) {
        const float* row = m_pixels.ptr<float>(y);
        for (int x = 0; x < m_box.width; ++x) {
            if (!(std::abs(row[x]) > limit)) continue;
            x0 = std::min(x0, x);
            x1 = std::max(x1, x);
            y0 = std::min(y0, y);
            y1 = y;
        }
    }
    if (x1 < 0) return std::make_shared<const CutoutPlane>(m_size, cv::Mat(), 0, 0);
    const cv::Mat part = m_pixels(cv::Rect(x0, y0, x1 - x0 + 1, y1 - y0 + 1)).clone();
    return std::make_shared<const CutoutPlane>(m_size, part, m_box.x0 + x0, m_box.y0 + y0);
}

} // namespace blendscope
