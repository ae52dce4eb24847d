#include "PixelPartition.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

namespace {

constexpr double kLargestGrowth = 4.0; ///< of a core's second moments, for the light below its edge

} // namespace

PixelPartition::PixelPartition(const cv::Mat& image, const cv::Mat& inside, const std::vector<Peak>& peaks,
                               double leastSigma, double coreFraction)
    : m_labels(cv::Mat::zeros(image.size(), CV_32S)), m_floor(peaks.size(), std::numeric_limits<double>::infinity()),
      m_gaussians(peaks.size()) {
    if (peaks.empty()) return;
    if (peaks.size() == 1) {
        m_labels.setTo(1, inside);
        return;
    }
    floodCores(image, inside, peaks, coreFraction);
    fitCores(image, peaks, leastSigma);
    divideRest(inside);
}

void PixelPartition::floodCores(const cv::Mat& image, const cv::Mat& inside, const std::vector<Peak>& peaks,
                                double coreFraction) {
    struct Pixel {
        float value;
        int index;
    };
    const int width = image.cols, height = image.rows;
    std::vector<Pixel> pixels;
    for (int y = 0; y < height; ++y) {
        const float* row = image.ptr<float>(y);
        const uchar* in = inside.ptr<uchar>(y);
        for (int x = 0; x < width; ++x) {
            if (in[x]) pixels.push_back({std::isfinite(row[x]) ? row[x] : 0.0f, y * width + x});
        }
    }
    std::sort(pixels.begin(), pixels.end(), [](const Pixel& a, const Pixel& b) {
        return a.value != b.value ? a.value > b.value : a.index < b.index;
    });
    std::vector<int> seed(image.total(), 0);
    for (size_t k = peaks.size(); k-- > 0;) {
        const long px = std::lround(peaks[k].x), py = std::lround(peaks[k].y);
        if (px < 0 || py < 0 || px >= width || py >= height || !inside.ptr<uchar>(int(py))[px]) continue;
        seed[py * width + px] = static_cast<int>(k) + 1; // the brightest of several in one pixel
    }

    // Regions grow from bright to faint. `joined` tells which ones touch; `label` of its root is 0 without a peak, a
    // peak's number, or kMixed once two peaks have met. `absorbed` joins only regions of one core.
    constexpr int kMixed = -1;
    std::vector<int> regionOf(image.total(), -1), joined, absorbed, label, core;
    const auto find = [](std::vector<int>& parent, int r) {
        while (parent[r] != r) {
            r = parent[r] = parent[parent[r]];
        }
        return r;
    };
    const auto newRegion = [&](int l) {
        const int r = static_cast<int>(joined.size());
        joined.push_back(r);
        absorbed.push_back(r);
        label.push_back(l);
        core.push_back(l);
        return r;
    };
    for (const Pixel& p : pixels) {
        const int x = p.index % width, y = p.index / width;
        int roots[8], n = 0;
        for (int dy = -1; dy <= 1; ++dy) {
            for (int dx = -1; dx <= 1; ++dx) {
                if ((!dx && !dy) || x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
                const int region = regionOf[p.index + dy * width + dx];
                if (region < 0) continue;
                const int root = find(joined, region);
                if (std::find(roots, roots + n, root) == roots + n) roots[n++] = root;
            }
        }
        const int own = seed[p.index];
        int peak = own;
        bool mixed = false;
        for (int i = 0; i < n; ++i) {
            const int l = label[roots[i]];
            mixed |= l == kMixed || (l > 0 && peak > 0 && l != peak);
            if (l > 0 && peak == 0) peak = l;
        }
        if (mixed) {
            // The cores that meet end here; the pixel itself is core only if it is a peak.
            const int here = newRegion(own);
            regionOf[p.index] = here;
            for (int i = 0; i < n; ++i) {
                joined[roots[i]] = here;
            }
            label[here] = kMixed;
            continue;
        }
        int into = n > 0 ? roots[0] : newRegion(0);
        for (int i = 0; i < n; ++i) {
            if (roots[i] != into) joined[roots[i]] = absorbed[find(absorbed, roots[i])] = into;
        }
        label[into] = core[into] = peak;
        regionOf[p.index] = into;
    }

    std::vector<float> least(peaks.size() + 1, 0.0f);
    for (const Pixel& p : pixels) {
        if (seed[p.index]) least[seed[p.index]] = static_cast<float>(coreFraction) * std::max(0.0f, p.value);
    }
    for (const Pixel& p : pixels) {
        const int k = core[find(absorbed, regionOf[p.index])];
        if (k > 0 && (p.value >= least[k] || seed[p.index] == k)) {
            m_labels.ptr<int>(p.index / width)[p.index % width] = k;
            m_floor[k - 1] = std::min(m_floor[k - 1], double(p.value));
        }
    }
}

void PixelPartition::fitCores(const cv::Mat& image, const std::vector<Peak>& peaks, double leastSigma) {
    struct Sums {
        double s = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0, top = 0.0;
    };
    std::vector<Sums> sums(peaks.size());
    for (int y = 0; y < m_labels.rows; ++y) {
        const int* label = m_labels.ptr<int>(y);
        const float* row = image.ptr<float>(y);
        for (int x = 0; x < m_labels.cols; ++x) {
            if (label[x] <= 0 || !(row[x] > 0.0f)) continue;
            Sums& c = sums[label[x] - 1];
            const Peak& peak = peaks[label[x] - 1];
            const double v = row[x], dx = x - peak.x, dy = y - peak.y;
            c.s += v;
            c.x += v * dx;
            c.y += v * dy;
            c.xx += v * dx * dx;
            c.xy += v * dx * dy;
            c.yy += v * dy * dy;
            c.top = std::max(c.top, v);
        }
    }
    for (size_t k = 0; k < peaks.size(); ++k) {
        const Sums& c = sums[k];
        Gaussian& g = m_gaussians[k];
        g.x = peaks[k].x;
        g.y = peaks[k].y;
        if (!std::isfinite(g.x) || !std::isfinite(g.y)) continue;
        double xx = leastSigma * leastSigma, yy = xx, xy = 0.0;
        if (c.s > 0.0) {
            const double mx = c.x / c.s, my = c.y / c.s;
            double cxx = c.xx / c.s - mx * mx, cyy = c.yy / c.s - my * my, cxy = c.xy / c.s - mx * my;
            // A Gaussian cut at the fraction f of its height has second moments smaller by 1 + f ln f / (1 - f).
            const double f = std::clamp(m_floor[k] / c.top, 1e-3, 0.98);
            // Small cores on a bright neighbour's wing are cut by its light, not by their own: growth is bounded.
            const double grow = std::min(kLargestGrowth, 1.0 / (1.0 + f * std::log(f) / (1.0 - f)));
            cxx *= grow;
            cyy *= grow;
            cxy *= grow;
            const double least = leastSigma * leastSigma;
            // Cores of a few pixels say nothing of shape: the size of the PSF is the least on both axes.
            const double mean = 0.5 * (cxx + cyy), half = std::hypot(0.5 * (cxx - cyy), cxy);
            const double major = std::max(mean + half, least), minor = std::max(mean - half, least);
            const double ratio = half > 0.0 ? 0.5 * (major - minor) / half : 0.0;
            xx = 0.5 * (major + minor) + 0.5 * (cxx - cyy) * ratio;
            yy = 0.5 * (major + minor) - 0.5 * (cxx - cyy) * ratio;
            xy = cxy * ratio;
        }
        const double det = xx * yy - xy * xy;
        if (!(det > 0.0)) continue;
        g.xx = yy / det;
        g.yy = xx / det;
        g.xy = -xy / det;
        g.logAmplitude = std::log(std::max(c.top, 1e-30));
        g.valid = true;
    }
}

void PixelPartition::divideRest(const cv::Mat& inside) {
    for (int y = 0; y < m_labels.rows; ++y) {
        int* label = m_labels.ptr<int>(y);
        const uchar* in = inside.ptr<uchar>(y);
        for (int x = 0; x < m_labels.cols; ++x) {
            if (!in[x] || label[x]) continue;
            double best = -std::numeric_limits<double>::infinity();
            int owner = 1;
            for (size_t k = 0; k < m_gaussians.size(); ++k) {
                const Gaussian& g = m_gaussians[k];
                if (!g.valid) continue;
                const double dx = x - g.x, dy = y - g.y;
                const double p = g.logAmplitude - 0.5 * (g.xx * dx * dx + 2.0 * g.xy * dx * dy + g.yy * dy * dy);
                if (p > best) {
                    best = p;
                    owner = static_cast<int>(k) + 1;
                }
            }
            label[x] = owner;
        }
    }
}

} // namespace blendscope
