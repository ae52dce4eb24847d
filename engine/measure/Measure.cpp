#include "measure/Measure.h"

#include "measure/AdaptiveMoments.h"
#include "measure/Aperture.h"
#include "measure/Blendedness.h"
#include "measure/HalfLight.h"
#include "measure/Kron.h"
#include "measure/LightProfile.h"
#include "measure/ObjectImage.h"
#include "measure/PsfMixture.h"
#include "measure/Templates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace blendscope {

namespace {

constexpr double kKronReach = 6.0;       ///< rms axes within which the Kron radius is taken
constexpr double kLeastKron = 1.0;       ///< rms axes; noise gives less, no profile does
constexpr double kLargestKron = 6.0;     ///< rms axes
constexpr double kDegenerateError = 8.0; ///< error of a flux, neighbours free over neighbours known

double typicalPsfSigma(const BlendInput& input) {
    double sum = 0.0;
    int n = 0;
    for (const Psf* psf : input.psf) {
        if (psf && psf->known() && psf->fwhmPixels > 0.0 && std::isfinite(psf->fwhmPixels)) {
            sum += psf->fwhmPixels / 2.3548;
            ++n;
        }
    }
    return n ? sum / n : 1.5;
}

/// The bands' PSFs on one grid of widths; bands without one get the mean of the others.
std::vector<PsfMixture> psfMixtures(const BlendInput& input) {
    double least = std::numeric_limits<double>::infinity();
    for (const Psf* p : input.psf) {
        if (p && p->known() && p->fwhmPixels > 0.5) least = std::min(least, p->fwhmPixels / 2.3548);
    }
    const double start = std::isfinite(least) ? 0.45 * least : 0.6;
    std::vector<PsfMixture> out;
    PsfMixture mean(start);
    mean.clear();
    for (size_t b = 0; b < input.data.size(); ++b) {
        const Psf* p = b < input.psf.size() ? input.psf[b] : nullptr;
        const bool known = p && p->known();
        out.push_back(known ? PsfMixture(start, *p) : PsfMixture(start));
        if (known) mean.add(out.back(), 1.0);
    }
    mean.normalise();
    for (size_t b = 0; b < out.size(); ++b) {
        if (!(b < input.psf.size() && input.psf[b] && input.psf[b]->known())) out[b] = mean;
    }
    return out;
}

void keep(float& slot, double value) {
    if (std::isnan(slot) && std::isfinite(value)) slot = static_cast<float>(value);
}

/// The moments of child k; where its light does not allow them, those of its model, and failing these the PSF's.
Moments measureMoments(const ObjectImage& image, const cv::Mat& model, double x, double y, double psfSigma,
                       std::uint32_t& flags) {
    const double maxShift = std::max(3.0, 3.0 * psfSigma);
    Moments m = adaptiveMoments(image.combined, x, y, psfSigma, maxShift);
    if (m.valid) return m;
    flags |= FlagBadMeasurement;
    m = adaptiveMoments(model, x, y, psfSigma, maxShift);
    if (!m.valid) m = positiveMoments(model);
    if (!m.valid || std::hypot(m.x - x, m.y - y) > 2.0 * maxShift) {
        m = {};
        m.x = x;
        m.y = y;
        m.xx = m.yy = psfSigma * psfSigma;
    }
    return m;
}

/// The component's model in a window, weighted over bands as the image was.
cv::Mat combinedModel(const Component& component, const ObjectImage& image) {
    cv::Mat out = cv::Mat::zeros(image.box.size(), CV_32F);
    const Box in = component.box.intersected(image.box);
    if (in.empty()) return out;
    cv::Mat part = out(in.shifted(-image.box.x0, -image.box.y0).rect());
    for (size_t b = 0; b < component.model.size() && b < image.mixing.size(); ++b) {
        cv::scaleAdd(component.model[b](in.shifted(-component.box.x0, -component.box.y0).rect()), image.mixing[b], part,
                     part);
    }
    return out;
}

cv::Mat combinedData(const BlendInput& input, const ObjectImage& image) {
    cv::Mat out = cv::Mat::zeros(image.box.size(), CV_32F);
    const cv::Rect in = image.box.shifted(-input.box.x0, -input.box.y0).rect();
    for (size_t b = 0; b < input.data.size(); ++b) {
        cv::scaleAdd(input.data[b](in), image.mixing[b], out, out);
    }
    return out;
}

/// The part of an aperture that lies in pixels of other objects of the blend.
double foreignPart(const ObjectImager& imager, size_t k, const ObjectImage& image, const Ellipse& aperture) {
    cv::Mat foreign = imager.labels()(image.box.shifted(-imager.box().x0, -imager.box().y0).rect()).clone();
    foreign.setTo(0, foreign == static_cast<int>(k) + 1);
    cv::Mat mask;
    cv::Mat(foreign != 0).convertTo(mask, CV_32F, 1.0 / 255.0);
    return sumInEllipse(mask, {}, aperture).flux / aperture.area();
}

bool usable(const BlendInput& input, const std::vector<Component>& components) {
    const cv::Size size = input.box.size();
    if (input.box.empty() || input.data.empty() || input.weight.size() != input.data.size()) return false;
    if (input.inside.size() != size) return false;
    for (size_t b = 0; b < input.data.size(); ++b) {
        if (input.data[b].size() != size || input.weight[b].size() != size) return false;
    }
    for (const Component& c : components) {
        if (c.box.empty() || c.model.size() != input.data.size() || c.share.size() != input.data.size()) return false;
    }
    return true;
}

} // namespace

