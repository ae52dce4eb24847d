#pragma once

#include "image/Display.h"

#include <QImage>
#include <QPainterPath>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Pixels as pictures, one picture pixel an image pixel, y up (row 0 of the matrix is the bottom line).

/// Colours after Lupton; pixels without data take look::noData(). `bands`: CV_32F of one size.
[[nodiscard]] QImage rgbImage(const std::vector<cv::Mat>& bands, const RgbSettings& settings);
/// One band in grey between two cuts; `parameter` as applyCurve takes it.
[[nodiscard]] QImage greyImage(const cv::Mat& band, const Cuts& cuts, Curve curve, float parameter = 0.0f);
/// A residual in units of sigma in the diverging colours, +-limit at the ends.
[[nodiscard]] QImage sigmaImage(const cv::Mat& residual, float limit = 5.0f);

/// The area of the pixels that are not finite in any of the bands, in image coordinates with y down, a unit a pixel.
[[nodiscard]] QPainterPath missingArea(const std::vector<cv::Mat>& bands);

} // namespace blendscope
