#include "image/Resample.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

namespace {

constexpr int kNode = 16;          // target pixels between two nodes
constexpr int kMostSubsamples = 8; // along a side of a target pixel
constexpr int kRowsAtOnce = 32;

const double kNanDouble = std::numeric_limits<double>::quiet_NaN();

double cubic(double t) {
    t = std::abs(t);
    if (t < 1.0) return (1.5 * t - 2.5) * t * t + 1.0;
    if (t < 2.0) return ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
    return 0.0;
}

/// Interpolates at (x, y); pixels that are NaN or outside lose their weight, and the nearest one decides on NaN.
double interpolate(const cv::Mat& image, double x, double y, bool bicubic) {
    const int nx = static_cast<int>(std::lround(x)), ny = static_cast<int>(std::lround(y));
    if (nx < 0 || ny < 0 || nx >= image.cols || ny >= image.rows) return kNanDouble;
    if (std::isnan(image.at<float>(ny, nx))) return kNanDouble;
    const int ix = static_cast<int>(std::floor(x)), iy = static_cast<int>(std::floor(y));
    const int before = bicubic ? 1 : 0, after = bicubic ? 2 : 1;
    double sum = 0.0, weights = 0.0;
    bool complete = true;
    for (int j = iy - before; j <= iy + after; ++j) {
        const double wy = bicubic ? cubic(y - j) : 1.0 - std::abs(y - j);
        if (wy == 0.0) continue;
        for (int i = ix - before; i <= ix + after; ++i) {
            const double wx = bicubic ? cubic(x - i) : 1.0 - std::abs(x - i);
            if (wx == 0.0) continue;
            if (i < 0 || j < 0 || i >= image.cols || j >= image.rows || !std::isfinite(image.at<float>(j, i))) {
                complete = false;
                continue;
            }
            sum += wx * wy * image.at<float>(j, i);
            weights += wx * wy;
        }
    }
    if (complete) return sum / weights;
    // The negative lobes cannot be trusted where pixels are missing.
    return weights > 0.5 ? sum / weights : static_cast<double>(image.at<float>(ny, nx));
}

template <typename Row>
cv::Mat perRow(cv::Size size, int type, const Row& row) {
    cv::Mat out(size, type);
    TaskPool::shared().parallelFor((size.height + kRowsAtOnce - 1) / kRowsAtOnce, [&](int strip) {
        for (int y = strip * kRowsAtOnce; y < std::min(size.height, (strip + 1) * kRowsAtOnce); ++y) {
            row(out, y);
        }
    });
    return out;
}

double areaOf(const cv::Matx22d& j) {
    return std::abs(j(0, 0) * j(1, 1) - j(0, 1) * j(1, 0));
}

int subsamples(const cv::Matx22d& j) {
    const double longest = std::max(std::hypot(j(0, 0), j(1, 0)), std::hypot(j(0, 1), j(1, 1)));
    return std::clamp(static_cast<int>(std::ceil(longest - 0.25)), 1, kMostSubsamples);
}

} // namespace

ResampleGrid::ResampleGrid(const Wcs& from, const Wcs& to, cv::Size fromSize, cv::Size toSize)
    : m_fromSize(fromSize), m_toSize(toSize),
      m_nodes((toSize.height + kNode - 1) / kNode + 2, (toSize.width + kNode - 1) / kNode + 2, CV_64FC2) {
    for (int j = 0; j < m_nodes.rows; ++j) {
        for (int i = 0; i < m_nodes.cols; ++i) {
            const auto sky = to.toSky(i * kNode, j * kNode);
            const auto pixel = sky ? from.toPixel(*sky) : std::nullopt;
            m_nodes.at<cv::Vec2d>(j, i) = pixel ? cv::Vec2d(pixel->x, pixel->y) : cv::Vec2d(kNanDouble, kNanDouble);
        }
    }
    for (int y = 0; y < toSize.height && !m_overlaps; y += 4) {
        for (int x = 0; x < toSize.width && !m_overlaps; x += 4) {
            const cv::Point2d p = source(x, y);
            m_overlaps = p.x > -0.5 && p.y > -0.5 && p.x < fromSize.width - 0.5 && p.y < fromSize.height - 0.5;
        }
    }
}

cv::Point2d ResampleGrid::source(double x, double y) const {
    const double gx = x / kNode, gy = y / kNode;
    const int i = std::clamp(static_cast<int>(std::floor(gx)), 0, m_nodes.cols - 2);
    const int j = std::clamp(static_cast<int>(std::floor(gy)), 0, m_nodes.rows - 2);
    const double fx = gx - i, fy = gy - j;
    const cv::Vec2d v = (1 - fy) * ((1 - fx) * m_nodes.at<cv::Vec2d>(j, i) + fx * m_nodes.at<cv::Vec2d>(j, i + 1)) +
                        fy * ((1 - fx) * m_nodes.at<cv::Vec2d>(j + 1, i) + fx * m_nodes.at<cv::Vec2d>(j + 1, i + 1));
    return {v[0], v[1]};
}

