#pragma once

#include "core/Random.h"
#include "neural/TrainingTask.h"

#include <cmath>

namespace blendscope::test {

/// Learns y = a x + b of noisy points with a network of one hidden layer: seconds of training, and a metric that falls.
class ToyTask : public TrainingTask {
public:
    explicit ToyTask(int architecture = 1, int hidden = 8) : m_architecture(architecture), m_hidden(hidden) {}

    QString method() const override { return QStringLiteral("toy"); }
    int architecture() const override { return m_architecture; }
    QJsonObject network() const override { return {{QStringLiteral("hidden"), m_hidden}}; }
    Preprocessing preprocessing() const override {
        return Preprocessing::fromJson({{QStringLiteral("bands"), QJsonArray{QStringLiteral("r")}}});
    }
    std::shared_ptr<torch::nn::Module> build() const override {
        torch::nn::Sequential net(torch::nn::Linear(1, m_hidden), torch::nn::Tanh(), torch::nn::Dropout(0.05),
                                  torch::nn::Linear(m_hidden, 1));
        return net.ptr();
    }
    Tensors sample(Split split, std::int64_t index) const override {
        Random random(99, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(index));
        const double x = random.uniform(-1.0, 1.0);
        const double y = 0.7 * x - 0.2 + random.normal(0.0, 0.01);
        return {{"x", torch::tensor({static_cast<float>(x)})}, {"y", torch::tensor({static_cast<float>(y)})}};
    }
    Loss loss(torch::nn::Module& network, const Tensors& batch) const override {
        const torch::Tensor y = network.as<torch::nn::SequentialImpl>()->forward(batch.at("x"));
        const torch::Tensor error = torch::mse_loss(y, batch.at("y"));
        return {error, {{"rms", error.detach().sqrt()}}};
    }
    QString headline() const override { return QStringLiteral("rms"); }

private:
    int m_architecture, m_hidden;
};

inline QJsonObject toyRecipe(int steps) {
    return {{QStringLiteral("training"), QJsonObject{{QStringLiteral("steps"), steps},
                                                     {QStringLiteral("batch"), 16},
                                                     {QStringLiteral("learning_rate"), 0.02},
                                                     {QStringLiteral("warm_up"), 20},
                                                     {QStringLiteral("validation"), 64},
                                                     {QStringLiteral("test"), 32},
                                                     {QStringLiteral("validate_every"), 50},
                                                     {QStringLiteral("ema"), 0.95},
                                                     {QStringLiteral("checkpoint_minutes"), 1.0}}}};
}

} // namespace blendscope::test
