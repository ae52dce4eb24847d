#pragma once

#include "neural/Preprocessing.h"
#include "neural/Tensors.h"

#include <QJsonObject>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Which of the three sets, of which no sample is in two.
enum class Split { Training, Validation, Test };

/// What a method says to be trained: its network, its samples, its loss and its metrics. The Trainer does the rest.
/// Made from a recipe by the method; immutable while training, since sample() is called from worker threads.
class TrainingTask {
public:
    virtual ~TrainingTask() = default;

    [[nodiscard]] virtual QString method() const = 0;
    /// Raised when older weights no longer fit the code.
    [[nodiscard]] virtual int architecture() const = 0;
    /// All that build() depends on; goes into the card, and a checkpoint with another one is refused.
    [[nodiscard]] virtual QJsonObject network() const = 0;
    [[nodiscard]] virtual Preprocessing preprocessing() const = 0;
    /// Members that the card gets besides: "limits", "licence", "data" in words, calibration...
    [[nodiscard]] virtual QJsonObject card() const { return {}; }

    /// A new network from network(), on the CPU. Initial weights come from LibTorch's generator, which the trainer
    /// seeds.
    [[nodiscard]] virtual std::shared_ptr<torch::nn::Module> build() const = 0;

    /// Sample number `index` of a set, tensors on the CPU. The same for the same index, whoever asks; called from many
    /// threads at once. Must not use LibTorch's random numbers (use Random(seed, index)).
    [[nodiscard]] virtual Tensors sample(Split split, std::int64_t index) const = 0;

    /// One batch of samples; stacks every tensor by name along a new first axis. Override where samples differ in
    /// shape (as lists of boxes do).
    [[nodiscard]] virtual Tensors collate(const std::vector<Tensors>& samples) const;

    struct Loss {
        torch::Tensor total; ///< scalar, to be minimised
        Tensors parts;       ///< scalars, for the curves
    };
    /// `network` is one that build() made (network.as<MyNetImpl>()), in training or evaluation; the batch is on its
    /// device.
    [[nodiscard]] virtual Loss loss(torch::nn::Module& network, const Tensors& batch) const = 0;

    /// Metrics of a network in evaluation on the fixed validation or test batches (on the CPU: move each with
    /// onDevice). By default the mean loss and its parts. No gradients are kept.
    [[nodiscard]] virtual QMap<QString, double>
    validate(torch::nn::Module& network, const std::vector<Tensors>& batches, const torch::Device& device) const;
    /// The metric that decides which weights are the best and when to stop.
    [[nodiscard]] virtual QString headline() const { return QStringLiteral("loss"); }
    [[nodiscard]] virtual bool higherIsBetter() const { return false; }

    /// After training, with the best weights in the network: may change them or add to the card (a temperature fitted
    /// on the validation set, say), before the test set is looked at. Returns members for the card.
    [[nodiscard]] virtual QJsonObject finish(torch::nn::Module& network, const std::vector<Tensors>& validation,
                                             const torch::Device& device) const;

    /// A sample prediction for the eye, CV_8UC3 (red, green, blue); empty = none.
    [[nodiscard]] virtual cv::Mat picture(torch::nn::Module& network, const Tensors& batch,
                                          const torch::Device& device) const;
};

} // namespace blendscope
