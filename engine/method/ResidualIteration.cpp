#include "method/ResidualIteration.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>

namespace blendscope {

Scene residualScene(const Scene& scene, const Result& result) {
    Scene residual = scene;
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        cv::Mat image = scene.bands[b].image->readAll().clone();
        // A result may have fewer bands, or others first.
        std::size_t own = result.bands.isEmpty() ? b : 0;
        while (own < std::size_t(result.bands.size()) &&
               result.bands[qsizetype(own)].compare(scene.bands[b].name, Qt::CaseInsensitive) != 0)
            ++own;
        for (const Component& component : result.components) {
            const Box box = component.box.intersected(scene.box());
            if (box.empty() || own >= component.model.size() || component.model[own].size() != component.box.size())
                continue;
            cv::Mat view = image(box.rect());
            view -= component.model[own](box.shifted(-component.box.x0, -component.box.y0).rect());
        }
        residual.bands[b].image = std::make_shared<MemoryPlane>(image);
    }
    return residual;
}

int mergeResidualPeaks(const Scene& scene, const Result& found, Result& result, double nearFwhm) {
    double fwhm = 3.0;
    for (const Band& band : scene.bands) {
        if (band.psf.known()) fwhm = std::max(fwhm, std::min(band.psf.fwhmPixels, 20.0));
    }
    const double near = std::max(1e-3, nearFwhm * fwhm);
    cv::Mat labels = cv::Mat::zeros(scene.size, CV_32S);
    const auto paint = [&](const Footprint& f, int id) {
        for (const Span& s : f.spans) {
            std::fill_n(labels.ptr<int>(s.y) + s.x0, s.x1 - s.x0, id);
        }
    };
    std::vector<const Peak*> known;
    int nextId = 1;
    for (const Footprint& f : result.footprints) {
        paint(f, f.id);
        nextId = std::max(nextId, f.id + 1);
        for (const Peak& p : f.peaks) {
            known.push_back(&p);
        }
    }
    // Known peaks by cell of the search radius: each new one looks at nine cells only.
    std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> cells;
    const auto cell = [&](double v) { return static_cast<int>(std::floor(v / near)); };
    for (const Peak* p : known) {
        cells[{cell(p->x), cell(p->y)}].emplace_back(p->x, p->y);
    }
    const auto isNew = [&](const Peak& p) {
        for (int j = -1; j <= 1; ++j) {
            for (int i = -1; i <= 1; ++i) {
                const auto it = cells.find({cell(p.x) + i, cell(p.y) + j});
                if (it == cells.end()) continue;
                for (const auto& [x, y] : it->second) {
                    if (std::hypot(x - p.x, y - p.y) < near) return false;
                }
            }
        }
        return true;
    };

    std::vector<Footprint> additions;
    int added = 0;
    for (const Footprint& f : found.footprints) {
        Footprint kept = f;
        std::erase_if(kept.peaks, [&](const Peak& p) { return !isNew(p); });
        if (kept.peaks.empty()) continue;
        added += static_cast<int>(kept.peaks.size());
        additions.push_back(std::move(kept));
    }
    if (added == 0) return 0;

    // Footprints that touch become one: connected components of the union of old and new pixels.
    cv::Mat mask = labels != 0;
    for (const Footprint& f : additions) {
        for (const Span& s : f.spans) {
            std::fill_n(mask.ptr<uchar>(s.y) + s.x0, s.x1 - s.x0, uchar(255));
        }
    }
    cv::Mat islands, stats, centroids;
    const int count = cv::connectedComponentsWithStats(mask, islands, stats, centroids, 8, CV_32S);
    std::vector<Footprint> merged(count);
    for (int i = 1; i < count; ++i) {
        const cv::Rect r(stats.at<int>(i, cv::CC_STAT_LEFT), stats.at<int>(i, cv::CC_STAT_TOP),
                         stats.at<int>(i, cv::CC_STAT_WIDTH), stats.at<int>(i, cv::CC_STAT_HEIGHT));
        merged[i] = Footprint::fromMask(islands(r) == i, r.x, r.y);
    }
    const auto island = [&](const Footprint& f) {
        return f.spans.empty() ? 0 : islands.at<int>(f.spans.front().y, f.spans.front().x0);
    };
    for (const Footprint& f : result.footprints) {
        Footprint& to = merged[island(f)];
        to.id = to.id == 0 ? f.id : std::min(to.id, f.id);
        to.peaks.insert(to.peaks.end(), f.peaks.begin(), f.peaks.end());
    }
    for (const Footprint& f : additions) {
        Footprint& to = merged[island(f)];
        to.peaks.insert(to.peaks.end(), f.peaks.begin(), f.peaks.end());
    }
    result.footprints.clear();
    for (int i = 1; i < count; ++i) {
        Footprint& f = merged[i];
        if (f.peaks.empty()) continue;
        if (f.id == 0) f.id = nextId++;
        std::stable_sort(f.peaks.begin(), f.peaks.end(),
                         [](const Peak& a, const Peak& b) { return a.significance > b.significance; });
        result.footprints.push_back(std::move(f));
    }
    std::sort(result.footprints.begin(), result.footprints.end(),
              [](const Footprint& a, const Footprint& b) { return a.id < b.id; });
    return added;
}

} // namespace blendscope
