#pragma once

#include "judge/MetricsReport.h"
#include "judge/SceneScore.h"

#include <functional>

namespace blendscope {

class Progress;

/// What a survey's data release demands of a deblender that runs unattended (J. Bosch's list for LSST): it survives
/// anything and is never worse than not deblending, its cost is known and grows no faster than the data, it works alike
/// in all conditions, it has seen much real data, and its errors are likelihoods.

/// One run, however it ended.
struct TrialRun {
    enum class End { Done, Refused, Crashed, TimedOut };
    End end = End::Done;
    ResultPtr result;               ///< null unless Done
    QString message;                ///< of refusals and crashes
    double seconds = 0.0;           ///< by the clock
    double processorSeconds = kNan; ///< of computing, all threads; NaN = not known
};
/// Runs the pipeline on a scene, on one thread, and never throws but for CancelledError; safe to call from many
/// threads. The command line runs hostile scenes in a process of their own, so that a crash is seen as one.
using TrialRunner = std::function<TrialRun(const Scene&)>;

/// Survival on hostile scenes, and the fluxes of blended objects there against those of the undeblended footprint.
[[nodiscard]] ReadinessItem assessRobustness(const TrialRunner& run, const ScoreOptions& options, Progress& progress);

/// Seconds per object, and the exponents with which the time grows with pixels and with objects, from simulated fields:
/// processor time, so that a busy machine gives the same.
[[nodiscard]] ReadinessItem assessPerformance(const TrialRunner& run, Progress& progress);

/// How far completeness and fluxes move over seeing, depth and surveys, the same galaxies drawn in each; stamps side by
/// side on all threads.
[[nodiscard]] ReadinessItem assessUniformity(const TrialRunner& run, const ScoreOptions& options, Progress& progress);

/// Real scenes that it ran on.
struct RealRun {
    QString sceneId;
    int objects = 0;
    double megapixels = 0.0; ///< all bands
    double seconds = 0.0;
    QString failure;   ///< a sentence; empty = none
    int badFluxes = 0; ///< objects without any finite flux
};
[[nodiscard]] ReadinessItem assessBattleTesting(const std::vector<RealRun>& runs);

/// Are the flux errors likelihoods? From the pulls of the report's own objects.
[[nodiscard]] ReadinessItem assessCalibration(const PipelineReport& report, const QString& band);

} // namespace blendscope
