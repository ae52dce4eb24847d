#include "detect/Positions.h"

#include "detect/Spans.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr double kDefaultFwhm = 4.0; // pixel, where no band knows its PSF
constexpr float kLeastSignificance = 0.01f;

/// Matched-filter S/N of a point source at (x, y): Gaussian of the band's FWHM, all bands in quadrature.
float significanceAt(const Scene& scene, const Result& result, double x, double y) {
    double total = 0.0;
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        const Band& band = scene.bands[b];
        const double fwhm = band.psf.fwhmPixels > 0.0 ? band.psf.fwhmPixels : kDefaultFwhm;
        const double s = fwhm / 2.3548;
        const int reach = std::max(1, static_cast<int>(std::ceil(2.5 * s)));
        const Box box = Box{static_cast<int>(std::lround(x)) - reach, static_cast<int>(std::lround(y)) - reach,
                            2 * reach + 1, 2 * reach + 1}
                            .intersected(scene.box());
        if (box.empty()) continue;
        const cv::Mat data = band.image->read(box), variance = band.variance->read(box);
        const bool sky = b < result.sky.size() && result.sky[b] && !result.sky[b]->isZero();
        const cv::Mat level = sky ? result.sky[b]->level(box) : cv::Mat();
        const int bits = band.mask ? band.unusableBits() : 0;
        const cv::Mat mask = bits ? band.mask->read(box) : cv::Mat();
        double top = 0.0, bottom = 0.0;
        for (int j = 0; j < box.height; ++j) {
            for (int i = 0; i < box.width; ++i) {
                const double d = data.at<float>(j, i), v = variance.at<float>(j, i);
                if (!std::isfinite(d) || !(v > 0.0) || !std::isfinite(v)) continue;
                if (bits && (mask.at<int>(j, i) & bits)) continue;
                const double dx = box.x0 + i - x, dy = box.y0 + j - y;
                const double p = std::exp(-0.5 * (dx * dx + dy * dy) / (s * s));
                top += p * (d - (sky ? level.at<float>(j, i) : 0.0f)) / v;
                bottom += p * p / v;
            }
        }
        if (bottom > 0.0 && top > 0.0) total += top * top / bottom;
    }
    return static_cast<float>(std::sqrt(total));
}

} // namespace

void usePositions(const Scene& scene, Result& result, const std::vector<PixelPosition>& positions) {
    const Box all = scene.box();
    double radius = 0.0;
    for (const Band& band : scene.bands) {
        if (band.psf.fwhmPixels > 0.0)
            radius = radius > 0.0 ? std::min(radius, band.psf.fwhmPixels) : band.psf.fwhmPixels;
    }
    if (!(radius > 0.0)) radius = kDefaultFwhm;
    radius = std::min(radius, 0.25 * std::max(all.width, all.height) + 1.0);

    // All runs together: those of the footprints, then the discs of positions outside of them.
    std::vector<Span> spans;
    for (const Footprint& f : result.footprints) {
        spans.insert(spans.end(), f.spans.begin(), f.spans.end());
    }
    const std::vector<Footprint> detected = connectSpans(spans);

    struct Place {
        int row;
        int px, py;
        bool inside;
    };
    const auto holds = [&](const std::vector<Footprint>& list, const std::vector<std::vector<int>>& byRow, int x,
                           int y) {
        for (const int k : byRow[y]) {
            if (list[k].box.contains(x, y) && list[k].contains(x, y)) return k;
        }
        return -1;
    };
    const auto indexRows = [&](const std::vector<Footprint>& list) {
        std::vector<std::vector<int>> byRow(std::max(all.height, 0));
        for (std::size_t k = 0; k < list.size(); ++k) {
            for (int y = std::max(0, list[k].box.y0); y < std::min(all.height, list[k].box.y1()); ++y) {
                byRow[y].push_back(static_cast<int>(k));
            }
        }
        return byRow;
    };

    const auto detectedRows = indexRows(detected);
    std::vector<Place> places;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        const PixelPosition& p = positions[i];
        if (!std::isfinite(p.x) || !std::isfinite(p.y) || p.x < -0.5 || p.y < -0.5 || p.x >= all.width - 0.5 ||
            p.y >= all.height - 0.5) {
            continue;
        }
        const int px = std::clamp(static_cast<int>(std::lround(p.x)), 0, all.width - 1);
        const int py = std::clamp(static_cast<int>(std::lround(p.y)), 0, all.height - 1);
        const bool inside = holds(detected, detectedRows, px, py) >= 0;
        places.push_back({static_cast<int>(i), px, py, inside});
        if (!inside) {
            const std::vector<Span> disc = discSpans(p.x, p.y, radius, all);
            spans.insert(spans.end(), disc.begin(), disc.end());
        }
    }

    std::vector<Footprint> merged = connectSpans(spans);
    const auto rows = indexRows(merged);
    for (const Place& place : places) {
        const int k = holds(merged, rows, place.px, place.py);
        if (k < 0) continue;
        Peak peak;
        peak.x = positions[place.row].x;
        peak.y = positions[place.row].y;
        peak.position = place.row;
        if (place.inside) {
            peak.significance = std::max(kLeastSignificance, significanceAt(scene, result, peak.x, peak.y));
        }
        merged[k].peaks.push_back(peak);
    }
    std::erase_if(merged, [](const Footprint& f) { return f.peaks.empty(); });
    int id = 0;
    for (Footprint& f : merged) {
        f.id = ++id;
        std::stable_sort(f.peaks.begin(), f.peaks.end(),
                         [](const Peak& a, const Peak& b) { return a.significance > b.significance; });
    }
    result.footprints = std::move(merged);
}

} // namespace blendscope
