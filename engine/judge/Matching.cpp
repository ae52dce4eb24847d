#include "judge/Matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// A cell for every point at most: sparse points far apart must not ask for the memory of the area between them.
constexpr double kCellsPerPoint = 4.0;

bool finite(const PixelPosition& p) {
    return std::isfinite(p.x) && std::isfinite(p.y);
}

struct Pair {
    double distance;
    int truth, detection;
};

std::vector<Pair> pairsWithin(const std::vector<PixelPosition>& truths, const std::vector<PixelPosition>& detections,
                              double radius) {
    std::vector<Pair> pairs;
    if (!(radius >= 0.0)) return pairs;
    const PointGrid grid(detections, radius);
    for (size_t t = 0; t < truths.size(); ++t) {
        if (!finite(truths[t])) continue;
        for (const PointGrid::Hit& hit : grid.within(truths[t].x, truths[t].y, radius)) {
            pairs.push_back({hit.distance, static_cast<int>(t), hit.index});
        }
    }
    return pairs;
}

int rootOf(std::vector<int>& parent, int i) {
    while (parent[static_cast<size_t>(i)] != i) {
        parent[static_cast<size_t>(i)] = parent[static_cast<size_t>(parent[static_cast<size_t>(i)])];
        i = parent[static_cast<size_t>(i)];
    }
    return i;
}

void unite(std::vector<int>& parent, int a, int b) {
    const int ra = rootOf(parent, a), rb = rootOf(parent, b);
    parent[static_cast<size_t>(std::max(ra, rb))] = std::min(ra, rb);
}

/// Assignment of least cost of rows to columns (rows <= columns): column per row.
std::vector<int> assign(const std::vector<std::vector<double>>& cost) {
    const size_t n = cost.size(), m = n ? cost.front().size() : 0;
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::vector<double> u(n + 1, 0.0), v(m + 1, 0.0);
    std::vector<size_t> row(m + 1, 0), way(m + 1, 0);
    for (size_t i = 1; i <= n; ++i) {
        row[0] = i;
        size_t j0 = 0;
        std::vector<double> least(m + 1, inf);
        std::vector<char> used(m + 1, 0);
        do {
            used[j0] = 1;
            const size_t i0 = row[j0];
            double delta = inf;
            size_t j1 = 0;
            for (size_t j = 1; j <= m; ++j) {
                if (used[j]) continue;
                const double reduced = cost[i0 - 1][j - 1] - u[i0] - v[j];
                if (reduced < least[j]) {
                    least[j] = reduced;
                    way[j] = j0;
                }
                if (least[j] < delta) {
                    delta = least[j];
                    j1 = j;
                }
            }
            for (size_t j = 0; j <= m; ++j) {
                if (used[j]) {
                    u[row[j]] += delta;
                    v[j] -= delta;
                } else {
                    least[j] -= delta;
                }
            }
            j0 = j1;
        } while (row[j0] != 0);
        do {
            const size_t j1 = way[j0];
            row[j0] = row[j1];
            j0 = j1;
        } while (j0 != 0);
    }
    std::vector<int> column(n, -1);
    for (size_t j = 1; j <= m; ++j) {
        if (row[j] > 0) column[row[j] - 1] = static_cast<int>(j) - 1;
    }
    return column;
}

} // namespace

struct PointGrid::State {
    std::vector<PixelPosition> points;
    double x0 = 0.0, y0 = 0.0, cell = 1.0;
    int columns = 0, rows = 0;
    std::vector<int> start, order; // points of cell c: order[start[c]] .. order[start[c + 1] - 1], by index

    [[nodiscard]] int column(double x) const {
        return static_cast<int>(std::clamp(std::floor((x - x0) / cell), -1.0, double(columns)));
    }
    [[nodiscard]] int row(double y) const {
        return static_cast<int>(std::clamp(std::floor((y - y0) / cell), -1.0, double(rows)));
    }

