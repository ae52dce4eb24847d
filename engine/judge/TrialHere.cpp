#include "judge/TrialHere.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"

#include <chrono>

namespace blendscope {

TrialRun runHere(const Scene& scene, const Pipeline& pipeline, const Registry& registry, const CancelToken& token) {
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [start] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const double spent = TaskPool::processorSeconds();
    try {
        Progress progress(token);
        RunOptions options;
        options.threads = 1;
        TrialRun done;
        done.result = runPipeline(scene, pipeline, registry, progress, options);
        progress.check();
        done.processorSeconds = TaskPool::processorSeconds() - spent;
        done.seconds = seconds();
        return done;
    } catch (const CancelledError&) {
        throw;
    } catch (const Error& e) {
        TrialRun refused;
        refused.end = TrialRun::End::Refused;
        refused.message = e.message();
        refused.seconds = seconds();
        return refused;
    }
}

} // namespace blendscope
