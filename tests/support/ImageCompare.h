#pragma once

#include <QImage>
#include <algorithm>
#include <cstdlib>

// In a header alone: the library of test support knows no pictures.

inline int pixelDifference(QRgb a, QRgb b) {
    return std::max({std::abs(qRed(a) - qRed(b)), std::abs(qGreen(a) - qGreen(b)), std::abs(qBlue(a) - qBlue(b))});
}

/// Same size, and no more than `fraction` of the pixels differ by more than `tolerance` in a channel.
[[nodiscard]] inline bool imagesAgree(const QImage& a, const QImage& b, int tolerance, double fraction = 0.001) {
    if (a.size() != b.size()) return false;
    long long off = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < a.width(); ++x) {
            off += pixelDifference(a.pixel(x, y), b.pixel(x, y)) > tolerance;
        }
    }
    return static_cast<double>(off) <= fraction * a.width() * a.height();
}
