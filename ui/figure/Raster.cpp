#include "figure/Raster.h"

#include "figure/Palette.h"

#include <cmath>

namespace blendscope {

namespace {

template <typename Colour>
QImage imageOf(const cv::Mat& m, Colour colour) {
    QImage image(m.cols, m.rows, QImage::Format_RGB32);
    for (int y = 0; y < m.rows; ++y) {
        const float* row = m.ptr<float>(y);
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(m.rows - 1 - y));
        for (int x = 0; x < m.cols; ++x) {
            line[x] = colour(row[x]);
        }
    }
    return image;
}

} // namespace

QImage rgbImage(const std::vector<cv::Mat>& bands, const RgbSettings& settings) {
    cv::Mat bgr, invalid;
    luptonRgb(bands, settings, bgr, &invalid);
    QImage image(bgr.cols, bgr.rows, QImage::Format_RGB32);
    for (int y = 0; y < bgr.rows; ++y) {
        const uchar* row = bgr.ptr<uchar>(y);
        const uchar* bad = invalid.ptr<uchar>(y);
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(bgr.rows - 1 - y));
        for (int x = 0; x < bgr.cols; ++x, row += 3) {
            line[x] = bad[x] == 255 ? look::noData().darker(200).rgb() : qRgb(row[2], row[1], row[0]);
        }
    }
    return image;
}

QImage greyImage(const cv::Mat& band, const Cuts& cuts, Curve curve, float parameter) {
    const float range = cuts.high > cuts.low ? cuts.high - cuts.low : 1.0f;
    const QRgb none = look::noData().darker(200).rgb();
    return imageOf(band, [&](float v) {
        if (!std::isfinite(v)) return none;
        const float t = std::clamp((v - cuts.low) / range, 0.0f, 1.0f);
        const int g = static_cast<int>(std::lround(255.0f * applyCurve(curve, t, parameter)));
        return qRgb(g, g, g);
    });
}

QImage sigmaImage(const cv::Mat& residual, float limit) {
    return imageOf(residual, [limit](float v) { return divergingColour(v / limit); });
}

QPainterPath missingArea(const std::vector<cv::Mat>& bands) {
    QPainterPath path;
    if (bands.empty()) return path;
    const int rows = bands.front().rows, cols = bands.front().cols;
    const auto missing = [&](int y, int x) {
        for (const cv::Mat& band : bands) {
            if (!band.empty() && std::isfinite(band.at<float>(y, x))) return false;
        }
        return true;
    };
    for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < cols; ++x) {
            if (!missing(y, x)) continue;
            const int start = x;
            while (x < cols && missing(y, x)) {
                ++x;
            }
            path.addRect(start, rows - 1 - y, x - start, 1);
        }
    }
    return path;
}

} // namespace blendscope
