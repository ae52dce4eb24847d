#include "GroupedSearch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

namespace {

constexpr int kMostTogether = 16; // peaks in one search
constexpr double kGuestsOfFwhm =
    2.0; // from a peak of the group: sources that take part, for whoever lies at the border
constexpr double kMarginOfFwhm = 4.0; // of a group's box around its peaks
constexpr int kFirstIterations = 4;   // of the fit whose models are taken off

/// Halves a set of peaks across its longer side until no part is larger than kMostTogether.
void halve(const std::vector<Peak>& peaks, std::vector<int> part, std::vector<std::vector<int>>& out) {
    if (int(part.size()) <= kMostTogether) {
        std::sort(part.begin(), part.end());
        out.push_back(std::move(part));
        return;
    }
    const auto at = [&](int i) -> const Peak& { return peaks[std::size_t(i)]; };
    const auto [left, right] =
        std::minmax_element(part.begin(), part.end(), [&](int a, int b) { return at(a).x < at(b).x; });
    const auto [low, high] =
        std::minmax_element(part.begin(), part.end(), [&](int a, int b) { return at(a).y < at(b).y; });
    const bool across = at(*right).x - at(*left).x > at(*high).y - at(*low).y;
    const auto middle = part.begin() + std::ptrdiff_t(part.size() / 2);
    std::nth_element(part.begin(), middle, part.end(), [&](int a, int b) {
        const double u = across ? at(a).x : at(a).y, v = across ? at(b).x : at(b).y;
        return u < v || (u == v && a < b);
    });
    halve(peaks, std::vector<int>(part.begin(), middle), out);
    halve(peaks, std::vector<int>(middle, part.end()), out);
}

/// Per pixel of the footprint the index of the nearest peak; -1 outside.
cv::Mat territories(const BlendInput& blend) {
    cv::Mat owner(blend.inside.size(), CV_32S, cv::Scalar(-1));
    for (int y = 0; y < owner.rows; ++y) {
        const auto* inside = blend.inside.ptr<unsigned char>(y);
        int* row = owner.ptr<int>(y);
        for (int x = 0; x < owner.cols; ++x) {
            if (inside[x] == 0) continue;
            double nearest = std::numeric_limits<double>::max();
            for (std::size_t k = 0; k < blend.peaks.size(); ++k) {
                const double dx = blend.peaks[k].x - blend.box.x0 - x, dy = blend.peaks[k].y - blend.box.y0 - y;
                if (dx * dx + dy * dy >= nearest) continue;
                nearest = dx * dx + dy * dy;
                row[x] = int(k);
            }
        }
    }
    return owner;
}

/// The part of a blend around a group: the light of all sources that do not take part is taken off, and their Poisson
/// noise stays in the weights.
BlendInput partOf(const BlendInput& blend, const JointFit& all, const std::vector<int>& own,
                  const std::vector<int>& taking, const cv::Mat& owner, double margin) {
    double left = 1e9, right = -1e9, low = 1e9, high = -1e9;
    for (const int k : taking) {
        const Peak& p = blend.peaks[std::size_t(k)];
        left = std::min(left, double(p.x));
        right = std::max(right, double(p.x));
        low = std::min(low, double(p.y));
        high = std::max(high, double(p.y));
    }
    const int x0 = int(std::floor(left - margin)), y0 = int(std::floor(low - margin));
    BlendInput part = blend;
    part.box = Box{x0, y0, int(std::ceil(right + margin)) - x0 + 1, int(std::ceil(high + margin)) - y0 + 1}.intersected(
        blend.box);
    const Box local = part.box.shifted(-blend.box.x0, -blend.box.y0);
    const cv::Rect rect(local.x0, local.y0, local.width, local.height);
    part.peaks.clear();
    for (const int k : taking)
        part.peaks.push_back(blend.peaks[std::size_t(k)]);
    part.inside = cv::Mat::zeros(rect.size(), CV_8U);
    for (int y = 0; y < rect.height; ++y) {
        const int* row = owner.ptr<int>(rect.y + y) + rect.x;
        for (int x = 0; x < rect.width; ++x) {
            if (row[x] >= 0 && std::binary_search(own.begin(), own.end(), row[x]))
                part.inside.at<unsigned char>(y, x) = 255;
        }
    }
    if (!blend.others.empty()) part.others = blend.others(rect).clone();
    for (std::size_t b = 0; b < blend.data.size(); ++b) {
        cv::Mat light = cv::Mat::zeros(rect.size(), CV_32F);
        for (int k = 0; k < int(all.sources().size()); ++k) {
            if (std::find(taking.begin(), taking.end(), k) != taking.end()) continue;
            const Box window = all.windowTo(k, 0.5).intersected(local);
            if (window.empty()) continue;
            const cv::Mat picture = all.render(k, int(b), window);
            light(cv::Rect(window.x0 - local.x0, window.y0 - local.y0, window.width, window.height)) += picture;
        }
        part.data[b] = blend.data[b](rect) - light;
        part.weight[b] = blend.weight[b](rect).clone();
        part.data[b].setTo(0.0f, part.weight[b] <= 0.0f);
        if (blend.gain[b] > 0.0) part.weight[b] /= 1.0f + part.weight[b].mul(light) / blend.gain[b];
    }
    return part;
}

} // namespace

