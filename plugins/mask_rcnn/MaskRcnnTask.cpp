#include "MaskRcnnTask.h"

#include "Recipe.h"
#include "method/Training.h"
#include "neural/Trainer.h"

#include <opencv2/imgproc.hpp>

namespace blendscope {

RegionNet buildMaskRcnn(const QJsonObject& network) {
    checkRecipeKeys(network, QStringLiteral("network"), {QStringLiteral("features"), QStringLiteral("mask_channels")});
    RegionNetOptions options;
    options.features = channelsOf(network, "features", options.features);
    options.maskChannels = channelsOf(network, "mask_channels", options.maskChannels);
    return RegionNet(options);
}

MaskRcnnTask::MaskRcnnTask(const QJsonObject& recipe)
    : RegionTask(recipe, {},
                 {QStringLiteral("least_snr"), QStringLiteral("centre_sigma"), QStringLiteral("extent_sigma")}) {
    (void)buildMaskRcnn(m_network);
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

cv::Mat MaskRcnnTask::picture(torch::nn::Module& network, const Tensors& batch, const torch::Device& device) const {
    // Four stamps side by side: colours of z, r, g over noise, the truth's centres as circles, detections as crosses.
    constexpr int kZoom = 3, kStamps = 4;
    constexpr float kShownScore = 0.4f;
    RegionNet net = borrowed(network);
    const Tensors on = onDevice(batch, device);
    const int side = static_cast<int>(batch.at("images").size(3));
    const int count = std::min<int>(kStamps, static_cast<int>(batch.at("images").size(0)));
    RegionDetectorOptions options;
    options.leastScore = kShownScore;
    options.masks = false;
    const auto detections = detect(net, on, options);
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
        for (const RegionDetection& d : detections[static_cast<std::size_t>(i)]) {
            cv::drawMarker(view, at(d.x, d.y), {86, 180, 233}, d.star > 0.5f ? cv::MARKER_STAR : cv::MARKER_CROSS, 9);
        }
    }
    return out;
}

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::TrainableNetwork<blendscope::MaskRcnnTask>(kRecipe))
