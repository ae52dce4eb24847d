#pragma once

#include "neural/RegionTask.h"

namespace blendscope {

/// Raised when older weights no longer fit RegionNet as this method builds it.
inline constexpr int kMaskRcnnArchitecture = 1;

/// The network that a card's "network" describes. Throws UsageError.
[[nodiscard]] RegionNet buildMaskRcnn(const QJsonObject& network);

/// Training of mask_rcnn. Recipe as RegionTask's, "network": {"features", "mask_channels"}.
class MaskRcnnTask final : public RegionTask {
public:
    /// Throws UsageError that names the key.
    explicit MaskRcnnTask(const QJsonObject& recipe);

    [[nodiscard]] QString method() const override { return QStringLiteral("mask_rcnn"); }
    [[nodiscard]] int architecture() const override { return kMaskRcnnArchitecture; }
    [[nodiscard]] QJsonObject card() const override;
    [[nodiscard]] std::shared_ptr<torch::nn::Module> build() const override;
    [[nodiscard]] Tensors sample(Split split, std::int64_t index) const override;
    [[nodiscard]] cv::Mat picture(torch::nn::Module& network, const Tensors& batch,
                                  const torch::Device& device) const override;
};

} // namespace blendscope
