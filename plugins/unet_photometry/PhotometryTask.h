#pragma once

#include "PhotometryNet.h"
#include "neural/DetectedStamps.h"
#include "neural/SamplePool.h"
#include "neural/TrainingTask.h"

#include <array>
#include <memory>

namespace blendscope {

/// Trains a PhotometryNet on simulated stamps. A sample is one detection (or a true position with an error of a third
/// of a pixel) and the object that it stands for: the one with the most light, in S/N, at the peak, whose nearest
/// detection it is. Losses: the share (cross-entropy and misplaced light), the light without noise, the fluxes
/// (Gaussian likelihood with pulls beyond 3 counted by their logarithm, and relative error).
/// Recipe: "data" (DetectedStamps, and "true_positions": share of the samples that are centred on the truth,
/// "least_snr": of objects that are centred on, "per_stamp": samples of one stamp, "pool": samples that training keeps
/// and sees again, turned, 0 = endless), "network" ("width", "depth", "hidden"), "weights" of the losses
/// ("share", "misplaced", "light", "likelihood", "error"), "seed".
class PhotometryTask final : public TrainingTask {
public:
    static constexpr int kSide = 48; ///< pixels of a training stamp

    /// Throws UsageError that names the key.
    explicit PhotometryTask(const QJsonObject& recipe);

    [[nodiscard]] QString method() const override { return QStringLiteral("unet_photometry"); }
    [[nodiscard]] int architecture() const override { return 1; }
    [[nodiscard]] QJsonObject network() const override { return m_network; }
    [[nodiscard]] Preprocessing preprocessing() const override { return m_preprocessing; }
    [[nodiscard]] QJsonObject card() const override;
    [[nodiscard]] std::shared_ptr<torch::nn::Module> build() const override;
    [[nodiscard]] Tensors sample(Split split, std::int64_t index) const override;
    [[nodiscard]] Loss loss(torch::nn::Module& network, const Tensors& batch) const override;
    [[nodiscard]] QMap<QString, double> validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                                 const torch::Device& device) const override;
    [[nodiscard]] QString headline() const override { return QStringLiteral("flux_error"); }
    /// Fits the factor on the errors.
    [[nodiscard]] QJsonObject finish(torch::nn::Module& network, const std::vector<Tensors>& validation,
                                     const torch::Device& device) const override;
    [[nodiscard]] cv::Mat picture(torch::nn::Module& network, const Tensors& batch,
                                  const torch::Device& device) const override;

private:
    struct Target {
        PixelPosition own;
        std::vector<PixelPosition> others;
        int object = -1;
    };
    [[nodiscard]] Target choose(const DetectedStamp& stamp, class Random& random) const;

    [[nodiscard]] Tensors make(Split split, std::int64_t index) const;

    std::array<std::shared_ptr<const DetectedStamps>, 3> m_stamps; ///< of each Split
    mutable SamplePool m_pool;                                     ///< of training samples
    std::uint64_t m_seed;
    int m_perStamp;
    double m_truePositions, m_leastSnr;
    double m_share, m_misplaced, m_light, m_likelihood, m_error;
    Preprocessing m_preprocessing;
    QJsonObject m_network;
};

/// A network from the card's or the recipe's "network". Throws UsageError.
[[nodiscard]] PhotometryNet makePhotometryNet(const QJsonObject& network);

} // namespace blendscope
