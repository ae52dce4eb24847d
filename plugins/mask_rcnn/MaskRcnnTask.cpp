#include "MaskRcnnTask.h"

#include "Recipe.h"
#include "core/Error.h"
#include "method/Training.h"
#include "neural/RegionDetector.h"
#include "neural/RegionScore.h"
#include "neural/RegionSearch.h"
#include "neural/Trainer.h"

#include <bit>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr float kLeastScore = 0.02f; ///< of what validation looks at

/// LibTorch's modules are held by shared pointers, and this one is owned by the trainer.
RegionNet borrowed(torch::nn::Module& network) {
    auto* net = network.as<RegionNetImpl>();
    if (!net) throw UsageError(QStringLiteral("this is no network of mask_rcnn"));
    return RegionNet(std::shared_ptr<RegionNetImpl>(std::shared_ptr<void>(), net));
}

std::vector<RegionDetection> detect(RegionNet& net, const Tensors& batch, std::int64_t image, bool masks) {
    const RegionNetImpl::Dense d =
        net->dense(batch.at("images").narrow(0, image, 1), batch.at("presence").narrow(0, image, 1),
                   batch.at("fwhm").narrow(0, image, 1), batch.at("poisson").narrow(0, image, 1));
    RegionDetectorOptions options;
    options.leastScore = masks ? 0.4f : kLeastScore;
    options.masks = masks;
    const Box whole{0, 0, static_cast<int>(d.logits.size(2)), static_cast<int>(d.logits.size(1))};
    return detectRegions(net, d.levels, torch::sigmoid(d.logits[0]), d.distances[0], whole, options);
}

void checkKeys(const QJsonObject& json, const QString& where, const QStringList& known) {
    for (const QString& key : json.keys()) {
        if (!known.contains(key))
            throw UsageError(
                QStringLiteral("%1: no key \"%2\"; there are %3").arg(where, key, known.join(QStringLiteral(", "))));
    }
}

} // namespace

RegionNet buildMaskRcnn(const QJsonObject& network) {
    checkKeys(network, QStringLiteral("network"), {QStringLiteral("features"), QStringLiteral("mask_channels")});
    RegionNetOptions options;
    options.features = network.value(QStringLiteral("features")).toInt(options.features);
    options.maskChannels = network.value(QStringLiteral("mask_channels")).toInt(options.maskChannels);
    if (options.features < 4 || options.features > 1024 || options.maskChannels < 4 || options.maskChannels > 1024)
        throw UsageError(QStringLiteral("network: features and mask_channels must be from 4 to 1024"));
    return RegionNet(options);
}

MaskRcnnTask::MaskRcnnTask(const QJsonObject& recipe)
    : m_network(recipe.value(QStringLiteral("network")).toObject()),
      m_data(recipe.value(QStringLiteral("data")).toObject(),
             static_cast<std::uint64_t>(
                 recipe.value(QStringLiteral("training")).toObject().value(QStringLiteral("seed")).toInteger(1))) {
    checkKeys(recipe, QStringLiteral("recipe"),
              {QStringLiteral("method"), QStringLiteral("title"), QStringLiteral("data"), QStringLiteral("network"),
               QStringLiteral("targets"), QStringLiteral("training"), QStringLiteral("preprocessing")});
    const QJsonObject targets = recipe.value(QStringLiteral("targets")).toObject();
    checkKeys(targets, QStringLiteral("targets"),
              {QStringLiteral("least_snr"), QStringLiteral("centre_sigma"), QStringLiteral("extent_sigma")});
    const auto number = [&](const char* key, float& value) {
        value = static_cast<float>(targets.value(QLatin1String(key)).toDouble(double(value)));
        if (!(value > 0.0f)) throw UsageError(QStringLiteral("targets: %1 must be positive").arg(QLatin1String(key)));
    };
    number("least_snr", m_targets.leastSnr);
    number("centre_sigma", m_targets.centreSigma);
    number("extent_sigma", m_targets.extentSigma);
    (void)buildMaskRcnn(m_network);
}

Preprocessing MaskRcnnTask::preprocessing() const {
    return regionPreprocessing();
}

