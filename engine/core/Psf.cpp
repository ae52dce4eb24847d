#include "core/Psf.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace blendscope {

namespace {

constexpr int kMostSide = 255;            // of a profile that is made here
constexpr double kCentreTolerance = 0.02; // px

/// Keys' interpolation kernel (1981, a = -0.5).
double cubic(double t) {
    t = std::abs(t);
    if (t < 1.0) return (1.5 * t - 2.5) * t * t + 1.0;
    if (t < 2.0) return ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
    return 0.0;
}

/// Light's centroid in a window around the brightest smoothed pixel, iterated with a Gaussian weight so that noise in
/// the wings does not pull it.
cv::Point2d centroid(const cv::Mat& image) {
    cv::Mat smooth;
    cv::GaussianBlur(image, smooth, {3, 3}, 0.8, 0.8, cv::BORDER_REPLICATE);
    cv::Point peak;
    cv::minMaxLoc(smooth, nullptr, nullptr, nullptr, &peak);
    cv::Point2d at = peak;
    const double sigma = std::max(1.0, measureFwhm(image) / 2.3548);
    const int reach = std::max(3, static_cast<int>(std::ceil(3.0 * sigma)));
    for (int iteration = 0; iteration < 30; ++iteration) {
        double sum = 0.0, sx = 0.0, sy = 0.0;
        for (int y = std::max(0, static_cast<int>(at.y) - reach);
             y <= std::min(image.rows - 1, static_cast<int>(at.y) + reach); ++y) {
            for (int x = std::max(0, static_cast<int>(at.x) - reach);
                 x <= std::min(image.cols - 1, static_cast<int>(at.x) + reach); ++x) {
                const double dx = x - at.x, dy = y - at.y;
                const double w = image.at<float>(y, x) * std::exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma));
                sum += w;
                sx += w * dx;
                sy += w * dy;
            }
        }
        if (!(sum > 0.0)) break;
        // The weight halves the measured offset of a matched profile, hence the factor 2.
        const cv::Point2d step(2.0 * sx / sum, 2.0 * sy / sum);
        if (!(std::abs(step.x) < 5.0 && std::abs(step.y) < 5.0)) break;
        at += step;
        at.x = std::clamp(at.x, 0.0, image.cols - 1.0);
        at.y = std::clamp(at.y, 0.0, image.rows - 1.0);
        if (std::hypot(step.x, step.y) < 1e-4) break;
    }
    return at;
}

/// Integrates a radial profile over pixels with 2-D Gauss-Legendre points, more of them where the profile is steep.
cv::Mat pixelIntegrated(double fwhm, int side, const std::function<double(double)>& ofRadius2) {
    static const double kX[5] = {-0.4530899229693320, -0.2692346550528415, 0.0, 0.2692346550528415, 0.4530899229693320};
    static const double kW[5] = {0.1184634425280945, 0.2393143352496832, 0.2844444444444444, 0.2393143352496832,
                                 0.1184634425280945};
    cv::Mat image(side, side, CV_32F);
    const int c = side / 2;
    double sum = 0.0;
    const int cuts = fwhm < 1.5 ? 4 : 1;
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            double v = 0.0;
            for (int cell = 0; cell < cuts * cuts; ++cell) {
                const double ox = (cell % cuts + 0.5) / cuts - 0.5, oy = (cell / cuts + 0.5) / cuts - 0.5;
                for (int j = 0; j < 5; ++j) {
                    for (int i = 0; i < 5; ++i) {
                        const double dx = x - c + ox + kX[i] / cuts, dy = y - c + oy + kX[j] / cuts;
                        v += kW[i] * kW[j] * ofRadius2(dx * dx + dy * dy);
                    }
                }
            }
            image.at<float>(y, x) = static_cast<float>(v / (cuts * cuts));
            sum += v / (cuts * cuts);
        }
    }
    image *= 1.0 / sum;
    return image;
}

int oddSide(double radius) {
    return std::min(kMostSide, 2 * std::max(3, static_cast<int>(std::ceil(radius))) + 1);
}

} // namespace

double measureFwhm(const cv::Mat& psf) {
    if (psf.empty()) return 0.0;
    cv::Point peak;
    const cv::Point middle(psf.cols / 2, psf.rows / 2);
    double top = 0.0;
    cv::minMaxLoc(psf, nullptr, &top, nullptr, &peak);
    // The middle pixel is the centre unless the light is plainly elsewhere.
    const double centre = psf.at<float>(middle);
    if (!(top > 0.0)) return 0.0;
    if (std::abs(peak.x - middle.x) <= 1 && std::abs(peak.y - middle.y) <= 1 && centre > 0.5 * top) peak = middle;
    const double half = 0.5 * psf.at<float>(peak);

    // Azimuthal mean on circles. Interpolated in the logarithm by Keys' cubic, which is exact for a Gaussian however
    // narrow it is; first crossing, then bisection.
    const double least = 1e-6 * top;
    cv::Mat logarithm(psf.size(), CV_64F);
    for (int y = 0; y < psf.rows; ++y) {
        for (int x = 0; x < psf.cols; ++x) {
            const double v = psf.at<float>(y, x);
            logarithm.at<double>(y, x) = std::log(v > least ? v : least);
        }
    }
    const auto mean = [&](double r) {
        const int n = std::max(16, static_cast<int>(std::ceil(8.0 * r)));
        double sum = 0.0;
        int used = 0;
        for (int k = 0; k < n; ++k) {
            const double angle = 2.0 * CV_PI * k / n;
            const double x = peak.x + r * std::cos(angle), y = peak.y + r * std::sin(angle);
            const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
            if (ix < 0 || iy < 0 || ix + 1 >= psf.cols || iy + 1 >= psf.rows) continue;
            double v = 0.0;
            for (int j = iy - 1; j <= iy + 2; ++j) {
                const int row = std::clamp(j, 0, psf.rows - 1);
                for (int i = ix - 1; i <= ix + 2; ++i) {
                    v += cubic(x - i) * cubic(y - j) * logarithm.at<double>(row, std::clamp(i, 0, psf.cols - 1));
                }
            }
            sum += std::exp(v);
            ++used;
        }
        return used ? sum / used : 0.0;
    };
    const double step = 0.1, most = 0.5 * std::max(psf.cols, psf.rows);
    for (double r = step; r < most; r += step) {
        if (mean(r) > half) continue;
        double low = r - step, high = r;
        for (int i = 0; i < 20; ++i) {
            const double middleRadius = 0.5 * (low + high);
            (mean(middleRadius) > half ? low : high) = middleRadius;
        }
        return low + high; // twice the radius
    }
    return 2.0 * most;
}

