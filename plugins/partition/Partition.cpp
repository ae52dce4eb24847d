#include "PixelPartition.h"
#include "method/BlendMethod.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr double kSigmaPerFwhm = 1.0 / 2.3548;
constexpr float kLeastModel = 1e-3f; ///< sky sigmas: keeps a pixel's owner clear where the data are not positive

/// Sum over bands of S/N-weighted data: the bands' weights are those of the footprint's own spectrum.
cv::Mat detectionImage(const BlendInput& blend) {
    cv::Mat out = cv::Mat::zeros(blend.box.size(), CV_32F);
    std::vector<double> mixing(blend.data.size(), 0.0);
    double total = 0.0;
    for (size_t b = 0; b < blend.data.size(); ++b) {
        cv::Mat in;
        blend.data[b].copyTo(in, blend.inside);
        const double sigma = blend.skySigma[b] > 0.0f ? blend.skySigma[b] : 1.0;
        mixing[b] = std::max(0.0, cv::sum(in)[0]) / (sigma * sigma);
        total += mixing[b];
    }
    for (size_t b = 0; b < blend.data.size(); ++b) {
        const double sigma = blend.skySigma[b] > 0.0f ? blend.skySigma[b] : 1.0;
        const double factor = total > 0.0 && std::isfinite(total) ? mixing[b] / total : 1.0 / sigma;
        cv::scaleAdd(blend.data[b], factor, out, out);
    }
    return out;
}

double typicalPsfSigma(const BlendInput& blend) {
    double sum = 0.0;
    int n = 0;
    for (const Psf* psf : blend.psf) {
        if (!psf->known() || !(psf->fwhmPixels > 0.0)) continue;
        sum += psf->fwhmPixels * kSigmaPerFwhm;
        ++n;
    }
    return n ? sum / n : 1.0;
}

} // namespace

/// Hard division of a blend's pixels among its peaks.
class Partition final : public BlendMethod {
public:
    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override {
        context.progress->check();
        BlendOutput output;
        if (blend.peaks.empty()) return output;
        const double filter = parameters.real(QStringLiteral("FILTER_FWHM")) * kSigmaPerFwhm;
        cv::Mat image = detectionImage(blend);
        if (filter > 0.0) cv::GaussianBlur(image, image, {}, filter, filter, cv::BORDER_REPLICATE);
        std::vector<Peak> peaks = blend.peaks;
        for (Peak& peak : peaks) {
            peak.x -= blend.box.x0;
            peak.y -= blend.box.y0;
        }
        const double leastSigma = 0.8 * std::hypot(typicalPsfSigma(blend), filter);
        output.labels =
            PixelPartition(image, blend.inside, peaks, leastSigma, parameters.real(QStringLiteral("CORE_FRACTION")))
                .labels();
        context.progress->check();

        std::vector<Box> boxes(peaks.size());
        for (int y = 0; y < output.labels.rows; ++y) {
            const int* label = output.labels.ptr<int>(y);
            for (int x = 0; x < output.labels.cols; ++x) {
                if (!label[x]) continue;
                Box& box = boxes[label[x] - 1];
                box = box.united({blend.box.x0 + x, blend.box.y0 + y, 1, 1});
            }
        }
        std::vector<cv::Mat> smooth(blend.data.size());
        for (size_t b = 0; b < smooth.size(); ++b) {
            cv::GaussianBlur(blend.data[b], smooth[b], {3, 3}, 0.6, 0.6, cv::BORDER_REPLICATE);
        }
        for (size_t k = 0; k < peaks.size(); ++k) {
            BlendOutput::Child child;
            child.peak = blend.peaks[k];
            child.box = boxes[k];
            if (child.box.empty()) {
                const auto pixel = [](double v, int low, int high) {
                    return std::isfinite(v) ? static_cast<int>(std::clamp(std::round(v), double(low), double(high)))
                                            : low;
                };
                child.box = {pixel(child.peak.x, blend.box.x0, blend.box.x1() - 1),
                             pixel(child.peak.y, blend.box.y0, blend.box.y1() - 1), 1, 1};
                child.flags |= FlagNoFlux;
                child.note = QStringLiteral("a brighter peak or no footprint at its position: it got no pixels");
            }
            const cv::Rect local = child.box.shifted(-blend.box.x0, -blend.box.y0).rect();
            const cv::Mat foreign = output.labels(local) != static_cast<int>(k) + 1;
            for (size_t b = 0; b < smooth.size(); ++b) {
                const float least = kLeastModel * (blend.skySigma[b] > 0.0f ? blend.skySigma[b] : 1.0f);
                cv::Mat model = cv::max(smooth[b](local), least);
                model.setTo(0.0f, foreign);
                child.model.push_back(model);
            }
            output.children.push_back(std::move(child));
        }
        if (peaks.size() > 1)
            output.message = QStringLiteral("each pixel was given whole to one of %1 objects").arg(peaks.size());
        return output;
    }
};

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::Partition)
