#include "detect/Detector.h"

#include "detect/PeakTree.h"
#include "detect/Spans.h"
#include "image/Background.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"

#include <cmath>
#include <map>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kSaturationReach = 2; ///< peaks this close (pixels) to saturated ones belong to the same star

/// Runs of saturated pixels of any band, joined into regions.
std::vector<Footprint> saturatedRegions(const Scene& scene, Progress& progress) {
    std::vector<Span> spans;
    constexpr int rows = 256;
    for (const Band& band : scene.bands) {
        const int bits = band.mask ? band.saturatedBits() : 0;
        if (!bits) continue;
        for (int y0 = 0; y0 < scene.size.height; y0 += rows) {
            progress.check();
            const Box box = Box{0, y0, scene.size.width, rows}.intersected(scene.box());
            const cv::Mat mask = band.mask->read(box);
            for (int y = 0; y < box.height; ++y) {
                const int* m = mask.ptr<int>(y);
                for (int x = 0; x < box.width;) {
                    if (!(m[x] & bits)) {
                        ++x;
                        continue;
                    }
                    const int start = x;
                    while (x < box.width && (m[x] & bits)) {
                        ++x;
                    }
                    spans.push_back({y0 + y, start, x});
                }
            }
        }
    }
    return connectSpans(spans);
}

/// Saturated pixels carry no weight, but their star is there: they take the highest significance around them.
void fillSaturated(cv::Mat& significance, const std::vector<Footprint>& regions) {
    for (const Footprint& r : regions) {
        float top = 0.0f;
        for (const Span& s : r.spans) {
            for (int y = std::max(0, s.y - 1); y <= std::min(significance.rows - 1, s.y + 1); ++y) {
                const auto* row = significance.ptr<float>(y);
                for (int x = std::max(0, s.x0 - 1); x < std::min(significance.cols, s.x1 + 1); ++x) {
                    top = std::max(top, row[x]);
                }
            }
        }
        for (const Span& s : r.spans) {
            std::fill(significance.ptr<float>(s.y) + s.x0, significance.ptr<float>(s.y) + s.x1, top);
        }
    }
}

std::vector<Span> spansAbove(const cv::Mat& image, float level, int threads) {
    constexpr int rows = 64;
    const int strips = (image.rows + rows - 1) / rows;
    std::vector<std::vector<Span>> parts(strips);
    TaskPool::shared().parallelFor(
        strips,
        [&](int k) {
            for (int y = k * rows; y < std::min(image.rows, (k + 1) * rows); ++y) {
                const auto* v = image.ptr<float>(y);
                for (int x = 0; x < image.cols;) {
                    if (!(v[x] > level)) {
                        ++x;
                        continue;
                    }
                    const int start = x;
                    while (x < image.cols && v[x] > level) {
                        ++x;
                    }
                    parts[k].push_back({y, start, x});
                }
            }
        },
        threads);
    std::vector<Span> out;
    for (const auto& p : parts) {
        out.insert(out.end(), p.begin(), p.end());
    }
    return out;
}

float highest(const cv::Mat& image, const Footprint& f) {
    float top = -std::numeric_limits<float>::infinity();
    for (const Span& s : f.spans) {
        const auto* v = image.ptr<float>(s.y);
        top = std::max(top, *std::max_element(v + s.x0, v + s.x1));
    }
    return top;
}

/// Drops footprints that would not be detected if the wings of brighter ones were taken off. A wing is a Moffat profile
/// (exponent `beta`) through the peak and the edge of its footprint.
void cleanWings(std::vector<Footprint>& footprints, const std::vector<float>& tops, double edge, double threshold,
                double beta) {
    const std::size_t n = footprints.size();
    struct Wing {
        double x, y, radius, scale2, top;
    };
    std::vector<Wing> wings(n);
    double widest = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const Footprint& f = footprints[i];
        Wing& w = wings[i];
        w.x = f.peaks.front().x;
        w.y = f.peaks.front().y;
        w.top = tops[i];
        w.radius = std::sqrt(static_cast<double>(f.area()) / std::numbers::pi);
        const double q = std::pow(std::max(1.0001, w.top / edge), 1.0 / beta) - 1.0;
        w.scale2 = w.radius * w.radius / q;
        widest = std::max(widest, w.radius);
    }
    // Bright ones in order; each looks at those near it through a grid of cells.
    const double cell = 64.0;
    std::map<std::pair<int, int>, std::vector<int>> grid;
    for (std::size_t i = 0; i < n; ++i) {
        grid[{static_cast<int>(wings[i].y / cell), static_cast<int>(wings[i].x / cell)}].push_back(static_cast<int>(i));
    }
    std::vector<double> wing(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        const Wing& w = wings[i];
        if (w.top < 10.0 * threshold) continue;
        const double reach = 4.0 * w.radius + 10.0;
        for (int cy = static_cast<int>((w.y - reach) / cell); cy <= static_cast<int>((w.y + reach) / cell); ++cy) {
            for (int cx = static_cast<int>((w.x - reach) / cell); cx <= static_cast<int>((w.x + reach) / cell); ++cx) {
                const auto it = grid.find({cy, cx});
                if (it == grid.end()) continue;
                for (const int j : it->second) {
                    if (wings[j].top >= 0.1 * w.top) continue;
                    const double r2 = (wings[j].x - w.x) * (wings[j].x - w.x) + (wings[j].y - w.y) * (wings[j].y - w.y);
                    // Inside the bright one's radius the profile is not a wing.
                    if (r2 < w.radius * w.radius || r2 > reach * reach) continue;
                    wing[j] += w.top * std::pow(1.0 + r2 / w.scale2, -beta);
                }
            }
        }
    }
    std::vector<Footprint> kept;
    for (std::size_t i = 0; i < n; ++i) {
        // Such light lies below the edge, or the two would be one footprint.
        if (wings[i].top - std::min(wing[i], edge) >= threshold) kept.push_back(std::move(footprints[i]));
    }
    footprints = std::move(kept);
}

} // namespace

