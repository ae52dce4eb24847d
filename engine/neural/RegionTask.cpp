#include "neural/RegionTask.h"

#include "core/Error.h"
#include "neural/RegionSearch.h"
#include "neural/TrainerOptions.h"

#include <bit>

namespace blendscope {

namespace {

constexpr float kLeastScore = 0.02f; ///< of what validation looks at

std::uint64_t seedOf(const QJsonObject& recipe) {
    return static_cast<std::uint64_t>(
        recipe.value(QStringLiteral("training")).toObject().value(QStringLiteral("seed")).toInteger(1));
}

} // namespace

RegionTask::RegionTask(const QJsonObject& recipe, const QStringList& keys, const QStringList& targetKeys)
    : m_network(recipe.value(QStringLiteral("network")).toObject()), m_seed(seedOf(recipe)),
      m_data(recipe.value(QStringLiteral("data")).toObject(), m_seed) {
    checkRecipeKeys(recipe, QStringLiteral("recipe"),
                    QStringList{QStringLiteral("method"), QStringLiteral("title"), QStringLiteral("data"),
                                QStringLiteral("network"), QStringLiteral("targets"), QStringLiteral("training"),
                                QStringLiteral("preprocessing")} +
                        keys);
    const QJsonObject targets = recipe.value(QStringLiteral("targets")).toObject();
    checkRecipeKeys(targets, QStringLiteral("targets"), targetKeys);
    const auto number = [&](const char* key, float& value) {
        value = static_cast<float>(targets.value(QLatin1String(key)).toDouble(double(value)));
        if (!(value > 0.0f)) throw UsageError(QStringLiteral("targets: %1 must be positive").arg(QLatin1String(key)));
    };
    number("least_snr", m_targets.leastSnr);
    number("centre_sigma", m_targets.centreSigma);
    number("extent_sigma", m_targets.extentSigma);
}

Preprocessing RegionTask::preprocessing() const {
    return regionPreprocessing();
}

Tensors RegionTask::collate(const std::vector<Tensors>& samples) const {
    return collateRegions(samples);
}

TrainingTask::Loss RegionTask::loss(torch::nn::Module& network, const Tensors& batch) const {
    RegionNet net = borrowed(network);
    RegionLossOptions options;
    // The jitter of true centres needs no more than to differ from batch to batch.
    options.seed = std::bit_cast<std::uint32_t>(batch.at("images").flatten()[0].item<float>());
    Loss out;
    out.parts = regionLosses(net, batch, options);
    out.total = out.parts.at("total");
    out.parts.erase("total");
    if (!net->hasMasks()) {
        out.parts.erase("share");
        out.parts.erase("extent");
    }
    return out;
}

QMap<QString, double> RegionTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                           const torch::Device& device) const {
    RegionNet net = borrowed(network);
    RegionScore score(scoring());
    RegionDetectorOptions options;
    options.leastScore = kLeastScore;
    options.masks = false;
    for (const Tensors& cpu : batches) {
        const auto detections = detect(net, onDevice(cpu, device), options);
        for (std::size_t i = 0; i < detections.size(); ++i) {
            const torch::Tensor rows = (cpu.at("object_image") == static_cast<std::int64_t>(i)).nonzero().squeeze(1);
            score.add(detections[i], cpu.at("objects").index_select(0, rows));
        }
    }
    return score.metrics();
}

RegionNet RegionTask::borrowed(torch::nn::Module& network) {
    auto* net = network.as<RegionNetImpl>();
    if (!net) throw UsageError(QStringLiteral("this network finds no regions"));
    return RegionNet(std::shared_ptr<RegionNetImpl>(std::shared_ptr<void>(), net));
}

std::vector<std::vector<RegionDetection>> RegionTask::detect(RegionNet& net, const Tensors& batch,
                                                             const RegionDetectorOptions& options) {
    const RegionNetImpl::Dense d =
        net->dense(batch.at("images"), batch.at("presence"), batch.at("fwhm"), batch.at("poisson"));
    const Box whole{0, 0, static_cast<int>(d.logits.size(2)), static_cast<int>(d.logits.size(1))};
    std::vector<std::vector<RegionDetection>> out;
    for (std::int64_t i = 0; i < d.logits.size(0); ++i) {
        const PyramidNetImpl::Levels levels{d.levels.fine.narrow(0, i, 1), d.levels.coarse.narrow(0, i, 1)};
        out.push_back(detectRegions(net, levels, torch::sigmoid(d.logits[i]), d.distances[i], whole, options));
    }
    return out;
}

int channelsOf(const QJsonObject& network, const char* key, int otherwise) {
    const int channels = network.value(QLatin1String(key)).toInt(otherwise);
    if (channels < 4 || channels > 1024)
        throw UsageError(QStringLiteral("network: %1 must be from 4 to 1024").arg(QLatin1String(key)));
    return channels;
}

} // namespace blendscope
