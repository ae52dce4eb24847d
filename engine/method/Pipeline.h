#pragma once

#include "method/Registry.h"

#include <QJsonObject>

namespace blendscope {

/// Stages of methods as data: what was run, so that it can be run again.
struct Pipeline {
    struct Stage {
        QString method;
        QJsonObject parameters; ///< only what differs from the defaults
    };
    std::vector<Stage> stages;
    int residualIterations = 0; ///< rounds of: detect on data minus model, merge, deblend again

    /// "threshold+factorize", a JSON text, or the path of a JSON file. Throws UsageError.
    [[nodiscard]] static Pipeline parse(const QString& text);
    /// {"stages": [{"method": "threshold", "parameters": {}}], "residual_iterations": 0}
    [[nodiscard]] static Pipeline fromJson(const QJsonObject& json);
    [[nodiscard]] QJsonObject toJson() const;
    [[nodiscard]] QString name() const; ///< "threshold+factorize"
    /// "factorize.MAX_ITERATIONS=50"; throws UsageError when no stage has that method.
    void set(const QString& assignment);
};

struct RunOptions {
    int threads = 0; ///< 0 = all
    QString device = QStringLiteral("auto");
    std::vector<PixelPosition> positions; ///< used if usePositions
    bool usePositions = false;
    /// Handed to the first stage, see Result: the sky and the conditions of another scene's run, for the isolated runs
    /// of judging. Empty = measured.
    std::vector<SkyModelPtr> sky;
    QJsonObject conditions;
    /// Stops after the last method that detects: footprints and peaks (and what that method fills in besides) alone.
    bool detectionOnly = false;
    /// Throttled snapshots of what is done so far, from a worker thread; may be empty.
    std::function<void(ResultPtr)> onPartial;
    double partialSeconds = 0.25; ///< least time between two snapshots
};

/// Runs a pipeline on a scene and completes the catalogue: segmentation, shares and every measurement that the methods
/// did not make themselves. When cancelled after the first stage, returns what is done with complete = false; before,
/// throws CancelledError. Same result for any number of threads. Throws UsageError, MethodError, ReadError.
[[nodiscard]] ResultPtr runPipeline(const Scene& scene, const Pipeline& pipeline, const Registry& registry,
                                    Progress& progress, const RunOptions& options = {});

} // namespace blendscope
