#pragma once

#include "method/Registry.h"
#include "neural/RegionTask.h"

namespace blendscope {

/// Raised when older weights no longer fit RegionNet as this method builds it.
inline constexpr int kResidualArchitecture = 1;

/// The network that a card's "network" describes. Throws UsageError.
[[nodiscard]] RegionNet buildResidualNet(const QJsonObject& network);

/// Training of residual_mask_rcnn. Recipe as RegionTask's, and "first_pass": {"detector", "deblender", "hide":
/// probability that one detected peak of a blend is taken out before the first pass models it, so that there is
/// more to be found}, "network": {"features"}, "targets": {"least_snr"}, "training" (Trainer).
class ResidualTask final : public RegionTask {
public:
    /// Throws UsageError that names the key.
    explicit ResidualTask(const QJsonObject& recipe);

    [[nodiscard]] QString method() const override { return QStringLiteral("residual_mask_rcnn"); }
    [[nodiscard]] int architecture() const override { return kResidualArchitecture; }
    [[nodiscard]] Preprocessing preprocessing() const override;
    [[nodiscard]] QJsonObject card() const override;
    [[nodiscard]] std::shared_ptr<torch::nn::Module> build() const override;
    [[nodiscard]] Tensors sample(Split split, std::int64_t index) const override;
    [[nodiscard]] QMap<QString, double> validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                                 const torch::Device& device) const override;

private:
    [[nodiscard]] RegionScoreOptions scoring() const override;

    Registry m_registry;
    QString m_detector, m_deblender;
    double m_hide = 0.4;
};

/// A stamp as a scene, for methods that want one.
[[nodiscard]] Scene sceneOf(const TrainingStamp& stamp);

} // namespace blendscope
