#include "detect/PeakTree.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

std::vector<TreePeak> findPeaks(const cv::Mat& image, const cv::Mat& inside) {
    const int w = image.cols, h = image.rows;
    std::vector<int> order;
    for (int y = 0; y < h; ++y) {
        const auto* in = inside.ptr<uchar>(y);
        const auto* v = image.ptr<float>(y);
        for (int x = 0; x < w; ++x) {
            if (in[x] && std::isfinite(v[x])) order.push_back(y * w + x);
        }
    }
    const auto value = [&](int i) { return image.ptr<float>(i / w)[i % w]; };
    std::sort(order.begin(), order.end(), [&](int a, int b) {
        const float va = value(a), vb = value(b);
        return va != vb ? va > vb : a < b;
    });

    // Islands: union-find over pixels; each root knows its peak, its number of pixels and their sum.
    struct Island {
        int peak = -1;
        double sum = 0.0;
        long long pixels = 0;
    };
    std::vector<int> parent(static_cast<std::size_t>(w) * h, -1);
    std::vector<int> islandOf(static_cast<std::size_t>(w) * h, -1);
    std::vector<Island> islands;
    std::vector<TreePeak> peaks;
    const auto root = [&](int i) {
        while (parent[i] != i) {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        return i;
    };
    const auto finish = [&](const Island& island, float saddle, bool highest) {
        TreePeak p;
        p.x = island.peak % w;
        p.y = island.peak / w;
        p.height = value(island.peak);
        p.saddle = saddle;
        p.excess = island.sum - saddle * static_cast<double>(island.pixels);
        p.highest = highest;
        peaks.push_back(p);
    };
    for (const int i : order) {
        const int x = i % w, y = i / w;
        const float v = value(i);
        int roots[8];
        int count = 0;
        for (int dy = -1; dy <= 1; ++dy) {
            for (int dx = -1; dx <= 1; ++dx) {
                const int nx = x + dx, ny = y + dy;
                if ((dx == 0 && dy == 0) || nx < 0 || ny < 0 || nx >= w || ny >= h) continue;
                const int j = ny * w + nx;
                if (parent[j] < 0) continue;
                const int r = root(j);
                if (std::find(roots, roots + count, r) == roots + count) roots[count++] = r;
            }
        }
        parent[i] = i;
        if (count == 0) {
            islandOf[i] = static_cast<int>(islands.size());
            islands.push_back({i, v, 1});
            continue;
        }
        // The island with the highest peak goes on; the peaks' own order breaks ties.
        int best = 0;
        for (int k = 1; k < count; ++k) {
            const int a = islands[islandOf[roots[k]]].peak, b = islands[islandOf[roots[best]]].peak;
            const float va = value(a), vb = value(b);
            if (va > vb || (va == vb && a < b)) best = k;
        }
        Island& winner = islands[islandOf[roots[best]]];
        for (int k = 0; k < count; ++k) {
            if (k == best) continue;
            const Island& loser = islands[islandOf[roots[k]]];
            if (value(loser.peak) > v) finish(loser, v, false);
            winner.sum += loser.sum;
            winner.pixels += loser.pixels;
            parent[roots[k]] = roots[best];
        }
        winner.sum += v;
        ++winner.pixels;
        parent[i] = roots[best];
    }
    for (const int i : order) {
        if (parent[i] != i) continue;
        float lowest = value(islands[islandOf[i]].peak);
        // Only roots come here: few, so that a scan from the end is cheap.
        for (auto it = order.rbegin(); it != order.rend(); ++it) {
            if (root(*it) == i) {
                lowest = value(*it);
                break;
            }
        }
        finish(islands[islandOf[i]], lowest, true);
    }
    std::stable_sort(peaks.begin(), peaks.end(),
                     [](const TreePeak& a, const TreePeak& b) { return a.height > b.height; });
    return peaks;
}

cv::Point2d refinedPeak(const cv::Mat& image, int x, int y) {
    cv::Point2d p(x, y);
    const auto at = [&](int i, int j) { return static_cast<double>(image.at<float>(j, i)); };
    const auto shift = [](double before, double middle, double after) {
        const double curvature = after - 2.0 * middle + before;
        if (!(curvature < 0.0)) return 0.0;
        const double s = -0.5 * (after - before) / curvature;
        return std::isfinite(s) ? std::clamp(s, -0.5, 0.5) : 0.0;
    };
    if (x > 0 && x < image.cols - 1) p.x += shift(at(x - 1, y), at(x, y), at(x + 1, y));
    if (y > 0 && y < image.rows - 1) p.y += shift(at(x, y - 1), at(x, y), at(x, y + 1));
    return p;
}

} // namespace blendscope
