#include "image/Convolve.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

SeparableKernel SeparableKernel::of(const cv::Mat& kernel, double tolerance, int maxTerms) {
    SeparableKernel out;
    cv::Mat wide;
    kernel.convertTo(wide, CV_64F);
    cv::Mat w, u, vt;
    cv::SVD::compute(wide, w, u, vt);
    const double energy = wide.dot(wide);
    double rest = energy;
    for (int k = 0; k < w.rows && k < maxTerms; ++k) {
        const double s = w.at<double>(k);
        if (k > 0 && rest <= tolerance * energy) break;
        cv::Mat column, row;
        const double root = std::sqrt(s);
        cv::Mat(u.col(k) * root).convertTo(column, CV_32F);
        cv::Mat(vt.row(k) * root).convertTo(row, CV_32F);
        out.m_terms.emplace_back(column, row);
        rest -= s * s;
    }
    return out;
}

cv::Mat SeparableKernel::correlate(const cv::Mat& image) const {
    if (m_terms.empty()) return image.clone();
    cv::Mat out;
    for (std::size_t k = 0; k < m_terms.size(); ++k) {
        cv::Mat part;
        cv::sepFilter2D(image, part, CV_32F, m_terms[k].second, m_terms[k].first, cv::Point(-1, -1), 0.0,
                        cv::BORDER_CONSTANT | cv::BORDER_ISOLATED);
        if (k == 0) {
            out = part;
        } else {
            out += part;
        }
    }
    return out;
}

cv::Mat trimmedKernel(const cv::Mat& kernel, double share) {
    const int cx = kernel.cols / 2, cy = kernel.rows / 2;
    const int most = std::min(cx, cy);
    const double energy = kernel.dot(kernel);
    for (int half = 1; half < most; ++half) {
        const cv::Mat part = kernel(cv::Rect(cx - half, cy - half, 2 * half + 1, 2 * half + 1));
        if (part.dot(part) >= share * energy) return part.clone();
    }
    return kernel(cv::Rect(cx - most, cy - most, 2 * most + 1, 2 * most + 1)).clone();
}

} // namespace blendscope