    template <typename Visit>
    void around(double x, double y, double radius, Visit visit) const {
        if (columns == 0 || !std::isfinite(x) || !std::isfinite(y) || !(radius >= 0.0)) return;
        const int c0 = std::max(0, column(x - radius)), c1 = std::min(columns - 1, column(x + radius));
        const int r0 = std::max(0, row(y - radius)), r1 = std::min(rows - 1, row(y + radius));
        for (int r = r0; r <= r1; ++r) {
            for (int c = c0; c <= c1; ++c) {
                const auto k = static_cast<size_t>(r) * static_cast<size_t>(columns) + static_cast<size_t>(c);
                for (int i = start[k]; i < start[k + 1]; ++i) {
                    const int p = order[static_cast<size_t>(i)];
                    const PixelPosition& q = points[static_cast<size_t>(p)];
                    const double d = std::hypot(q.x - x, q.y - y);
                    if (d <= radius) visit(p, d);
                }
            }
        }
    }
};

PointGrid::PointGrid(const std::vector<PixelPosition>& points, double cell) : m_state(std::make_unique<State>()) {
    State& s = *m_state;
    s.points = points;
    constexpr double inf = std::numeric_limits<double>::infinity();
    double x1 = -inf, y1 = -inf;
    s.x0 = s.y0 = inf;
    size_t count = 0;
    for (const PixelPosition& p : points) {
        if (!finite(p)) continue;
        ++count;
        s.x0 = std::min(s.x0, p.x);
        s.y0 = std::min(s.y0, p.y);
        x1 = std::max(x1, p.x);
        y1 = std::max(y1, p.y);
    }
    if (count == 0) return;
    const double most = std::max(64.0, kCellsPerPoint * static_cast<double>(count));
    s.cell = std::isfinite(cell) && cell > 1e-6 ? cell : 1.0;
    while ((std::floor((x1 - s.x0) / s.cell) + 1.0) * (std::floor((y1 - s.y0) / s.cell) + 1.0) > most) {
        s.cell *= 2.0;
    }
    s.columns = static_cast<int>(std::floor((x1 - s.x0) / s.cell)) + 1;
    s.rows = static_cast<int>(std::floor((y1 - s.y0) / s.cell)) + 1;
    s.start.assign(static_cast<size_t>(s.columns) * static_cast<size_t>(s.rows) + 1, 0);
    const auto cellOf = [&](const PixelPosition& p) {
        return static_cast<size_t>(std::min(s.row(p.y), s.rows - 1)) * static_cast<size_t>(s.columns) +
               static_cast<size_t>(std::min(s.column(p.x), s.columns - 1));
    };
    for (const PixelPosition& p : points) {
        if (finite(p)) ++s.start[cellOf(p) + 1];
    }
    std::partial_sum(s.start.begin(), s.start.end(), s.start.begin());
    s.order.resize(count);
    std::vector<int> next(s.start.begin(), s.start.end() - 1);
    for (size_t i = 0; i < points.size(); ++i) {
        if (finite(points[i])) s.order[static_cast<size_t>(next[cellOf(points[i])]++)] = static_cast<int>(i);
    }
}

PointGrid::~PointGrid() = default;

std::vector<PointGrid::Hit> PointGrid::within(double x, double y, double radius) const {
    std::vector<Hit> hits;
    m_state->around(x, y, radius, [&](int index, double distance) { hits.push_back({index, distance}); });
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.index < b.index; });
    return hits;
}

PointGrid::Hit PointGrid::nearest(double x, double y, double radius, int except) const {
    Hit best;
    const auto visit = [&](int index, double distance) {
        if (index == except) return;
        if (best.index < 0 || distance < best.distance || (distance == best.distance && index < best.index)) {
            best = {index, distance};
        }
    };
    // Growing circles: most points have a neighbour in the next cell, whatever the radius allows.
    for (double r = std::min(radius, m_state->cell);; r = std::min(radius, 2.0 * r)) {
        m_state->around(x, y, r, visit);
        if (best.index >= 0 || !(r < radius)) return best;
    }
}

