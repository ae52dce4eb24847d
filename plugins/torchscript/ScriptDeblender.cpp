#include "ScriptDeblender.h"

#include "core/Error.h"
#include "neural/TorchDevice.h"

#include <algorithm>
#include <cmath>

using namespace blendscope;

namespace {

constexpr double kSamePixels = 3.0; // a component this near to a peak is that peak's object

struct Found {
    std::vector<cv::Mat> images; ///< per scene band, of the stamp
    double x = 0.0, y = 0.0;     ///< scene pixels, centre of light
    double light = 0.0;          ///< in units of the noise of a pixel
};

/// Centre and amount of light over all bands, each in units of its noise.
void measure(Found& found, const Patch& patch) {
    cv::Mat sum = cv::Mat::zeros(patch.box.size(), CV_32F);
    for (std::size_t b = 0; b < found.images.size(); ++b) {
        if (!found.images[b].empty() && patch.sigma[b] > 0.0f) sum += found.images[b] / patch.sigma[b];
    }
    sum = cv::max(sum, 0.0f);
    double x = 0.0, y = 0.0;
    for (int row = 0; row < sum.rows; ++row) {
        const float* p = sum.ptr<float>(row);
        for (int column = 0; column < sum.cols; ++column) {
            found.light += p[column];
            x += p[column] * column;
            y += p[column] * row;
        }
    }
    if (found.light > 0.0) {
        found.x = patch.box.x0 + x / found.light;
        found.y = patch.box.y0 + y / found.light;
    }
}

} // namespace

void ScriptDeblender::prepare(const Scene& scene, const Parameters& /*parameters*/, MethodContext& context) {
    const PatchReader reader(scene);
    m_sigma = reader.sigma();
    m_bands = scene.bandNames();
    for (const Band& band : scene.bands) {
        m_wavelengths.push_back(band.wavelength);
        m_zeroPoints.push_back(band.zeroPoint);
    }
    m_device = torchDevice(context.device);
    m_model.moveTo(m_device);
    useTorchThreads(context.threads);
}