QJsonObject MaskRcnnTask::card() const {
    return {
        {QStringLiteral("licence"), QStringLiteral("as Blendscope")},
        {QStringLiteral("data"),
         QStringLiteral("simulated stamps of the recipe alone: smooth and irregular galaxies, stars, Poisson noise")},
        {QStringLiteral("limits"),
         QStringLiteral("no artefacts or saturated stars were learned; windows end at 80 pixels; scores are not "
                        "calibrated")}};
}

std::shared_ptr<torch::nn::Module> MaskRcnnTask::build() const {
    return buildMaskRcnn(m_network).ptr();
}

Tensors MaskRcnnTask::sample(Split split, std::int64_t index) const {
    return regionSample(m_data.stamp(split, index), m_targets);
}

Tensors MaskRcnnTask::collate(const std::vector<Tensors>& samples) const {
    return collateRegions(samples);
}

TrainingTask::Loss MaskRcnnTask::loss(torch::nn::Module& network, const Tensors& batch) const {
    RegionNet net = borrowed(network);
    RegionLossOptions options;
    // The jitter of true centres needs no more than to differ from batch to batch.
    options.seed = std::bit_cast<std::uint32_t>(batch.at("images").flatten()[0].item<float>());
    Loss out;
    out.parts = regionLosses(net, batch, options);
    out.total = out.parts.at("total");
    out.parts.erase("total");
    return out;
}

QMap<QString, double> MaskRcnnTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                             const torch::Device& device) const {
    RegionNet net = borrowed(network);
    RegionScore score;
    for (const Tensors& cpu : batches) {
        const Tensors batch = onDevice(cpu, device);
        for (std::int64_t i = 0; i < batch.at("images").size(0); ++i) {
            const torch::Tensor rows = (cpu.at("object_image") == i).nonzero().squeeze(1);
            score.add(detect(net, batch, i, false), cpu.at("objects").index_select(0, rows));
        }
    }
    return score.metrics();
}

cv::Mat MaskRcnnTask::picture(torch::nn::Module& network, const Tensors& batch, const torch::Device& device) const {
    // Four stamps side by side: colours of z, r, g over noise, the truth's centres as circles, detections as crosses.
    constexpr int kZoom = 3, kStamps = 4;
    RegionNet net = borrowed(network);
    const Tensors on = onDevice(batch, device);
    const int side = static_cast<int>(batch.at("images").size(3));
    const int count = std::min<int>(kStamps, static_cast<int>(batch.at("images").size(0)));
    cv::Mat out(side * kZoom, side * kZoom * count, CV_8UC3, cv::Scalar::all(0));
    for (int i = 0; i < count; ++i) {
        const torch::Tensor image = batch.at("images")[i];
        std::vector<cv::Mat> colours;
        for (const int slot : {4, 2, 1}) {
            const torch::Tensor plane = torch::asinh(image[slot] / 3) * 60 + 20;
            cv::Mat scaled;
            toMat(plane.contiguous()).convertTo(scaled, CV_8U);
            colours.push_back(scaled);
        }
        cv::Mat rgb;
        cv::merge(colours, rgb);
        cv::Mat view = out(cv::Rect(i * side * kZoom, 0, side * kZoom, side * kZoom));
        cv::resize(rgb, view, view.size(), 0, 0, cv::INTER_NEAREST);
        const auto at = [&](float x, float y) {
            return cv::Point(static_cast<int>((x + 0.5f) * kZoom), static_cast<int>((y + 0.5f) * kZoom));
        };
        const torch::Tensor rows = (batch.at("object_image") == i).nonzero().squeeze(1);
        const torch::Tensor objects = batch.at("objects").index_select(0, rows).contiguous();
        const auto o = objects.accessor<float, 2>();
        for (std::int64_t k = 0; k < objects.size(0); ++k) {
            if (o[k][Wanted] > 0.5f) cv::circle(view, at(o[k][CentreX], o[k][CentreY]), 5, {230, 159, 0});
        }
        for (const RegionDetection& d : detect(net, on, i, true)) {
            cv::drawMarker(view, at(d.x, d.y), {86, 180, 233}, d.star > 0.5f ? cv::MARKER_STAR : cv::MARKER_CROSS, 9);
        }
    }
    return out;
}

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::TrainableNetwork<blendscope::MaskRcnnTask>(kRecipe))
