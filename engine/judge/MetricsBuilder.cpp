#include "judge/MetricsBuilder.h"

#include "judge/MetricPlots.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

/// Metrics of the objects that a pipeline found: two pipelines are compared on those that both found.
bool isOfFound(const QString& id) {
    for (const char* family :
         {"distance", "flux_", "pull_", "worse_", "colour_", "size_", "e1_", "e2_", "image_", "mask_iou", "pit:"}) {
        if (id.startsWith(QLatin1String(family))) return true;
    }
    return false;
}

FoundByBoth foundByBoth(const ScoredPipeline& a, const ScoredPipeline& b) {
    FoundByBoth only(a.scenes.size());
    for (size_t s = 0; s < only.size(); ++s) {
        const std::vector<TruthScore>&x = a.scenes[s].truths, &y = b.scenes[s].truths;
        only[s].assign(std::max(x.size(), y.size()), 0);
        for (size_t t = 0; t < std::min(x.size(), y.size()); ++t) {
            only[s][t] = x[t].objectId > 0 && y[t].objectId > 0;
        }
    }
    return only;
}

/// Of every metric that both have, the second pipeline's minus the first's.
void addDifferences(const ScoredSet& set, const std::vector<PipelineNumbers>& numbers, size_t k,
                    std::vector<PairedDifference>& out) {
    const FoundByBoth both = foundByBoth(set.pipelines.front(), set.pipelines[k]);
    const PipelineNumbers first = numbersOfFound(set, 0, both), second = numbersOfFound(set, k, both);
    for (const MetricValue& own : numbers[k].metrics) {
        const bool common = isOfFound(own.id);
        const MetricValue* a = (common ? first : numbers.front()).metric(own.id);
        const MetricValue* b = common ? second.metric(own.id) : &own;
        if (!a || !b) continue;
        PairedDifference d;
        d.metric = own.id;
        d.b = static_cast<int>(k);
        d.first = a->value;
        d.second = b->value;
        d.difference = d.second - d.first;
        d.common = common;
        d.count = b->count;
        if (a->replicates.size() == b->replicates.size() && !a->replicates.empty()) {
            std::vector<double> off;
            for (size_t i = 0; i < a->replicates.size(); ++i) {
                off.push_back(b->replicates[i] - a->replicates[i]);
            }
            d.error = standardDeviation(off);
            // Both at 0 or at 1: as for each alone.
            if (d.error <= kNoError && (a->value <= 0.0 || a->value >= 1.0) && std::isfinite(a->error) &&
                std::isfinite(b->error))
                d.error = std::max(a->error, b->error);
        }
        out.push_back(d);
    }
}

} // namespace

MetricsReport buildReport(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options) {
    MetricsReport report;
    report.title = options.title;
    if (pipelines.empty()) return report;
    const ScoredSet set(pipelines, options);
    report.scenes = set.scenes;
    report.band = set.band;
    report.resampled = set.resampled;
    report.notes = set.notes;
    std::vector<PipelineNumbers> numbers;
    for (size_t k = 0; k < pipelines.size(); ++k) {
        const ScoredPipeline& p = pipelines[k];
        numbers.push_back(numbersOf(set, k));
        PipelineReport r;
        r.name = p.name;
        r.definition = p.definition;
        r.seconds = p.seconds;
        r.failures = p.failures;
        r.metrics = numbers.back().metrics;
        for (size_t s = 0; s < p.scenes.size(); ++s) {
            for (const TruthScore& t : p.scenes[s].truths) {
                if (t.eligible) r.objects.push_back({static_cast<int>(s), t.truthId, t.objectId, t.group, t.x, t.y});
            }
        }
        report.pipelines.push_back(std::move(r));
    }
    report.plots = drawPlots(set, numbers, options.magnitudeBin);
    for (size_t k = 1; k < pipelines.size(); ++k) {
        addDifferences(set, numbers, k, report.differences);
    }
    return report;
}

} // namespace blendscope
