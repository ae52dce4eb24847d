#pragma once

#include "method/Training.h"
#include "neural/TrainerOptions.h"
#include "neural/TrainingTask.h"

#include <QJsonDocument>

namespace blendscope {

/// Trains a task's network: samples from worker threads, warm-up and cosine schedule, gradient clipping, averaged
/// weights, validation on a fixed set, early stop, checkpoints. Writes into request.out: checkpoint.safetensors and
/// curves.csv while it runs; weights.safetensors, card.json and README.md when it ends by its own rules.
///
/// The random numbers of a step depend on (seed, step) alone, so that a resumed run takes the steps that an
/// uninterrupted one would (bit for bit on one processor with one number of threads, unless the recipe has a time
/// budget).
///
/// `recipe` is the complete one, for the card; its "training" is read. Throws UsageError, ReadError, WriteError,
/// MethodError (diverged; a checkpoint that does not fit).
TrainingOutcome trainNetwork(const TrainingTask& task, const QJsonObject& recipe, const TrainingRequest& request,
                             TrainingContext& context);

/// The trainable side of a method whose network is described by `Task`, a TrainingTask made from a complete recipe.
template <class Task>
class TrainableNetwork final : public TrainableMethod {
public:
    /// `recipe`: JSON text of the recipe that trained the shipped model, complete.
    explicit TrainableNetwork(const char* recipe) : m_recipe(QJsonDocument::fromJson(QByteArray(recipe)).object()) {}

    [[nodiscard]] QJsonObject defaultRecipe() const override { return m_recipe; }

    TrainingOutcome train(const TrainingRequest& request, TrainingContext& context) override {
        const QJsonObject recipe = completeRecipe(m_recipe, request.recipe);
        return trainNetwork(Task(recipe), recipe, request, context);
    }

private:
    QJsonObject m_recipe;
};

} // namespace blendscope
