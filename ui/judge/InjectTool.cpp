#include "judge/InjectTool.h"

#include "core/Error.h"
#include "judge/Judge.h"
#include "simulate/Injector.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kRegion = 400;    ///< side of what is detected on around the object, pixel
constexpr int kMostWhole = 640; ///< scenes up to this are taken whole
constexpr std::uint64_t kSeed = 1;

PlanePtr cut(const PlanePtr& plane, const Box& box) {
    return plane ? std::make_shared<MemoryPlane>(plane->read(box).clone()) : nullptr;
}

/// A part of a scene as a scene of its own; the truth is the one object, alone.
std::shared_ptr<Scene> around(const Scene& scene, const Box& box, std::size_t truthRow) {
    auto part = std::make_shared<Scene>();
    part->id = scene.id;
    part->size = box.size();
    part->pixelScale = scene.pixelScale;
    for (const Band& band : scene.bands) {
        Band b = band;
        b.image = cut(band.image, box);
        b.variance = cut(band.variance, box);
        b.mask = cut(band.mask, box);
        part->bands.push_back(std::move(b));
    }
    part->footprintMask = cut(scene.footprintMask, box);
    Truth truth;
    TruthObject object = scene.truth->objects[truthRow];
    object.x -= box.x0;
    object.y -= box.y0;
    truth.objects.push_back(object);
    for (const auto& band : scene.truth->isolated) {
        truth.isolated.push_back({truthRow < band.size() ? cut(band[truthRow], box) : nullptr});
    }
    const bool whole = std::all_of(truth.isolated.begin(), truth.isolated.end(),
                                   [](const std::vector<PlanePtr>& planes) { return planes.front() != nullptr; });
    if (!whole) truth.isolated.clear();
    part->truth = std::move(truth);
    return part;
}

/// What finds objects: the stages that detect, or all where rounds on the residual or a later stage add objects too, as
/// the result shown says by having more than were detected.
Pipeline finderOf(const Pipeline& pipeline, const Registry& registry, const Result* shown) {
    std::size_t peaks = 0;
    for (std::size_t i = 0; shown && i < shown->footprints.size(); ++i) {
        peaks += shown->footprints[i].peaks.size();
    }
    const bool adds =
        pipeline.residualIterations > 0 || (shown && !shown->objects.empty() && shown->objects.size() != peaks);
    Pipeline detect;
    for (const Pipeline::Stage& stage : pipeline.stages) {
        const MethodInfo* info = registry.find(stage.method);
        if (info && info->does(QStringLiteral("detect"))) detect.stages.push_back(stage);
    }
    if (detect.stages.empty()) return Pipeline::parse(QStringLiteral("threshold"));
    return adds ? pipeline : detect;
}

/// The sky of a scene as a part of it sees it.
class SkyOfPart final : public SkyModel {
public:
    SkyOfPart(SkyModelPtr whole, const Box& part) : m_whole(std::move(whole)), m_part(part) {}
    [[nodiscard]] cv::Mat level(const Box& box) const override {
        return m_whole->level(box.shifted(m_part.x0, m_part.y0));
    }
    [[nodiscard]] cv::Mat rms(const Box& box) const override { return m_whole->rms(box.shifted(m_part.x0, m_part.y0)); }
    [[nodiscard]] bool isZero() const override { return m_whole->isZero(); }

private:
    SkyModelPtr m_whole;
    Box m_part;
};

/// The sky, the noise and the weights of bands that a result went by: one object more does not change them, and a part
/// of the scene must not measure others.
RunOptions conditionsOf(const Scene& scene, const Result* result, const Box& part) {
    RunOptions options;
    if (!result || result->bands != scene.bandNames()) return options;
    options.conditions = result->conditions;
    if (result->sky.size() != scene.bands.size()) return options;
    for (const SkyModelPtr& sky : result->sky) {
        if (!sky) return {};
        options.sky.push_back(std::make_shared<SkyOfPart>(sky, part));
    }
    return options;
}

