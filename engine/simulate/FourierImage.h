#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Fourier transform of a sampled image at any product of frequencies, by two matrix products:
/// F(ky, kx) = sum over pixels of image(y, x) exp(-i (kx pitch (x - cx) + ky pitch (y - cy))).
/// `image`: CV_32F [y, x]. Returns CV_32FC2 [ky, kx].
[[nodiscard]] cv::Mat fourierImage(const cv::Mat& image, double pitch, cv::Point2d centre,
                                   const std::vector<double>& kx, const std::vector<double>& ky);

} // namespace blendscope
