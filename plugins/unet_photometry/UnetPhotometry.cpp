#include "UnetPhotometry.h"

#include "PhotometryStamp.h"
#include "PhotometryTask.h"
#include "neural/ModelFile.h"
#include "neural/TorchDevice.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kBatch = 8;          ///< stamps computed together
constexpr double kFaintest = 0.25; ///< sky rms: fainter light of all objects is noise to the network

/// Side of the stamps of a blend: the footprint and its surroundings, in whole strides of the network.
int sideFor(const BlendInput& blend, int stride, int most) {
    const int extent = blend.footprint ? std::max(blend.footprint->box.width, blend.footprint->box.height)
                                       : std::max(blend.box.width, blend.box.height);
    const int wanted = std::clamp(extent + 16, PhotometryTask::kSide, std::max(most, PhotometryTask::kSide));
    return (wanted + stride - 1) / stride * stride;
}

} // namespace

void UnetPhotometry::prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) {
    const ModelFile model = ModelFile::open(modelFolder(parameters.text(QStringLiteral("MODEL")), context.folder),
                                            QStringLiteral("unet_photometry"), 1);
    m_preprocessing = model.preprocessing();
    std::vector<double> wavelengths;
    m_gain.clear();
    for (const Band& band : scene.bands) {
        wavelengths.push_back(band.wavelength);
        m_gain.push_back(band.varianceIsSkyOnly ? band.gain : 0.0);
    }
    QString assumed;
    m_matched = m_preprocessing.matchOrAssume(scene.bandNames(), wavelengths, assumed);
    if (!assumed.isEmpty()) context.warn(QStringLiteral("unet_photometry: ") + assumed);
    m_slot.assign(scene.bands.size(), -1);
    for (size_t s = 0; s < m_matched.size(); ++s) {
        if (m_matched[s] >= 0) m_slot[size_t(m_matched[s])] = int(s);
    }
    // A band that the network does not know takes the masks of the nearest one that it does.
    for (size_t b = 0; b < m_slot.size(); ++b) {
        double least = std::numeric_limits<double>::infinity();
        if (m_slot[b] >= 0) continue;
        for (size_t s = 0; s < m_matched.size(); ++s) {
            if (m_matched[s] < 0) continue;
            const double off = std::abs(wavelengths[b] - wavelengths[size_t(m_matched[s])]);
            if (off < least) {
                least = off;
                m_slot[b] = int(s);
            }
        }
        context.warn(QStringLiteral("unet_photometry: band %1 is unknown to the network and takes the masks of %2")
                         .arg(scene.bands[b].name, scene.bands[size_t(m_matched[size_t(m_slot[b])])].name));
    }
    m_device = torchDevice(context.device);
    m_net = makePhotometryNet(model.network());
    model.load(*m_net);
    m_net->to(m_device);
    // Blends run in parallel: each on one thread.
    useTorchThreads(1);
    m_reader.reset();
}

const PatchReader& UnetPhotometry::reader(const BlendInput& blend) const {
    const std::lock_guard lock(m_mutex);
    if (!m_reader) m_reader = std::make_unique<PatchReader>(*blend.scene, blend.detections->sky);
    return *m_reader;
}

BlendOutput UnetPhotometry::deblend(const BlendInput& blend, const Parameters& parameters,
                                    MethodContext& context) const {
    if (blend.peaks.empty()) return {};
    if (!blend.scene || !blend.detections || !m_net) {
        throw MethodError(QStringLiteral("unet_photometry works on scenes, not on blends cut out of them"));
    }
    at::init_num_threads();
    const torch::NoGradGuard guard;
    const int side = sideFor(blend, m_net->stride(), parameters.integer(QStringLiteral("MAX_SIDE")));
    const PatchReader& source = reader(blend);
    BlendOutput output;
    for (size_t start = 0; start < blend.peaks.size(); start += kBatch) {
        context.progress->check();
        const size_t end = std::min(blend.peaks.size(), start + kBatch);
        std::vector<Patch> patches;
        std::vector<torch::Tensor> inputs, poisson;
        for (size_t k = start; k < end; ++k) {
            const Peak& peak = blend.peaks[k];
            const Box box = photometryBox(peak.x, peak.y, side);
            std::vector<PixelPosition> others;
            for (const Footprint& f : blend.detections->footprints) {
                if (box.grown(6).intersected(f.box).empty()) continue;
                for (const Peak& p : f.peaks) {
                    if (p.x != peak.x || p.y != peak.y) others.push_back({p.x, p.y});
                }
            }
            patches.push_back(source.read(box));
            inputs.push_back(photometryInput(m_preprocessing, patches.back(), m_matched, {peak.x, peak.y}, others));
            poisson.push_back(photometryPoisson(patches.back(), m_matched, m_gain));
        }
        const auto out = m_net->forward(torch::stack(inputs).to(m_device), torch::stack(poisson).to(m_device));
        const torch::Tensor share = torch::sigmoid(out.share).cpu(), total = out.total.cpu();
        const torch::Tensor weight = (out.aperture * torch::sigmoid(out.share)).cpu();
        const torch::Tensor light = share * torch::where(total > kFaintest, total, torch::zeros_like(total));
        const torch::Tensor flux = out.flux.cpu(), error = out.variance.sqrt().cpu();
        const torch::Tensor scale = out.scale.cpu(), unknown = out.unknown.cpu();
        for (size_t k = start; k < end; ++k) {
            const auto row = std::int64_t(k - start);
            const Patch& patch = patches[k - start];
            BlendOutput::Child child;
            child.peak = blend.peaks[k];
            child.box = patch.box.intersected(blend.scene->box());
            const cv::Rect in = child.box.shifted(-patch.box.x0, -patch.box.y0).rect();
            for (size_t b = 0; b < m_slot.size(); ++b) {
                const auto s = std::int64_t(m_slot[b]);
                const double sigma = double(patch.sigma[b]);
                if (m_matched[size_t(s)] == int(b)) {
                    cv::Mat model = toMat(light[row][s].contiguous());
                    child.model.push_back(cv::Mat(model(in) * sigma));
                    child.flux.push_back(float(flux[row][s].item<double>() * sigma));
                    child.fluxErr.push_back(float(error[row][s].item<double>() * sigma));
                    continue;
                }
                const cv::Mat mask = toMat(share[row][s].contiguous()), by = toMat(weight[row][s].contiguous());
                cv::Mat model = mask.mul(cv::max(patch.image[b], 0.0f));
                child.model.push_back(model(in).clone());
                const double c = scale[row][s].item<double>(), u = unknown[row][s].item<double>();
                const double value = c * by.dot(patch.image[b]);
                const double noise = c * sigma * cv::norm(by) * m_net->errorFactor();
                child.flux.push_back(float(value));
                child.fluxErr.push_back(float(std::sqrt(noise * noise + u * u * (value * value + noise * noise))));
            }
            output.children.push_back(std::move(child));
        }
    }
    return output;
}

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::UnetPhotometry)
