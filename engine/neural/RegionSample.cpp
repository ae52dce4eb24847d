#include "neural/RegionSample.h"

#include "core/Error.h"

#include <array>
#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

torch::Tensor planes(const std::vector<cv::Mat>& bands, const std::vector<int>& slots, const std::vector<float>& sigma,
                     cv::Size size) {
    torch::Tensor out = torch::zeros({kBandSlots, size.height, size.width});
    for (size_t b = 0; b < bands.size(); ++b) {
        cv::Mat to(size, CV_32F, out[slots[b]].data_ptr<float>());
        bands[b](cv::Rect({}, size)).convertTo(to, CV_32F, 1.0 / sigma[b]);
    }
    return out;
}

} // namespace

Tensors regionSample(const TrainingStamp& stamp, const RegionSampleOptions& options) {
    const Patch& patch = stamp.patch;
    if (stamp.isolated.size() != patch.image.size() || stamp.noiseless.size() != patch.image.size())
        throw UsageError(
            QStringLiteral("these stamps have no noiseless images of their objects, which masks are learned from"));
    const int side = std::min(patch.box.width, patch.box.height) / PyramidNetImpl::kStride * PyramidNetImpl::kStride;
    const cv::Size size(side, side);
    const std::vector<int> slots = bandSlots(patch.wavelength);
    TargetOptions targetOptions;
    targetOptions.extentSigma = options.extentSigma;
    std::vector<TargetObject> targets = sceneTargets(stamp, targetOptions);
    const auto edge = static_cast<float>(side) - 0.5f;
    std::erase_if(targets, [&](const TargetObject& t) { return t.x > edge || t.y > edge; });

    Tensors out;
    out["images"] = planes(patch.image, slots, patch.sigma, size);
    out["total"] = planes(stamp.noiseless, slots, patch.sigma, size);
    out["presence"] = torch::zeros({kBandSlots});
    out["poisson"] = torch::zeros({kBandSlots});
    out["fwhm"] = torch::full({kBandSlots}, kUnknownFwhm);
    for (size_t b = 0; b < slots.size(); ++b) {
        out["presence"][slots[b]] = 1.0f;
        out["poisson"][slots[b]] = static_cast<float>(patch.poisson(b));
        if (patch.fwhm[b] > 0.0) out["fwhm"][slots[b]] = static_cast<float>(patch.fwhm[b]);
    }

    const auto count = static_cast<std::int64_t>(targets.size());
    torch::Tensor iso = torch::zeros({count, kBandSlots, side, side}), objects = torch::zeros({count, kObjectColumns});
    auto row = objects.accessor<float, 2>();
    for (std::int64_t k = 0; k < count; ++k) {
        std::vector<cv::Mat> alone;
        for (const std::vector<cv::Mat>& band : stamp.isolated) {
            alone.push_back(band[targets[k].index]);
        }
        iso[k] = planes(alone, slots, patch.sigma, size);
        const TargetObject& t = targets[k];
        const std::array<float, kObjectColumns> values{t.star ? 1.0f : 0.0f,
                                                       t.x,
                                                       t.y,
                                                       t.box.x0,
                                                       t.box.y0,
                                                       t.box.x1,
                                                       t.box.y1,
                                                       t.snr,
                                                       t.snr >= options.leastSnr ? 1.0f : 0.0f};
        std::copy(values.begin(), values.end(), &row[k][0]);
    }
    out["iso"] = iso;
    out["objects"] = objects;
    addCentreTargets(out, options, side);
    return out;
}

void addCentreTargets(Tensors& sample, const RegionSampleOptions& options, int side) {
    const torch::Tensor& objects = sample.at("objects");
    const auto o = objects.accessor<float, 2>();
    std::vector<Centre> wanted;
    torch::Tensor care = torch::ones({side, side});
    for (std::int64_t k = 0; k < objects.size(0); ++k) {
        if (o[k][Wanted] > 0.5f) {
            wanted.push_back({o[k][CentreX], o[k][CentreY], 1.0f});
            continue;
        }
        // Too faint to be asked for, there all the same: neither answer is wrong within a pixel.
        const auto x = static_cast<int>(std::lround(o[k][CentreX])), y = static_cast<int>(std::lround(o[k][CentreY]));
        care.slice(0, std::max(0, y - 1), std::min(side, y + 2))
            .slice(1, std::max(0, x - 1), std::min(side, x + 2))
            .zero_();
    }
    sample["centres"] = centreTarget(wanted, side, side, options.centreSigma);
    sample["care"] = torch::maximum(care, (sample["centres"] > 0.4).to(torch::kFloat));
}

Tensors collateRegions(const std::vector<Tensors>& samples) {
    if (samples.empty()) throw UsageError(QStringLiteral("a batch needs a sample"));
    Tensors batch;
    for (const char* name : {"images", "presence", "fwhm", "poisson", "total", "centres", "care"}) {
        std::vector<torch::Tensor> all;
        for (const Tensors& s : samples) {
            all.push_back(s.at(name));
        }
        batch[name] = torch::stack(all);
    }
    std::vector<torch::Tensor> iso, objects, image;
    for (size_t i = 0; i < samples.size(); ++i) {
        iso.push_back(samples[i].at("iso"));
        objects.push_back(samples[i].at("objects"));
        image.push_back(torch::full({objects.back().size(0)}, static_cast<std::int64_t>(i), torch::kLong));
    }
    batch["iso"] = torch::cat(iso);
    batch["objects"] = torch::cat(objects);
    batch["object_image"] = torch::cat(image);
    return batch;
}

} // namespace blendscope
