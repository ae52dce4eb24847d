#include "neural/FloatBox.h"

#include "core/Error.h"

#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace blendscope {

namespace {

std::vector<int> bestFirst(const std::vector<float>& scores) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
    return order;
}

} // namespace

float intersectionOverUnion(const FloatBox& a, const FloatBox& b) {
    const float w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0), h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    if (!(w > 0.0f) || !(h > 0.0f)) return 0.0f;
    const float both = w * h, either = a.area() + b.area() - both;
    return either > 0.0f ? both / either : 0.0f;
}

std::vector<int> suppressOverlaps(const std::vector<FloatBox>& boxes, const std::vector<float>& scores, float most) {
    if (boxes.size() != scores.size())
        throw UsageError(QStringLiteral("%1 boxes have %2 scores").arg(boxes.size()).arg(scores.size()));
    std::vector<int> kept;
    for (const int i : bestFirst(scores)) {
        const bool covered = std::any_of(kept.begin(), kept.end(),
                                         [&](int k) { return intersectionOverUnion(boxes[i], boxes[k]) > most; });
        if (!covered) kept.push_back(i);
    }
    return kept;
}

std::vector<int> suppressNear(const std::vector<float>& x, const std::vector<float>& y,
                              const std::vector<float>& scores, float radius) {
    if (x.size() != scores.size() || y.size() != scores.size())
        throw UsageError(QStringLiteral("%1 points have %2 scores").arg(x.size()).arg(scores.size()));
    if (!(radius > 0.0f)) return bestFirst(scores);
    // Kept points by cell of the radius: each candidate looks at nine cells only.
    std::map<std::pair<int, int>, std::vector<int>> cells;
    const auto cell = [&](float v) { return static_cast<int>(std::floor(v / radius)); };
    std::vector<int> kept;
    for (const int i : bestFirst(scores)) {
        const int cx = cell(x[i]), cy = cell(y[i]);
        bool covered = false;
        for (int dy = -1; dy <= 1 && !covered; ++dy) {
            for (int dx = -1; dx <= 1 && !covered; ++dx) {
                const auto it = cells.find({cx + dx, cy + dy});
                if (it == cells.end()) continue;
                covered = std::any_of(it->second.begin(), it->second.end(),
                                      [&](int k) { return std::hypot(x[i] - x[k], y[i] - y[k]) < radius; });
            }
        }
        if (covered) continue;
        cells[{cx, cy}].push_back(i);
        kept.push_back(i);
    }
    return kept;
}

} // namespace blendscope
