#include "detect/Spans.h"

#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

int rootOf(std::vector<int>& parent, int i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/// The smaller index wins, so that a root is the first run of its region in reading order.
void unite(std::vector<int>& parent, int a, int b) {
    a = rootOf(parent, a);
    b = rootOf(parent, b);
    if (a < b) {
        parent[b] = a;
    } else {
        parent[a] = b;
    }
}

} // namespace

std::vector<Footprint> connectSpans(const std::vector<Span>& spans, std::vector<int>* owner) {
    std::vector<int> order(spans.size());
    std::iota(order.begin(), order.end(), 0);
    const auto before = [&](int a, int b) {
        const Span &s = spans[a], &t = spans[b];
        return s.y != t.y ? s.y < t.y : (s.x0 != t.x0 ? s.x0 < t.x0 : a < b);
    };
    if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);

    // Runs of one row that overlap or adjoin become one.
    std::vector<Span> runs;
    runs.reserve(spans.size());
    std::vector<int> runOf(spans.size(), -1);
    for (const int i : order) {
        const Span& s = spans[i];
        if (s.x1 <= s.x0) continue;
        if (!runs.empty() && runs.back().y == s.y && s.x0 <= runs.back().x1) {
            runs.back().x1 = std::max(runs.back().x1, s.x1);
        } else {
            runs.push_back(s);
        }
        runOf[i] = static_cast<int>(runs.size()) - 1;
    }

    std::vector<int> parent(runs.size());
    std::iota(parent.begin(), parent.end(), 0);
    std::size_t above = 0; // first run of the row above that may still touch
    for (std::size_t i = 0; i < runs.size(); ++i) {
        while (above < i &&
               (runs[above].y < runs[i].y - 1 || (runs[above].y == runs[i].y - 1 && runs[above].x1 < runs[i].x0))) {
            ++above;
        }
        for (std::size_t j = above; j < i && runs[j].y == runs[i].y - 1 && runs[j].x0 <= runs[i].x1; ++j) {
            unite(parent, static_cast<int>(j), static_cast<int>(i));
        }
    }

    std::vector<Footprint> footprints;
    std::vector<int> index(runs.size(), -1);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const int root = rootOf(parent, static_cast<int>(i));
        if (index[root] < 0) {
            index[root] = static_cast<int>(footprints.size());
            footprints.emplace_back();
        }
        index[i] = index[root];
        Footprint& f = footprints[index[i]];
        f.box = f.box.united({runs[i].x0, runs[i].y, runs[i].x1 - runs[i].x0, 1});
        f.spans.push_back(runs[i]);
    }
    if (owner) {
        owner->assign(spans.size(), -1);
        for (std::size_t i = 0; i < spans.size(); ++i) {
            if (runOf[i] >= 0) (*owner)[i] = index[runOf[i]];
        }
    }
    return footprints;
}

std::vector<Span> discSpans(double x, double y, double radius, const Box& within) {
    std::vector<Span> spans;
    if (!std::isfinite(x) || !std::isfinite(y)) return spans;
    const double r = std::max(radius, 0.0);
    const double limit = 1e9; // keeps the casts below defined
    if (std::abs(x) > limit || std::abs(y) > limit || r > limit) return spans;
    const int px = static_cast<int>(std::lround(x)), py = static_cast<int>(std::lround(y));
    const int first = std::max(within.y0, std::min(py, static_cast<int>(std::ceil(y - r))));
    const int last = std::min(within.y1() - 1, std::max(py, static_cast<int>(std::floor(y + r))));
    for (int row = first; row <= last; ++row) {
        const double h = r * r - (row - y) * (row - y);
        int a = 0, b = -1;
        if (h >= 0.0) {
            a = static_cast<int>(std::ceil(x - std::sqrt(h)));
            b = static_cast<int>(std::floor(x + std::sqrt(h)));
        }
        if (row == py) {
            a = b < a ? px : std::min(a, px);
            b = std::max(b, px);
        }
        a = std::max(a, within.x0);
        b = std::min(b, within.x1() - 1);
        if (a <= b) spans.push_back({row, a, b + 1});
    }
    return spans;
}

} // namespace blendscope