InjectTool::Answer ask(const ScenePtr& scene, const ResultPtr& shown, QPointF at, const InjectTool::Wish& wish,
                       const Pipeline& pipeline, const Registry& registry, Progress& progress) {
    InjectTool::Answer answer;
    answer.at = at;
    // Only the new object is asked about: what was known before needs no drawing.
    auto bare = std::make_shared<Scene>(*scene);
    bare->truth.reset();
    const Injector injector{ScenePtr(bare)};
    Galaxy galaxy;
    if (wish.kind == InjectTool::Kind::Star) {
        galaxy = injector.star(wish.magnitude, at.x(), at.y(), kSeed);
    } else {
        Population::Wish w;
        w.magnitude = wish.magnitude;
        w.hlrArcsec = wish.hlrArcsec;
        w.axisRatio = wish.axisRatio;
        w.angle = wish.angle;
        w.type = wish.kind == InjectTool::Kind::Young ? 0.1 : 0.95;
        w.redshift = wish.kind == InjectTool::Kind::Young ? 0.6 : 0.4;
        w.bulge = wish.kind == InjectTool::Kind::Young ? 0.0 : 0.8;
        galaxy = injector.galaxy(w, at.x(), at.y(), kSeed);
    }
    answer.scene = injector.inject({galaxy}, kSeed, 0, &progress);
    progress.check();
    if (!answer.scene->truth || answer.scene->truth->objects.empty())
        throw UsageError(QStringLiteral("The object lies outside the scene."));

    Box box = scene->box();
    if (std::max(box.width, box.height) > kMostWhole) {
        const int x = int(std::lround(at.x())), y = int(std::lround(at.y()));
        box = Box{x - kRegion / 2, y - kRegion / 2, kRegion, kRegion}.intersected(box);
    }
    const std::shared_ptr<Scene> part = around(*answer.scene, box, answer.scene->truth->objects.size() - 1);
    const ResultPtr result = runPipeline(*part, finderOf(pipeline, registry, shown.get()), registry, progress,
                                         conditionsOf(*scene, shown.get(), box));
    progress.check();
    JudgeOptions options;
    options.complete = false;
    const Judgement judgement = judge(*part, *result, registry, progress, options);
    const int id = part->truth->objects.front().id;
    const TruthVerdict* verdict = judgement.object(id);
    if (!verdict) throw UsageError(QStringLiteral("The object could not be judged here."));
    answer.known = true;
    answer.verdict = *verdict;
    answer.verdict.x += box.x0;
    answer.verdict.y += box.y0;
    const BlendVerdict* blend = judgement.blend(verdict->blend);
    answer.box = (blend ? blend->box : Box{int(verdict->x) - 5, int(verdict->y) - 5, 11, 11}).shifted(box.x0, box.y0);
    answer.words = verdict->words;
    if (blend && blend->isBlend()) answer.words += QLatin1Char(' ') + blend->words;
    return answer;
}

} // namespace

InjectTool::InjectTool(Document* document, QObject* parent) : QObject(parent), m_document(document) {
    connect(m_document, &Document::currentSceneChanged, this, &InjectTool::clear);
}

void InjectTool::setWish(const Wish& wish) {
    if (wish == m_wish) return;
    m_wish = wish;
    if (m_at) start();
}

void InjectTool::place(QPointF at) {
    m_at = at;
    start();
}

void InjectTool::clear() {
    ++m_request;
    if (m_job) m_job->cancel();
    m_job.reset();
    m_at.reset();
    m_answer.reset();
    m_problem.clear();
    Q_EMIT changed();
}

void InjectTool::keep() {
    if (m_answer && m_answer->scene) m_document->addScene(m_answer->scene);
}

void InjectTool::start() {
    const ScenePtr scene = m_document->scene();
    const auto registry = m_document->registry();
    if (!scene || !registry || !m_at) return;
    if (m_job) m_job->cancel();
    m_problem.clear();
    const int request = ++m_request;
    // The result shown is what the object would be in; without one, what would be run now.
    const ResultEntry* entry = m_document->currentResult();
    const ResultPtr shown =
        entry && entry->result && entry->result->complete && !entry->running ? entry->result : nullptr;
    Pipeline pipeline = m_pipeline;
    if (shown && !shown->pipeline.isEmpty()) {
        try {
            pipeline = Pipeline::fromJson(shown->pipeline);
        } catch (const Error&) {
            // A result of another program.
        }
    }
    auto made = std::make_shared<Answer>();
    const int resultId = shown ? entry->id : -1;
    m_job = m_document->start(
        tr("Injecting an object"),
        [made, scene, shown, registry, at = *m_at, wish = m_wish, pipeline](Progress& progress) {
            *made = ask(scene, shown, at, wish, pipeline, *registry, progress);
        },
        [this, made, request, resultId](const Job& job) {
            if (request != m_request) return; // a newer place was asked for
            m_job.reset();
            m_answer.reset();
            if (job.state() == Job::State::Finished) {
                m_answer = std::move(*made);
                m_answer->resultId = resultId;
            }
            if (job.state() == Job::State::Failed) m_problem = job.error();
            Q_EMIT changed();
            if (m_answer) Q_EMIT answered();
        });
    Q_EMIT changed();
}

} // namespace blendscope
