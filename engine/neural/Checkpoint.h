#pragma once

#include "method/Training.h"
#include "neural/Tensors.h"

#include <QJsonObject>
#include <vector>

namespace blendscope {

/// All that training needs to go on as if it had never stopped: one safetensors file, replaced by renaming, so that a
/// kill at any moment leaves the last whole one.
struct Checkpoint {
    QString method;
    int architecture = 0;
    QJsonObject network;
    QJsonObject recipe;
    long long step = 0;
    double seconds = 0.0; ///< of training
    bool hasBest = false;
    double best = 0.0; ///< headline of the best weights
    long long bestStep = 0;
    int sinceBest = 0;     ///< validations
    bool finished = false; ///< ended by its own rules
    std::vector<TrainingPoint> curves;
    QMap<QString, double> sum;                        ///< of the losses since the last point of the curves
    int summed = 0;                                   ///< steps in it
    Tensors weights, average, bestWeights, optimizer; ///< average: empty without EMA

    /// The checkpoint's file in a model folder.
    [[nodiscard]] static QString path(const QString& folder);
    /// Throws WriteError.
    void write(const QString& folder) const;
    /// Throws UsageError where there is none, ReadError where it is damaged, MethodError where it belongs to another
    /// method, another version of its network, or a network of another size; the sentence says which.
    [[nodiscard]] static Checkpoint read(const QString& folder, const QString& method, int architecture,
                                         const QJsonObject& network);
};

/// curves.csv: a row a point; columns step, seconds, set (training or validation), then every value. Throws WriteError.
void writeCurves(const QString& path, const std::vector<TrainingPoint>& curves);

} // namespace blendscope
