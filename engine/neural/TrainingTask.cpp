#include "neural/TrainingTask.h"

#include "core/Error.h"

namespace blendscope {

Tensors TrainingTask::collate(const std::vector<Tensors>& samples) const {
    Tensors batch;
    if (samples.empty()) return batch;
    for (const auto& [name, first] : samples.front()) {
        std::vector<torch::Tensor> all;
        all.reserve(samples.size());
        for (const Tensors& sample : samples) {
            all.push_back(sample.at(name));
        }
        batch.emplace(name, torch::stack(all));
    }
    return batch;
}

QMap<QString, double> TrainingTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                             const torch::Device& device) const {
    QMap<QString, double> sum;
    double samples = 0.0;
    for (const Tensors& batch : batches) {
        const double n = batch.empty() ? 1.0 : static_cast<double>(batch.begin()->second.size(0));
        const Loss value = loss(network, onDevice(batch, device));
        sum[QStringLiteral("loss")] += n * value.total.item<double>();
        for (const auto& [name, part] : value.parts) {
            sum[QString::fromStdString(name)] += n * part.item<double>();
        }
        samples += n;
    }
    for (double& value : sum) {
        value /= samples;
    }
    return sum;
}

QJsonObject TrainingTask::finish(torch::nn::Module& /*network*/, const std::vector<Tensors>& /*validation*/,
                                 const torch::Device& /*device*/) const {
    return {};
}

cv::Mat TrainingTask::picture(torch::nn::Module& /*network*/, const Tensors& /*batch*/,
                              const torch::Device& /*device*/) const {
    return {};
}

} // namespace blendscope
