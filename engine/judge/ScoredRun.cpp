#include "judge/ScoredRun.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"

#include <ctime>

namespace blendscope {

namespace {

double secondsOf(ScoredRunOptions::Cost cost) {
    if (cost != ScoredRunOptions::Cost::Process) return TaskPool::processorSeconds();
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

} // namespace

ScoredRun scoredRun(const Scene& scene, const std::function<ResultPtr()>& make, const QJsonObject& pipeline,
                    const Registry& registry, Progress& progress, const ScoredRunOptions& options) {
    ScoredRun out;
    ResultPtr result;
    QString failure;
    double computing = kNan;
    try {
        const double begin = secondsOf(options.cost);
        result = make();
        progress.check();
        computing = secondsOf(options.cost) - begin;
    } catch (const CancelledError&) {
        throw;
    } catch (const Error& e) {
        failure = e.message();
        out.problems << failure;
        auto nothing = std::make_shared<Result>();
        nothing->pipeline = pipeline;
        result = nothing;
    }
    out.score = scoreScene(scene, *result, options.score);
    out.score.failure = failure;
    if (failure.isEmpty() && options.cost != ScoredRunOptions::Cost::Stages) out.score.seconds = computing;
    const std::optional<bool> own = options.complete ? options.complete : truthNamesAll(scene);
    if (own) out.score.complete = *own;
    // Outcomes ask the same detector again; other programs' catalogues have none.
    if (options.judge && scene.truth && !scene.truth->objects.empty() && !result->pipeline.isEmpty()) {
        JudgeOptions judging = *options.judge;
        if (options.complete) judging.complete = options.complete;
        try {
            addJudgement(out.score, judge(scene, *result, registry, progress, judging));
        } catch (const CancelledError&) {
            throw;
        } catch (const Error& e) {
            out.problems << QStringLiteral("no outcomes: %1").arg(e.message());
        }
    }
    if (!own && !out.score.judged) out.score.complete = false;
    return out;
}

} // namespace blendscope