BlendOutput ScriptDeblender::deblend(const BlendInput& blend, const Parameters& /*parameters*/,
                                     MethodContext& context) const {
    context.progress->check();
    const int side = m_model.stamp();
    const Footprint& footprint = *blend.footprint;
    if (footprint.box.width > side || footprint.box.height > side)
        throw MethodError(QStringLiteral("the blend is %1 x %2 pixels, the model's stamps are %3")
                              .arg(footprint.box.width)
                              .arg(footprint.box.height)
                              .arg(side));
    // The stamp's pixels, as far as the blend's box has them.
    Patch patch;
    patch.box = Box{footprint.box.x0 + footprint.box.width / 2 - side / 2,
                    footprint.box.y0 + footprint.box.height / 2 - side / 2, side, side};
    patch.bands = m_bands;
    patch.wavelength = m_wavelengths;
    patch.zeroPoint = m_zeroPoints;
    patch.sigma = m_sigma;
    patch.pixelScale = blend.pixelScale;
    const Box in = patch.box.intersected(blend.box);
    const cv::Rect to = in.shifted(-patch.box.x0, -patch.box.y0).rect();
    const cv::Rect from = in.shifted(-blend.box.x0, -blend.box.y0).rect();
    for (std::size_t b = 0; b < blend.data.size(); ++b) {
        cv::Mat image = cv::Mat::zeros(patch.box.size(), CV_32F), weight = cv::Mat::zeros(patch.box.size(), CV_32F);
        blend.data[b](from).copyTo(image(to));
        blend.weight[b](from).copyTo(weight(to));
        patch.image.push_back(image);
        patch.weight.push_back(weight);
        patch.fwhm.push_back(blend.psf[b]->fwhmPixels);
    }
    const Preprocessing& pre = m_model.preprocessing();
    const std::vector<int> matched = pre.match(patch.bands, patch.wavelength);
    const std::vector<torch::Tensor> outputs = m_model.run(pre.encode(patch, matched).unsqueeze(0).to(m_device));

    std::vector<Found> all;
    if (const int index = m_model.outputIndex(ScriptOutput::Meaning::ComponentImages); index >= 0) {
        const torch::Tensor images = outputs[static_cast<std::size_t>(index)][0].to(torch::kCPU);
        if (images.size(1) != pre.bandCount() || images.size(2) != side || images.size(3) != side)
            throw MethodError(QStringLiteral("the model's component images do not have its stamps' size and bands"));
        for (std::int64_t k = 0; k < images.size(0); ++k) {
            Found found;
            found.images = pre.decodeCounts(images[k], patch, matched);
            for (cv::Mat& image : found.images) {
                if (!image.empty()) image = cv::max(image, 0.0f);
            }
            all.push_back(std::move(found));
        }
    } else {
        const torch::Tensor masks =
            outputs[static_cast<std::size_t>(m_model.outputIndex(ScriptOutput::Meaning::InstanceMasks))][0]
                .to(torch::kCPU)
                .clamp_min(0.0);
        if (masks.size(1) != side || masks.size(2) != side)
            throw MethodError(QStringLiteral("the model's masks do not have its stamps' size"));
        // Where masks overlap the light is shared; where their sum is below 1 the rest is the sky's.
        const torch::Tensor shares = masks / masks.sum(0).clamp_min(1.0);
        for (std::int64_t k = 0; k < shares.size(0); ++k) {
            const cv::Mat share = toMat(shares[k]);
            Found found;
            for (const cv::Mat& image : patch.image) {
                found.images.push_back(cv::max(image, 0.0f).mul(share));
            }
            all.push_back(std::move(found));
        }
    }
    std::vector<Found> kept;
    for (Found& found : all) {
        measure(found, patch);
        if (found.light > m_model.faintest()) kept.push_back(std::move(found));
    }
    // Nearest pairs of peak and component first.
    std::vector<int> peakOf(kept.size(), -1);
    std::vector<bool> taken(blend.peaks.size(), false);
    while (true) {
        double best = kSamePixels;
        int bestKept = -1, bestPeak = -1;
        for (std::size_t k = 0; k < kept.size(); ++k) {
            if (peakOf[k] >= 0) continue;
            for (std::size_t p = 0; p < blend.peaks.size(); ++p) {
                const double d = std::hypot(kept[k].x - blend.peaks[p].x, kept[k].y - blend.peaks[p].y);
                if (!taken[p] && d < best) {
                    best = d;
                    bestKept = static_cast<int>(k);
                    bestPeak = static_cast<int>(p);
                }
            }
        }
        if (bestKept < 0) break;
        peakOf[static_cast<std::size_t>(bestKept)] = bestPeak;
        taken[static_cast<std::size_t>(bestPeak)] = true;
    }
    BlendOutput output;
    for (std::size_t k = 0; k < kept.size(); ++k) {
        BlendOutput::Child child;
        child.peak.x = kept[k].x;
        child.peak.y = kept[k].y;
        if (peakOf[k] >= 0) {
            const Peak& peak = blend.peaks[static_cast<std::size_t>(peakOf[k])];
            child.peak.position = peak.position;
            child.peak.significance = peak.significance;
        }
        child.box = in;
        for (std::size_t b = 0; b < blend.data.size(); ++b) {
            const cv::Mat& image = kept[k].images[b];
            child.model.push_back(image.empty() ? cv::Mat(cv::Mat::zeros(in.size(), CV_32F)) : image(to).clone());
        }
        output.children.push_back(std::move(child));
    }
    output.message = QStringLiteral("the model drew %1 objects, %2 of them with light; there were %3 peaks")
                         .arg(all.size())
                         .arg(kept.size())
                         .arg(blend.peaks.size());
    return output;
}
