#pragma once

#include "CountNet.h"
#include "neural/DetectedStamps.h"
#include "neural/SamplePool.h"
#include "neural/TrainingTask.h"

#include <array>
#include <memory>

namespace blendscope {

/// Trains a CountNet on simulated stamps around what a detector found in them. A sample is one footprint (sometimes a
/// random disc, so that empty areas are known) and the number of objects in it that would be detected alone: whose
/// matched-filter S/N over the stamp's bands is at least "least_snr", and whose centre lies in the area.
/// Recipe: "data" (DetectedStamps, and "discs": share of the samples with a disc, "least_snr", "per_stamp": samples of
/// one stamp, "pool": samples that training keeps and sees again, turned unless "turned" is false, 0 = endless,
/// "centred": false puts the footprint anywhere in the stamp), "preprocessing" (Preprocessing; what it leaves out is
/// countPreprocessing()), "network" ("width", "classes", "block_dropout", "head_dropout"), "seed".
class CountTask final : public TrainingTask {
public:
    /// Throws UsageError that names the key.
    explicit CountTask(const QJsonObject& recipe);

    [[nodiscard]] QString method() const override { return QStringLiteral("count_mcdropout"); }
    [[nodiscard]] int architecture() const override { return 1; }
    [[nodiscard]] QJsonObject network() const override { return m_network; }
    [[nodiscard]] Preprocessing preprocessing() const override { return m_preprocessing; }
    [[nodiscard]] QJsonObject card() const override;
    [[nodiscard]] std::shared_ptr<torch::nn::Module> build() const override;
    [[nodiscard]] Tensors sample(Split split, std::int64_t index) const override;
    [[nodiscard]] Loss loss(torch::nn::Module& network, const Tensors& batch) const override;
    [[nodiscard]] QMap<QString, double> validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                                 const torch::Device& device) const override;
    [[nodiscard]] QString headline() const override { return QStringLiteral("log_score"); }
    /// Fits the temperature.
    [[nodiscard]] QJsonObject finish(torch::nn::Module& network, const std::vector<Tensors>& validation,
                                     const torch::Device& device) const override;

private:
    [[nodiscard]] Tensors make(Split split, std::int64_t index) const;

    std::array<std::shared_ptr<const DetectedStamps>, 3> m_stamps; ///< of each Split
    mutable SamplePool m_pool;                                     ///< of training samples
    std::uint64_t m_seed;
    int m_perStamp;
    double m_discs, m_leastSnr;
    bool m_centred, m_turned;
    Preprocessing m_preprocessing;
    QJsonObject m_network;
};

/// A network from the card's or the recipe's "network". Throws UsageError.
[[nodiscard]] CountNet makeCountNet(const QJsonObject& network);

} // namespace blendscope
