#pragma once

#include "neural/RegionNet.h"
#include "neural/RegionSample.h"
#include "neural/Tensors.h"
#include "neural/TrainingData.h"
#include "neural/TrainingTask.h"

namespace blendscope {

/// Raised when older weights no longer fit RegionNet as this method builds it.
inline constexpr int kMaskRcnnArchitecture = 1;

/// The network that a card's "network" describes. Throws UsageError.
[[nodiscard]] RegionNet buildMaskRcnn(const QJsonObject& network);

/// Training of mask_rcnn. Recipe: "data" (TrainingData), "network": {"features", "mask_channels"}, "targets":
/// {"least_snr": objects below are not asked for, "centre_sigma": pixel, "extent_sigma"}, "training" (Trainer).
class MaskRcnnTask final : public TrainingTask {
public:
    /// Throws UsageError that names the key.
    explicit MaskRcnnTask(const QJsonObject& recipe);

    [[nodiscard]] QString method() const override { return QStringLiteral("mask_rcnn"); }
    [[nodiscard]] int architecture() const override { return kMaskRcnnArchitecture; }
    [[nodiscard]] QJsonObject network() const override { return m_network; }
    [[nodiscard]] Preprocessing preprocessing() const override;
    [[nodiscard]] QJsonObject card() const override;
    [[nodiscard]] std::shared_ptr<torch::nn::Module> build() const override;
    [[nodiscard]] Tensors sample(Split split, std::int64_t index) const override;
    [[nodiscard]] Tensors collate(const std::vector<Tensors>& samples) const override;
    [[nodiscard]] Loss loss(torch::nn::Module& network, const Tensors& batch) const override;
    [[nodiscard]] QMap<QString, double> validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                                 const torch::Device& device) const override;
    [[nodiscard]] QString headline() const override { return QStringLiteral("ap"); }
    [[nodiscard]] bool higherIsBetter() const override { return true; }
    [[nodiscard]] cv::Mat picture(torch::nn::Module& network, const Tensors& batch,
                                  const torch::Device& device) const override;

private:
    QJsonObject m_network;
    RegionSampleOptions m_targets;
    TrainingData m_data;
};

} // namespace blendscope