FoundSources searchSources(const BlendInput& blend, const PsfSet& psf, const SearchOptions& options,
                           const Progress& progress) {
    FoundSources found;
    if (int(blend.peaks.size()) <= kMostTogether) {
        SourceSearch search(blend, psf, options, progress);
        search.run();
        return {search.sources(), search.peaks(), search.accepted(), search.rejected(), search.steps()};
    }
    JointFitOptions first = options.profile;
    first.rounds = 1;
    first.iterations = kFirstIterations;
    JointFit all(blend, psf.mixtures, first, progress);
    for (const Peak& peak : blend.peaks) {
        all.sources().push_back(startAt(peak, blend, options));
    }
    found.steps = all.run();
    std::vector<int> every(blend.peaks.size());
    for (std::size_t k = 0; k < every.size(); ++k)
        every[k] = int(k);
    std::vector<std::vector<int>> groups;
    halve(blend.peaks, every, groups);
    const cv::Mat owner = territories(blend);

    std::vector<std::pair<int, JointSource>> kept; // by peak
    std::vector<JointSource> added;
    for (const std::vector<int>& own : groups) {
        progress.check();
        std::vector<int> taking = own;
        for (const int k : every) {
            if (std::binary_search(own.begin(), own.end(), k)) continue;
            const Peak& p = blend.peaks[std::size_t(k)];
            if (std::any_of(own.begin(), own.end(), [&](int o) {
                    const Peak& q = blend.peaks[std::size_t(o)];
                    return std::hypot(p.x - q.x, p.y - q.y) < kGuestsOfFwhm * psf.fwhmPixels;
                }))
                taking.push_back(k);
        }
        const BlendInput part = partOf(blend, all, own, taking, owner, kMarginOfFwhm * psf.fwhmPixels);
        SourceSearch search(part, psf, options, progress);
        search.run();
        found.steps += search.steps();
        const double dx = part.box.x0 - blend.box.x0, dy = part.box.y0 - blend.box.y0;
        const auto whole = [&](JointSource s) {
            s.x += dx;
            s.y += dy;
            s.startX += dx;
            s.startY += dy;
            return s;
        };
        for (std::size_t i = 0; i < search.peaks().size(); ++i) {
            const int at = search.peaks()[i];
            if (at < int(own.size())) kept.emplace_back(taking[std::size_t(at)], whole(search.sources()[i]));
        }
        for (std::size_t i = 0; i < search.accepted().size(); ++i) {
            const JointSource source = whole(search.sources()[search.peaks().size() + i]);
            SourceCandidate evidence = search.accepted()[i];
            // Two groups may have found the same at their border.
            if (std::any_of(added.begin(), added.end(), [&](const JointSource& o) {
                    return std::hypot(o.x - source.x, o.y - source.y) < options.leastSeparation;
                })) {
                evidence.reason = QStringLiteral("found from both sides of a border");
                found.rejected.push_back(evidence);
                continue;
            }
            added.push_back(source);
            found.accepted.push_back(evidence);
        }
        found.rejected.insert(found.rejected.end(), search.rejected().begin(), search.rejected().end());
    }
    std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [peak, source] : kept) {
        found.peaks.push_back(peak);
        found.sources.push_back(std::move(source));
    }
    found.sources.insert(found.sources.end(), added.begin(), added.end());
    return found;
}

} // namespace blendscope
