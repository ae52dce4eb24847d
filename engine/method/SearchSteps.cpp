#include "method/SearchSteps.h"

#include "core/Error.h"
#include "deblend/JointFit.h"
#include "deblend/PsfSet.h"
#include "method/BlendCutter.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kFallbackFwhm = 3.5;  // pixel, where a PSF is unknown
constexpr double kTypicalOfFwhm = 0.4; // half-light radius of a faint galaxy
constexpr double kPositionSigma = 0.7; // pixel
constexpr double kModelEdge = 0.1;     // sky sigma at which pictures end
constexpr int kLargestRadius = 60;     // pixel, of a picture

JointSource sourceAt(const Object& object, const BlendInput& blend, double logRadius) {
    JointSource s;
    s.x = s.startX = object.peakX - blend.box.x0;
    s.y = s.startY = object.peakY - blend.box.y0;
    s.positionSigma = kPositionSigma;
    s.logRadius = logRadius;
    s.flux.assign(blend.data.size(), 0.0);
    return s;
}

ResultPtr resultOf(const Result& whole, const Blend& blend, const std::vector<int>& ids, const JointFit& fit,
                   const BlendInput& input) {
    auto r = std::make_shared<Result>();
    r->sceneId = whole.sceneId;
    r->bands = whole.bands;
    r->sky = whole.sky;
    Blend state = blend;
    state.objects = ids;
    state.candidates.clear();
    for (const Component& c : whole.components) {
        const bool own = std::find(blend.objects.begin(), blend.objects.end(), c.id) != blend.objects.end();
        if (!own && !c.box.intersected(input.box).empty()) r->components.push_back(c);
    }
    for (std::size_t k = 0; k < ids.size(); ++k) {
        if (const Object* o = whole.object(ids[k])) r->objects.push_back(*o);
        Component c;
        c.id = ids[k];
        const Box window = fit.windowTo(int(k), kModelEdge);
        c.box = window.shifted(input.box.x0, input.box.y0);
        for (std::size_t b = 0; b < input.data.size(); ++b)
            c.model.push_back(fit.render(int(k), int(b), window));
        r->components.push_back(std::move(c));
    }
    const auto byId = [](const auto& a, const auto& b) { return a.id < b.id; };
    std::sort(r->components.begin(), r->components.end(), byId);
    std::sort(r->objects.begin(), r->objects.end(), byId);
    r->blends.push_back(std::move(state));
    return r;
}

} // namespace

std::vector<SearchStep> searchSteps(const Scene& scene, const Result& result, int blendId, Progress& progress) {
    const Blend* blend = result.blend(blendId);
    if (!blend) throw UsageError(QStringLiteral("the result has no blend %1").arg(blendId));
    std::vector<SearchStep> steps;
    const Footprint* footprint = result.footprint(blendId);
    if (blend->candidates.empty() || !footprint) return steps;

    const BlendCutter cutter(scene, result);
    const BlendInput input = cutter.cut(*footprint);
    const PsfSet psf(input.psf, kFallbackFwhm);
    JointFitOptions options;
    options.leastBulge = -1.0;
    options.sizePriorMean = std::log(kTypicalOfFwhm * psf.fwhmPixels);
    options.maxRadiusPixels = kLargestRadius;
    JointFit fit(input, psf.mixtures, options, progress);

    std::vector<const SourceCandidate*> accepted;
    std::vector<int> ids;
    for (const SourceCandidate& c : blend->candidates) {
        if (c.object > 0 && result.object(c.object)) accepted.push_back(&c);
    }
    std::stable_sort(accepted.begin(), accepted.end(),
                     [](const SourceCandidate* a, const SourceCandidate* b) { return a->step < b->step; });
    for (const int id : blend->objects) {
        const auto isNew = [id](const SourceCandidate* c) { return c->object == id; };
        const Object* object = result.object(id);
        if (!object || std::any_of(accepted.begin(), accepted.end(), isNew)) continue;
        ids.push_back(id);
        fit.sources().push_back(sourceAt(*object, input, options.sizePriorMean));
    }
    fit.run();
    for (std::size_t i = 0; i <= accepted.size(); ++i) {
        SearchStep step;
        if (i > 0) {
            step.evidence = *accepted[i - 1];
            step.added = step.evidence.object;
            ids.push_back(step.added);
            fit.sources().push_back(sourceAt(*result.object(step.added), input, options.sizePriorMean));
            fit.refine(options.iterations);
            fit.settle(1);
        }
        const int from = i > 0 ? accepted[i - 1]->step : 0;
        const bool last = i == accepted.size();
        for (const SourceCandidate& c : blend->candidates) {
            if (c.object == 0 && c.step > from && (last || c.step < accepted[i]->step)) step.rejected.push_back(c);
        }
        step.objects = int(ids.size());
        step.chiSquare = fit.chiSquare();
        step.result = resultOf(result, *blend, ids, fit, input);
        steps.push_back(std::move(step));
    }
    return steps;
}

QString describe(const SearchStep& step) {
    QString words = step.objects == 1 ? QStringLiteral("One source.") : QStringLiteral("%1 sources.").arg(step.objects);
    if (step.added > 0) {
        words += QStringLiteral(" Object %1 was added: %2.").arg(step.added).arg(step.evidence.reason);
    }
    words += QStringLiteral(" Chi-square %1.").arg(step.chiSquare, 0, 'f', 0);
    for (const SourceCandidate& c : step.rejected) {
        words += QStringLiteral(" Tried at (%1, %2) and rejected: %3.")
                     .arg(c.x, 0, 'f', 1)
                     .arg(c.y, 0, 'f', 1)
                     .arg(c.reason);
    }
    return words;
}

} // namespace blendscope