void Detector::run(const Scene& scene, Result& result, Progress& progress,
                   const std::function<void(const QString&)>& warn) const {
    const DetectorOptions& o = m_options;
    result.footprints.clear();
    const bool skyGiven = result.sky.size() == scene.bands.size() &&
                          std::all_of(result.sky.begin(), result.sky.end(), [](const SkyModelPtr& s) { return s; });
    if (!skyGiven) result.sky.clear();
    if (scene.bands.empty() || scene.size.empty()) return;

    progress.begin(QStringLiteral("measuring the sky"), static_cast<long long>(scene.bands.size()));
    BackgroundOptions mesh;
    mesh.meshPixels = o.meshPixels;
    mesh.filterMeshes = o.filterMeshes;
    mesh.threads = o.threads;
    for (const Band& band : scene.bands) {
        if (skyGiven) break;
        auto sky = Background::measure(band, mesh, &progress);
        const bool subtract = o.sky == DetectorOptions::Sky::Subtract ||
                              (o.sky == DetectorOptions::Sky::Auto && !band.skySubtracted && sky->looksUnsubtracted());
        if (subtract && o.sky == DetectorOptions::Sky::Auto && warn) {
            warn(QStringLiteral("band %1: a sky of %2 counts was taken off")
                     .arg(band.name)
                     .arg(double(sky->globalLevel()), 0, 'g', 4));
        }
        result.sky.push_back(subtract ? sky : sky->withoutLevel());
        progress.advance();
    }

    DetectionImageOptions imageOptions = o.image;
    imageOptions.threads = o.threads;
    imageOptions.given = DetectionConditions::fromJson(result.conditions.value(o.key).toObject(), scene.bands.size());
    DetectionImage detection = DetectionImage::make(scene, result.sky, imageOptions, progress);
    result.conditions.insert(o.key, detection.conditions().toJson());
    cv::Mat& image = detection.significance;
    const std::vector<Footprint> saturated = saturatedRegions(scene, progress);
    fillSaturated(image, saturated);

    std::vector<Footprint> footprints = connectSpans(spansAbove(image, static_cast<float>(o.edge), o.threads));
    std::erase_if(footprints, [&](const Footprint& f) {
        return f.area() < o.minimumArea || highest(image, f) < static_cast<float>(o.threshold);
    });

    const Sharpener sharpener(scene, result.sky, detection, o.sharpening);
    const bool sharpen = o.sharpen && sharpener.usable();
    const double fwhm = sharpener.fwhmPixels() > 0.0 ? sharpener.fwhmPixels() : o.image.fallbackFwhmPixels;
    const double merge = std::max(1.5, o.mergeFwhm * fwhm);
    cv::Mat saturatedLabel;
    if (!saturated.empty()) {
        saturatedLabel = cv::Mat::zeros(scene.size, CV_32S);
        int label = 0;
        for (const Footprint& r : saturated) {
            ++label;
            for (const Span& s : r.spans) {
                std::fill(saturatedLabel.ptr<int>(s.y) + s.x0, saturatedLabel.ptr<int>(s.y) + s.x1, label);
            }
        }
    }
    const auto saturatedAt = [&](double px, double py) {
        if (saturatedLabel.empty()) return 0;
        const int cx = static_cast<int>(std::lround(px)), cy = static_cast<int>(std::lround(py));
        for (int reach = 0; reach <= kSaturationReach; ++reach) {
            for (int y = std::max(0, cy - reach); y <= std::min(scene.size.height - 1, cy + reach); ++y) {
                for (int x = std::max(0, cx - reach); x <= std::min(scene.size.width - 1, cx + reach); ++x) {
                    if (saturatedLabel.at<int>(y, x)) return saturatedLabel.at<int>(y, x);
                }
            }
        }
        return 0;
    };

    progress.begin(QStringLiteral("finding peaks"), static_cast<long long>(footprints.size()));
    std::vector<char> capped(footprints.size(), 0);
    const auto findIn = [&](int k) {
        progress.check();
        Footprint& f = footprints[k];
        const cv::Mat inside = f.mask(f.box);
        const cv::Mat view = image(f.box.rect());
        const float top = highest(image, f);
        const double step = std::pow(std::max(1.0, top / o.edge), 1.0 / std::max(1, o.levels));
        std::vector<cv::Point2d> places;

        if (sharpen && top >= o.leastSharpened) {
            for (const SharpPeak& p : sharpener.find(f.box, inside, image, o.threshold, o.contrast, progress)) {
                places.emplace_back(p.x, p.y);
            }
        }
        const std::vector<TreePeak> tree = findPeaks(view, inside);
        double total = 0.0;
        for (const Span& s : f.spans) {
            const auto* v = image.ptr<float>(s.y);
            for (int x = s.x0; x < s.x1; ++x) {
                total += v[x];
            }
        }
        for (const TreePeak& p : tree) {
            if (p.height < o.threshold) break;
            if (!p.highest) {
                if (p.height < step * p.saddle || p.excess < o.contrast * total) continue;
                const double noise =
                    sharpener.usable() ? std::sqrt(sharpener.noiseRatio(f.box.x0 + p.x, f.box.y0 + p.y)) : 1.0;
                if (p.height - p.saddle < o.separation * std::max(1.0, noise)) continue;
            } else if (!places.empty()) {
                // The sharpened image has its own view of the brightest one.
                continue;
            }
            const cv::Point2d at = refinedPeak(view, p.x, p.y) + cv::Point2d(f.box.x0, f.box.y0);
            const bool known = std::any_of(places.begin(), places.end(), [&](const cv::Point2d& q) {
                return std::hypot(q.x - at.x, q.y - at.y) < merge;
            });
            if (!known) places.push_back(at);
        }

        std::map<int, std::size_t> starOf; // saturated region -> its peak
        for (const cv::Point2d& at : places) {
            Peak peak;
            peak.x = std::clamp(at.x, 0.0, scene.size.width - 1.0);
            peak.y = std::clamp(at.y, 0.0, scene.size.height - 1.0);
            peak.significance =
                image.at<float>(static_cast<int>(std::lround(peak.y)), static_cast<int>(std::lround(peak.x)));
            if (const int label = saturatedAt(peak.x, peak.y)) {
                if (starOf.contains(label)) continue;
                starOf[label] = f.peaks.size();
                // The middle of the widest run is the star, however long the trail is.
                const Footprint& r = saturated[label - 1];
                const auto widest = std::max_element(r.spans.begin(), r.spans.end(), [](const Span& a, const Span& b) {
                    return a.x1 - a.x0 < b.x1 - b.x0;
                });
                int first = widest->y, last = widest->y;
                for (const Span& s : r.spans) {
                    if (s.x1 - s.x0 == widest->x1 - widest->x0) last = std::max(last, s.y);
                }
                peak.x = 0.5 * (widest->x0 + widest->x1 - 1);
                peak.y = 0.5 * (first + last);
                if (!f.contains(static_cast<int>(peak.x), static_cast<int>(peak.y))) {
                    peak.x = at.x;
                    peak.y = at.y;
                }
            }
            f.peaks.push_back(peak);
        }
        std::stable_sort(f.peaks.begin(), f.peaks.end(),
                         [](const Peak& a, const Peak& b) { return a.significance > b.significance; });
        if (static_cast<int>(f.peaks.size()) > o.mostPeaks) {
            f.peaks.resize(o.mostPeaks);
            capped[k] = 1;
        }
        progress.advance();
    };
    TaskPool::shared().parallelFor(static_cast<int>(footprints.size()), findIn, o.threads);
    if (warn && std::count(capped.begin(), capped.end(), 1) > 0) {
        warn(QStringLiteral("footprints with more than %1 peaks keep the brightest").arg(o.mostPeaks));
    }
    std::erase_if(footprints, [](const Footprint& f) { return f.peaks.empty(); });
    if (o.clean && !footprints.empty()) {
        std::vector<float> tops;
        tops.reserve(footprints.size());
        for (const Footprint& f : footprints) {
            tops.push_back(highest(image, f));
        }
        cleanWings(footprints, tops, o.edge, o.threshold, o.cleanParameter);
    }
    int id = 0;
    for (Footprint& f : footprints) {
        f.id = ++id;
    }
    result.footprints = std::move(footprints);
}

} // namespace blendscope
