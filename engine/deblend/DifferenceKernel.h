#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// The kernel K with K * from = to: brings an image with the PSF `from` to the PSF `to`. Found by division in Fourier
/// space, damped where `from` has no power, cut to the size that holds its light, and kept as a few separable terms
/// (singular values), so that a convolution costs a few passes along rows and columns.
class DifferenceKernel {
public:
    DifferenceKernel() = default;

    /// `from`, `to`: CV_32F, odd sizes, centred. `damping`: relative to the peak of the power of `from`; raised by
    /// itself (to 0.01 at most) where the noise of a measured `to` would be blown up. `accuracy`: rms of what the
    /// separable terms leave out, relative to the kernel. Images without positive sum give the identity.
    DifferenceKernel(const cv::Mat& from, const cv::Mat& to, double damping = 1e-7, double accuracy = 2e-4);

    /// CV_32F, odd size: the kernel before it was split into terms.
    [[nodiscard]] const cv::Mat& image() const { return m_image; }
    /// The damping had to be raised: `to` was too noisy to be divided.
    [[nodiscard]] bool damped() const { return m_damped; }
    [[nodiscard]] int terms() const { return int(m_rows.size()); }
    [[nodiscard]] int radius() const { return m_image.empty() ? 0 : (m_image.cols - 1) / 2; }

    /// out = K * in, zero beyond the border; CV_32F, same size. `out` must not be `in`.
    void convolve(const cv::Mat& in, cv::Mat& out) const;
    /// The transpose of convolve: correlation with K.
    void correlate(const cv::Mat& in, cv::Mat& out) const;

private:
    void filter(const std::vector<cv::Mat>& rows, const std::vector<cv::Mat>& columns, const cv::Mat& in,
                cv::Mat& out) const;

    cv::Mat m_image;
    bool m_damped = false;
    std::vector<cv::Mat> m_rows, m_columns;               // for correlation
    std::vector<cv::Mat> m_flippedRows, m_flippedColumns; // for convolution
};

} // namespace blendscope
