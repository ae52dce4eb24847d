#pragma once

#include "core/Error.h"
#include "jobs/Progress.h"

#include <QJsonObject>
#include <QMap>
#include <QString>
#include <functional>
#include <opencv2/core.hpp>

namespace blendscope {

/// What to train, and where to.
struct TrainingRequest {
    QJsonObject recipe;  ///< as resources/manual/training.md says; what it leaves out is the method's default
    QString out;         ///< folder of the model: checkpoint, curves, and at the end weights and card
    bool resume = false; ///< go on from the checkpoint in `out`
    QString labels;      ///< file that `blend labels export` wrote; empty = none
    QString device = QStringLiteral("auto"); ///< auto | cpu | cuda[:n]
    int threads = 0;                         ///< 0 = all
    QString folder;                          ///< the method's own, with its shipped model; set by the host
};

/// One point of the curves: a training loss (mean since the last point) or the metrics of one validation.
struct TrainingPoint {
    long long step = 0;
    double seconds = 0.0; ///< of training so far, earlier runs included
    bool validation = false;
    QMap<QString, double> values; ///< "loss", its parts, "learning_rate"; or metrics by name
};

/// What training may use. Owned by the host, valid during train(). Callbacks come from the thread of train(), may be
/// empty, and must return at once.
struct TrainingContext {
    /// Never null. Cancelling it is the stop button: training writes a checkpoint and returns within seconds.
    Progress* progress = nullptr;
    std::function<void(const TrainingPoint&)> point;
    /// A sample prediction, CV_8UC3 (red, green, blue) [y, x].
    std::function<void(const cv::Mat&)> picture;
    std::function<void(const QString&)> warn; ///< a sentence for the user
};

struct TrainingOutcome {
    bool stopped = false; ///< by the stop button: resumable; no new model was written
    long long steps = 0;
    double seconds = 0.0;
    QMap<QString, double> metrics; ///< of the best weights
    QString headline;              ///< which metric decides
};

/// A method that can be trained: the module's second export, beside the Method. LibTorch stays behind it.
class TrainableMethod {
public:
    virtual ~TrainableMethod() = default;
    /// The recipe that trained the shipped model, complete: every key with its value.
    [[nodiscard]] virtual QJsonObject defaultRecipe() const = 0;
    /// Throws UsageError (recipe), ReadError, WriteError, MethodError (a checkpoint of another version).
    virtual TrainingOutcome train(const TrainingRequest& request, TrainingContext& context) = 0;
};

} // namespace blendscope

/// Put once in a method's source file, with a TrainableMethod's full name and arguments: makes the method trainable.
#define BLENDSCOPE_TRAINABLE(Trainable)                                                                                \
    extern "C" __attribute__((visibility("default"))) blendscope::TrainableMethod* blendscopeCreateTrainable() {       \
        return new Trainable;                                                                                          \
    }