int Matches::count() const {
    return static_cast<int>(std::count_if(partner.begin(), partner.end(), [](int p) { return p >= 0; }));
}

Matches matchNearestFirst(const std::vector<PixelPosition>& truths, const std::vector<PixelPosition>& detections,
                          double radius) {
    Matches out{std::vector<int>(truths.size(), -1), std::vector<double>(truths.size(), kNone)};
    std::vector<Pair> pairs = pairsWithin(truths, detections, radius);
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
    std::vector<char> taken(detections.size(), 0);
    for (const Pair& p : pairs) {
        const auto t = static_cast<size_t>(p.truth), d = static_cast<size_t>(p.detection);
        if (out.partner[t] >= 0 || taken[d]) continue;
        out.partner[t] = p.detection;
        out.distance[t] = p.distance;
        taken[d] = 1;
    }
    return out;
}

Matches matchHungarian(const std::vector<PixelPosition>& truths, const std::vector<PixelPosition>& detections,
                       double radius) {
    Matches out{std::vector<int>(truths.size(), -1), std::vector<double>(truths.size(), kNone)};
    const std::vector<Pair> pairs = pairsWithin(truths, detections, radius);
    const int shift = static_cast<int>(truths.size());
    std::vector<int> parent(truths.size() + detections.size());
    std::iota(parent.begin(), parent.end(), 0);
    for (const Pair& p : pairs) {
        unite(parent, p.truth, shift + p.detection);
    }
    std::vector<std::vector<const Pair*>> groups(parent.size());
    for (const Pair& p : pairs) {
        groups[static_cast<size_t>(rootOf(parent, p.truth))].push_back(&p);
    }
    for (const auto& group : groups) {
        if (group.empty()) continue;
        std::vector<int> t, d;
        for (const Pair* p : group) {
            t.push_back(p->truth);
            d.push_back(p->detection);
        }
        for (std::vector<int>* v : {&t, &d}) {
            std::sort(v->begin(), v->end());
            v->erase(std::unique(v->begin(), v->end()), v->end());
        }
        // A pair that is too far apart costs more than any set of allowed ones: it is used only where nothing else is.
        const double far = 2.0 * (radius + 1.0) * static_cast<double>(t.size() + d.size());
        const bool turned = t.size() > d.size();
        std::vector<std::vector<double>> cost(turned ? d.size() : t.size(),
                                              std::vector<double>(turned ? t.size() : d.size(), far));
        for (const Pair* p : group) {
            const auto a = static_cast<size_t>(std::lower_bound(t.begin(), t.end(), p->truth) - t.begin());
            const auto b = static_cast<size_t>(std::lower_bound(d.begin(), d.end(), p->detection) - d.begin());
            (turned ? cost[b][a] : cost[a][b]) = p->distance;
        }
        const std::vector<int> columns = assign(cost);
        for (size_t r = 0; r < columns.size(); ++r) {
            const auto c = static_cast<size_t>(columns[r]);
            if (cost[r][c] >= far) continue;
            const int truth = turned ? t[c] : t[r];
            out.partner[static_cast<size_t>(truth)] = turned ? d[r] : d[c];
            out.distance[static_cast<size_t>(truth)] = cost[r][c];
        }
    }
    return out;
}

std::vector<int> friendsOfFriends(const std::vector<PixelPosition>& points, double link) {
    std::vector<int> parent(points.size());
    std::iota(parent.begin(), parent.end(), 0);
    const PointGrid grid(points, link);
    for (size_t i = 0; i < points.size(); ++i) {
        for (const PointGrid::Hit& hit : grid.within(points[i].x, points[i].y, link)) {
            unite(parent, static_cast<int>(i), hit.index);
        }
    }
    std::vector<int> label(points.size(), -1), ofRoot(points.size(), -1);
    int next = 0;
    for (size_t i = 0; i < points.size(); ++i) {
        int& l = ofRoot[static_cast<size_t>(rootOf(parent, static_cast<int>(i)))];
        if (l < 0) l = next++;
        label[i] = l;
    }
    return label;
}

} // namespace blendscope