Psf Psf::fromImage(const cv::Mat& given, Origin origin) {
    if (given.empty() || given.channels() != 1) throw ReadError(QStringLiteral("the PSF image is empty"));
    cv::Mat image;
    given.convertTo(image, CV_32F);
    image = image.clone();
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            float& v = image.at<float>(y, x);
            if (!std::isfinite(v)) v = 0.0f;
        }
    }
    double top = 0.0;
    cv::minMaxLoc(image, nullptr, &top);
    if (!(top > 0.0) || !(cv::sum(image)[0] > 0.0))
        throw ReadError(QStringLiteral("the PSF image has no positive flux"));
    image *= 1.0 / top; // counts of any unit: the sums below stay in range

    const cv::Point2d at = centroid(image);
    const cv::Point nearest(static_cast<int>(std::lround(at.x)), static_cast<int>(std::lround(at.y)));
    // The largest odd square around the centroid that loses no row, padded with zeros.
    const int reach = std::max({nearest.x, nearest.y, image.cols - 1 - nearest.x, image.rows - 1 - nearest.y});
    const int side = 2 * reach + 1;
    const double dx = at.x - nearest.x, dy = at.y - nearest.y;
    // Padding by one pixel or two on a side is no reason to grow: trim to the size that came in (made odd).
    const int wanted = std::min(side, (std::max(image.cols, image.rows) - 1) | 1);
    cv::Mat centred = cv::Mat::zeros(wanted, wanted, CV_32F);
    if (std::hypot(dx, dy) > kCentreTolerance) {
        // In double: remap() rounds positions to 1/32 pixel.
        for (int y = 0; y < wanted; ++y) {
            for (int x = 0; x < wanted; ++x) {
                const double sx = x - wanted / 2 + at.x, sy = y - wanted / 2 + at.y;
                const int ix = static_cast<int>(std::floor(sx)), iy = static_cast<int>(std::floor(sy));
                double v = 0.0;
                for (int j = iy - 1; j <= iy + 2; ++j) {
                    for (int i = ix - 1; i <= ix + 2; ++i) {
                        if (i < 0 || j < 0 || i >= image.cols || j >= image.rows) continue;
                        v += image.at<float>(j, i) * cubic(sx - i) * cubic(sy - j);
                    }
                }
                centred.at<float>(y, x) = static_cast<float>(v);
            }
        }
    } else {
        const int x0 = nearest.x - wanted / 2, y0 = nearest.y - wanted / 2;
        const cv::Rect from = cv::Rect(x0, y0, wanted, wanted) & cv::Rect(0, 0, image.cols, image.rows);
        image(from).copyTo(centred(from - cv::Point(x0, y0)));
    }
    const double sum = cv::sum(centred)[0];
    if (!(sum > 0.0)) throw ReadError(QStringLiteral("the PSF image has no positive flux"));
    centred *= 1.0 / sum;
    Psf psf;
    psf.image = centred;
    psf.fwhmPixels = measureFwhm(centred);
    psf.origin = origin;
    return psf;
}

Psf Psf::moffat(double fwhmPixels, double beta, Origin origin) {
    if (!(fwhmPixels > 0.0) || !(beta > 1.0) || !(fwhmPixels < 1000.0)) {
        throw UsageError(
            QStringLiteral("a Moffat PSF of FWHM %1 px and beta %2 makes no sense").arg(fwhmPixels).arg(beta));
    }
    const double alpha = fwhmPixels / (2.0 * std::sqrt(std::pow(2.0, 1.0 / beta) - 1.0));
    Psf psf;
    psf.image = pixelIntegrated(fwhmPixels, oddSide(5.0 * fwhmPixels),
                                [=](double r2) { return std::pow(1.0 + r2 / (alpha * alpha), -beta); });
    psf.fwhmPixels = measureFwhm(psf.image);
    psf.origin = origin;
    return psf;
}

Psf Psf::gaussian(double fwhmPixels, Origin origin) {
    if (!(fwhmPixels > 0.0) || !(fwhmPixels < 1000.0)) {
        throw UsageError(QStringLiteral("a Gaussian PSF of FWHM %1 px makes no sense").arg(fwhmPixels));
    }
    const double sigma = fwhmPixels / (2.0 * std::sqrt(2.0 * std::log(2.0)));
    Psf psf;
    psf.image = pixelIntegrated(fwhmPixels, oddSide(2.5 * fwhmPixels),
                                [=](double r2) { return std::exp(-0.5 * r2 / (sigma * sigma)); });
    psf.fwhmPixels = measureFwhm(psf.image);
    psf.origin = origin;
    return psf;
}

} // namespace blendscope