cv::Matx22d ResampleGrid::jacobian(double x, double y) const {
    const cv::Point2d dx = source(x + 0.5, y) - source(x - 0.5, y), dy = source(x, y + 0.5) - source(x, y - 0.5);
    return {dx.x, dy.x, dx.y, dy.y};
}

PlanePtr resampleImage(const PlanePtr& source, ResampleGridPtr grid) {
    return std::make_shared<DerivedPlane>(grid->toSize(), CV_32F, [source, grid] {
        const cv::Mat image = source->readAll();
        return perRow(grid->toSize(), CV_32F, [&](cv::Mat& out, int y) {
            float* to = out.ptr<float>(y);
            for (int x = 0; x < out.cols; ++x) {
                const cv::Matx22d j = grid->jacobian(x, y);
                const int n = subsamples(j);
                double sum = 0.0;
                for (int k = 0; k < n * n; ++k) {
                    const cv::Point2d at = grid->source(x + (k % n + 0.5) / n - 0.5, y + (k / n + 0.5) / n - 0.5);
                    sum +=
                        std::isfinite(at.x) && std::isfinite(at.y) ? interpolate(image, at.x, at.y, true) : kNanDouble;
                }
                to[x] = static_cast<float>(sum / (n * n) * areaOf(j));
            }
        });
    });
}

PlanePtr resampleVariance(const PlanePtr& source, ResampleGridPtr grid) {
    return std::make_shared<DerivedPlane>(grid->toSize(), CV_32F, [source, grid] {
        const cv::Mat variance = source->readAll();
        return perRow(grid->toSize(), CV_32F, [&](cv::Mat& out, int y) {
            float* to = out.ptr<float>(y);
            for (int x = 0; x < out.cols; ++x) {
                const cv::Point2d at = grid->source(x, y);
                const double v =
                    std::isfinite(at.x) && std::isfinite(at.y) ? interpolate(variance, at.x, at.y, false) : -1.0;
                const bool usable = std::isfinite(v) && v > 0.0;
                to[x] = usable ? static_cast<float>(v * areaOf(grid->jacobian(x, y)))
                               : std::numeric_limits<float>::infinity();
            }
        });
    });
}

PlanePtr resampleMask(const PlanePtr& source, ResampleGridPtr grid) {
    return std::make_shared<DerivedPlane>(grid->toSize(), CV_32S, [source, grid] {
        const cv::Mat mask = source->readAll();
        return perRow(grid->toSize(), CV_32S, [&](cv::Mat& out, int y) {
            int* to = out.ptr<int>(y);
            for (int x = 0; x < out.cols; ++x) {
                const cv::Point2d at = grid->source(x, y);
                to[x] = 0;
                if (!std::isfinite(at.x) || !std::isfinite(at.y)) continue;
                if (std::abs(at.x) > 1e8 || std::abs(at.y) > 1e8) continue;
                const int ix = static_cast<int>(std::lround(at.x)), iy = static_cast<int>(std::lround(at.y));
                if (ix >= 0 && iy >= 0 && ix < mask.cols && iy < mask.rows) to[x] = mask.at<int>(iy, ix);
            }
        });
    });
}

Psf resamplePsf(const Psf& psf, const ResampleGrid& grid) {
    const cv::Matx22d j = grid.jacobian((grid.toSize().width - 1) / 2.0, (grid.toSize().height - 1) / 2.0);
    const double area = areaOf(j);
    if (!std::isfinite(area) || !(area > 0.0)) throw ReadError(QStringLiteral("the PSF cannot be resampled"));
    const double half = 0.5 * std::max(psf.image.cols, psf.image.rows) / std::sqrt(area);
    const int reach = std::clamp(static_cast<int>(std::ceil(half)), 3, 255);
    const int side = 2 * reach + 1, n = std::max(2, subsamples(j));
    cv::Mat image = cv::Mat::zeros(side, side, CV_32F);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            double sum = 0.0;
            // The source PSF holds its own pixel already: a target pixel that is not larger adds none.
            const double spread = area > 1.0 ? 1.0 : 0.0;
            for (int k = 0; k < n * n; ++k) {
                const double dx = x - reach + spread * ((k % n + 0.5) / n - 0.5);
                const double dy = y - reach + spread * ((k / n + 0.5) / n - 0.5);
                const cv::Vec2d at = j * cv::Vec2d(dx, dy);
                const double v = interpolate(psf.image, at[0] + psf.image.cols / 2, at[1] + psf.image.rows / 2, true);
                sum += std::isfinite(v) ? v : 0.0;
            }
            image.at<float>(y, x) = static_cast<float>(sum / (n * n));
        }
    }
    return Psf::fromImage(image, psf.origin);
}

} // namespace blendscope
