#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "judge/Judgement.h"
#include "method/Pipeline.h"

#include <optional>

namespace blendscope {

class Progress;

/// How a result is judged.
struct JudgeOptions {
    /// The detector that looks at each object alone; nothing = the pipeline of the result, as it was run.
    std::optional<Pipeline> pipeline;
    /// Further noise realisations, for outcome probabilities; drawn from the variance plane and the objects' own
    /// Poisson noise, blend and isolated runs alike.
    int realisations = 0;
    std::uint64_t seed = 1;
    /// False: objects that are not in the truth exist (injections into a real scene). Detections away from truth are
    /// then unknown, not spurious, and each object alone stands in noise that is drawn, since the image holds the
    /// others. Nothing = found out: not complete where all truth is marked as injected, or where there is still
    /// something to detect without the true objects.
    std::optional<bool> complete;
    /// True objects whose noiseless S/N is below this are invisible and count nowhere.
    double leastSnr = 1.0;
    int threads = 0; ///< 0 = all
    QString device = QStringLiteral("auto");

    /// How objects are seen alone. Together: those out of each other's reach share a scene, as few scenes as possible.
    /// Each: a whole scene for every object, exact and slow; for checking.
    enum class Isolation { Together, Each };
    Isolation isolation = Isolation::Together;
};

/// Judges the detections of `result` against the truth of `scene`: finds out, with the result's own detector, sky,
/// noise map and band weights, which objects would be detected if each stood alone in the same noise (its isolated
/// image plus the image without all objects), and says what became of every object, detection and blend. Isolated
/// images come from the scene's file where it has them, else they are rendered from the truth table; bands that have
/// neither are left out, and the notes say so. Same judgement for any number of threads. A scene without detections or
/// without usable truth gives a judgement that says so. Throws UsageError (no truth; a pipeline that is not installed
/// or does not detect), ReadError, MethodError, CancelledError.
[[nodiscard]] Judgement judge(const Scene& scene, const Result& result, const Registry& registry, Progress& progress,
                              const JudgeOptions& options = {});

} // namespace blendscope
