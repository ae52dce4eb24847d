#include "PhotometryTask.h"
#include "Recipe.h"
#include "neural/Trainer.h"

namespace blendscope {

/// See README.md.
class PhotometryTraining final : public TrainableMethod {
public:
    QJsonObject defaultRecipe() const override { return QJsonDocument::fromJson(kRecipe).object(); }

    TrainingOutcome train(const TrainingRequest& request, TrainingContext& context) override {
        const QJsonObject recipe = completeRecipe(defaultRecipe(), request.recipe);
        return trainNetwork(PhotometryTask(recipe), recipe, request, context);
    }
};

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::PhotometryTraining)
