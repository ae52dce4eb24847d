#include "judge/SuspectedJudgement.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace blendscope {

Judgement suspectedJudgement(const Result& result, const std::vector<Suspicion>& suspicions,
                             std::vector<std::vector<int>>* evidence) {
    std::vector<int> order(suspicions.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return suspicions[std::size_t(a)].strength > suspicions[std::size_t(b)].strength;
    });
    Judgement j;
    j.sceneId = result.sceneId;
    j.bands = result.bands;
    j.pipeline = result.pipeline;
    std::vector<std::vector<int>> rows;
    std::map<int, std::size_t> groupOf; // by blend of the result
    std::map<int, DetectionVerdict> detections;
    for (const int row : order) {
        const Suspicion& s = suspicions[std::size_t(row)];
        std::size_t g = j.blends.size();
        if (const auto it = groupOf.find(s.blend); s.blend > 0 && it != groupOf.end()) {
            g = it->second;
        } else {
            BlendVerdict group;
            group.id = int(g) + 1;
            group.outcome = s.outcome;
            const Blend* blend = s.blend > 0 ? result.blend(s.blend) : nullptr;
            group.box = blend ? blend->box : s.box;
            group.detections = blend ? blend->objects : s.detections;
            group.nBlend = int(group.detections.size());
            j.blends.push_back(std::move(group));
            rows.emplace_back();
            if (s.blend > 0) groupOf[s.blend] = g;
        }
        BlendVerdict& group = j.blends[g];
        group.box = group.box.united(s.box);
        rows[g].push_back(row);
        if (s.outcome != group.outcome &&
            std::find(group.also.begin(), group.also.end(), s.outcome) == group.also.end()) {
            group.also.push_back(s.outcome);
        }
        for (const int id : s.detections) {
            DetectionVerdict& d = detections[id];
            if (d.id == 0) {
                d.id = id;
                d.outcome = s.outcome;
            }
            if (!d.words.isEmpty()) d.words += QLatin1Char(' ');
            d.words += s.words;
        }
    }
    for (const BlendVerdict& group : j.blends) {
        for (const int id : group.detections) {
            const Object* o = result.object(id);
            DetectionVerdict& d = detections[id];
            d.id = id;
            d.blend = group.id;
            d.x = o ? o->x : 0.0;
            d.y = o ? o->y : 0.0;
        }
    }
    for (auto& [id, d] : detections) {
        if (d.blend > 0) j.detections.push_back(std::move(d));
    }
    if (evidence) *evidence = std::move(rows);
    return j;
}

} // namespace blendscope
