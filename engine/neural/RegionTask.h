#pragma once

#include "neural/RegionDetector.h"
#include "neural/RegionSample.h"
#include "neural/RegionScore.h"
#include "neural/TrainingData.h"
#include "neural/TrainingTask.h"

namespace blendscope {

/// What trainings of a RegionNet share. Recipe: "data" (TrainingData), "network", "targets" ("least_snr": objects below
/// are not asked for; "centre_sigma", "extent_sigma": RegionSampleOptions), "training" (Trainer).
class RegionTask : public TrainingTask {
public:
    [[nodiscard]] QJsonObject network() const override { return m_network; }
    [[nodiscard]] Preprocessing preprocessing() const override;
    [[nodiscard]] Tensors collate(const std::vector<Tensors>& samples) const override;
    /// Without masks where the network has none.
    [[nodiscard]] Loss loss(torch::nn::Module& network, const Tensors& batch) const override;
    /// Metrics of RegionScore.
    [[nodiscard]] QMap<QString, double> validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                                 const torch::Device& device) const override;
    [[nodiscard]] QString headline() const override { return QStringLiteral("ap"); }
    [[nodiscard]] bool higherIsBetter() const override { return true; }

protected:
    /// `keys`: of the recipe, besides those above; `targetKeys`: which of "targets" it knows. Throws UsageError that
    /// names the key.
    RegionTask(const QJsonObject& recipe, const QStringList& keys, const QStringList& targetKeys);

    /// LibTorch holds modules by shared pointers; this one belongs to the trainer. Throws UsageError for another kind.
    [[nodiscard]] static RegionNet borrowed(torch::nn::Module& network);
    /// Detections in each image of a batch.
    [[nodiscard]] static std::vector<std::vector<RegionDetection>> detect(RegionNet& net, const Tensors& batch,
                                                                          const RegionDetectorOptions& options);
    [[nodiscard]] virtual RegionScoreOptions scoring() const { return {}; }

    QJsonObject m_network;
    std::uint64_t m_seed; ///< the recipe's "training.seed"
    RegionSampleOptions m_targets;
    TrainingData m_data;
};

/// A number of channels of a recipe's "network", from 4 to 1024. Throws UsageError.
[[nodiscard]] int channelsOf(const QJsonObject& network, const char* key, int otherwise);

} // namespace blendscope