void measureBlend(const BlendInput& input, const BlendOutput& output, const std::vector<Component>& components,
                  std::vector<Object>& objects, Blend& blend, const MeasureOptions& options) {
    const size_t bands = input.data.size();
    const size_t count = std::min({components.size(), objects.size(), output.children.size()});
    for (Object& object : objects) {
        object.bands.resize(std::max(bands, object.bands.size()));
    }
    if (!usable(input, components) || count == 0) {
        for (Object& object : objects) {
            object.flags |= FlagBadMeasurement;
        }
        return;
    }
    const ObjectImager imager(input, output, components);
    const double psfSigma = typicalPsfSigma(input);
    const std::vector<PsfMixture> psf = psfMixtures(input);
    const bool psfKnown = std::any_of(input.psf.begin(), input.psf.end(), [](const Psf* p) { return p && p->known(); });

    // Linear amplitudes of all models together, band by band.
    std::vector<std::vector<double>> total(count, std::vector<double>(bands, 0.0));
    for (size_t k = 0; k < count; ++k) {
        for (size_t b = 0; b < bands; ++b) {
            const std::vector<float>& own = output.children[k].flux;
            const double sum = cv::sum(components[k].model[b])[0];
            total[k][b] = b < own.size() && std::isfinite(own[b]) ? own[b] : sum;
        }
    }
    std::vector<std::vector<double>> templateError(count, std::vector<double>(bands, kNan));
    std::vector<double> inflation(count, std::numeric_limits<double>::infinity());
    blend.reducedChi2.assign(bands, kNan);
    std::map<std::pair<int, int>, std::vector<float>> pairs;
    for (size_t b = 0; b < bands; ++b) {
        const TemplateFit fit = fitTemplates(input, components, imager, b);
        blend.reducedChi2[b] = static_cast<float>(fit.reducedChi2);
        for (size_t k = 0; k < count; ++k) {
            if (!std::isfinite(fit.amplitude[k])) continue;
            BandFlux& flux = objects[k].bands[b];
            templateError[k][b] = std::abs(fit.error[k] * total[k][b]);
            keep(flux.modelFlux, fit.amplitude[k] * total[k][b]);
            keep(flux.modelFluxErr, templateError[k][b]);
            if (fit.alone[k] > 0.0) inflation[k] = std::min(inflation[k], fit.error[k] / fit.alone[k]);
        }
        for (const TemplateFit::Pair& p : fit.pairs) {
            if (p.a >= static_cast<int>(count) || p.b >= static_cast<int>(count)) continue;
            std::vector<float>& slot = pairs[{p.a, p.b}];
            slot.resize(bands, 0.0f);
            slot[b] = static_cast<float>(p.covariance * total[p.a][b] * total[p.b][b]);
        }
    }
    for (const BlendOutput::Covariance& c : output.covariances) {
        if (c.a < 0 || c.b < 0 || c.a >= static_cast<int>(count) || c.b >= static_cast<int>(count)) continue;
        if (c.covariance.size() == bands) pairs[{c.a, c.b}] = c.covariance;
    }
    blend.covariances.clear();
    for (auto& [pair, values] : pairs) {
        blend.covariances.push_back({objects[pair.first].id, objects[pair.second].id, std::move(values)});
    }

    for (size_t k = 0; k < count; ++k) {
        Object& object = objects[k];
        const BlendOutput::Child& child = output.children[k];
        object.flags |= child.flags;
        if (count > 1) object.flags |= FlagBlended;
        if (std::isfinite(inflation[k]) && inflation[k] > kDegenerateError) object.flags |= FlagDegenerate;
        const bool peakKnown =
            std::isfinite(child.peak.x) && std::isfinite(child.peak.y) &&
            input.box.grown(1).contains(int(std::floor(child.peak.x)), int(std::floor(child.peak.y)));
        const double px = peakKnown ? child.peak.x : components[k].box.x0 + 0.5 * (components[k].box.width - 1);
        const double py = peakKnown ? child.peak.y : components[k].box.y0 + 0.5 * (components[k].box.height - 1);
        object.peakX = px;
        object.peakY = py;

        const Box window = imager.window(k);
        const ObjectImage image = imager.cut(k, window, px, py);
        if (image.masked) object.flags |= FlagMasked;
        if (image.atBorder) object.flags |= FlagEdge;
        double light = 0.0;
        for (const double s : image.spectrum) {
            light += s;
        }
        if (!(light > 0.0)) object.flags |= FlagNoFlux;

        const cv::Mat model = combinedModel(components[k], image);
        Moments m = measureMoments(image, model, px - window.x0, py - window.y0, psfSigma, object.flags);
        object.x = window.x0 + m.x;
        object.y = window.y0 + m.y;
        keep(object.a, m.a());
        keep(object.b, m.b());
        keep(object.theta, m.theta());

        const Ellipse rms{m.x, m.y, std::max(m.a(), 0.3), std::max(m.b(), 0.3), m.theta()};
        double kron = kronRadius(image.combined, rms, kKronReach);
        if (!std::isfinite(kron)) {
            object.flags |= FlagBadMeasurement;
            kron = kronRadius(model, rms, kKronReach);
        }
        if (!std::isfinite(kron)) kron = 1.25;
        kron = std::clamp(kron, kLeastKron, kLargestKron);
        const double semiMajor = std::max(options.kronFactor * kron * rms.a, options.kronMinimumPixels);
        const Ellipse aperture = rms.scaled(semiMajor / rms.a);
        keep(object.kronRadius, semiMajor);

        // The light outside the aperture, from a profile through the PSF of the weighted sum of bands.
        PsfMixture mixed = psf[0];
        mixed.clear();
        for (size_t b = 0; b < bands; ++b) {
            mixed.add(psf[b], light > 0.0 ? image.mixing[b] * image.spectrum[b] : image.mixing[b]);
        }
        mixed.normalise();
        const double areaRadius = std::sqrt(aperture.a * aperture.b);
        cv::Mat seen = image.combinedVariance.clone();
        seen.setTo(0.0f, image.measured == 0);
        const LightProfile profile(image.combined, seen, m, mixed, options.profileReach * areaRadius);

        const double ratio = profile.valid() ? std::min(1.0, options.fluxFactor / options.kronFactor) : 1.0;
        const double crowded =
            imager.hard() ? std::min(1.0, foreignPart(imager, k, image, aperture) / options.hardOverlap) : 0.0;

        for (size_t b = 0; b < bands; ++b) {
            BandFlux& flux = object.bands[b];
            const ApertureSum sum = sumInEllipse(image.image[b], image.variance[b], aperture);
            const double error = std::sqrt(std::max(0.0, sum.variance));
            if (error > 0.0) {
                keep(flux.autoFlux, sum.flux);
                keep(flux.autoFluxErr, error);
            }
            if (b < child.flux.size() && std::isfinite(child.flux[b])) {
                keep(flux.flux, child.flux[b]);
                if (b < child.fluxErr.size()) keep(flux.fluxErr, child.fluxErr[b]);
                keep(flux.fluxErr, templateError[k][b]);
            } else if (error > 0.0) {
                // A smaller aperture holds less noise and less of unseen neighbours. Where pixels were divided hard,
                // what a neighbour left in them outweighs the light outside the aperture: no correction there.
                const ApertureSum inner = sumInEllipse(image.image[b], image.variance[b], aperture.scaled(ratio));
                const LightProfile::Part part = profile.enclosed(ratio * areaRadius, psf[b]);
                const double corrected = inner.flux / part.value;
                const double correctedError =
                    std::hypot(std::sqrt(inner.variance), inner.flux * part.error / part.value) / part.value;
                keep(flux.flux, (1.0 - crowded) * corrected + crowded * sum.flux);
                keep(flux.fluxErr, (1.0 - crowded) * correctedError + crowded * error);
            }
        }
        if (psfKnown && profile.valid()) {
            if (std::isfinite(child.hlr)) keep(object.hlr, child.hlr);
            keep(object.hlr, profile.halfLightRadius());
            keep(object.pStar, profile.pointProbability());
        }
        const ApertureSum all = sumInEllipse(image.combined, image.combinedVariance, aperture);
        keep(object.fluxRadius, lightRadius(image.combined, m.x, m.y, all.flux, semiMajor));
        if (std::isfinite(child.hlr)) keep(object.hlr, child.hlr);
        if (count == 1) {
            keep(object.blendedness, 0.0);
        } else {
            keep(object.blendedness, blendedness(image.combined, combinedData(input, image), m));
        }
    }
}

} // namespace blendscope
