#pragma once

#include <opencv2/core.hpp>
#include <utility>
#include <vector>

namespace blendscope {

/// A kernel as a sum of few products of a column and a row (singular values), which filters in O(side) a pixel.
class SeparableKernel {
public:
    SeparableKernel() = default;

    /// `kernel`: CV_32F of odd size. Terms are taken until the rest holds less than `tolerance` of the kernel's energy
    /// (sum of squares), at most maxTerms.
    [[nodiscard]] static SeparableKernel of(const cv::Mat& kernel, double tolerance = 1e-3, int maxTerms = 3);

    [[nodiscard]] bool empty() const { return m_terms.empty(); }
    [[nodiscard]] int terms() const { return static_cast<int>(m_terms.size()); }
    [[nodiscard]] int halfWidth() const { return m_terms.empty() ? 0 : m_terms.front().second.cols / 2; }
    [[nodiscard]] int halfHeight() const { return m_terms.empty() ? 0 : m_terms.front().first.rows / 2; }
    /// Column (n x 1) and row (1 x n) of a term, CV_32F.
    [[nodiscard]] const cv::Mat& column(int term) const { return m_terms[term].first; }
    [[nodiscard]] const cv::Mat& row(int term) const { return m_terms[term].second; }

    /// out(p) = sum over q of kernel(q) image(p + q), image 0 outside: the cross-correlation that a matched filter
    /// needs. CV_32F, no NaN. An empty kernel gives a copy.
    [[nodiscard]] cv::Mat correlate(const cv::Mat& image) const;

private:
    std::vector<std::pair<cv::Mat, cv::Mat>> m_terms;
};

/// The middle of a kernel (odd square) that holds `share` of its energy, for speed. CV_32F.
[[nodiscard]] cv::Mat trimmedKernel(const cv::Mat& kernel, double share);

} // namespace blendscope
