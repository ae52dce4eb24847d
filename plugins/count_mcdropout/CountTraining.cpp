#include "CountTask.h"
#include "Recipe.h"
#include "neural/Trainer.h"

namespace blendscope {

/// See README.md.
class CountTraining final : public TrainableMethod {
public:
    QJsonObject defaultRecipe() const override { return QJsonDocument::fromJson(kRecipe).object(); }

    TrainingOutcome train(const TrainingRequest& request, TrainingContext& context) override {
        const QJsonObject recipe = completeRecipe(defaultRecipe(), request.recipe);
        return trainNetwork(CountTask(recipe), recipe, request, context);
    }
};

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::CountTraining)
