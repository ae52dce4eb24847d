#include "Factorize.h"

#include "deblend/ProfileFit.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kFallbackFwhmPixels = 3.5;

double fallbackFwhm(const Psf& psf, double pixelScale, const Parameters& parameters) {
    if (psf.fwhmPixels > 0.0) return psf.fwhmPixels;
    if (pixelScale > 0.0) return parameters.real(QStringLiteral("FALLBACK_FWHM")) / pixelScale;
    return kFallbackFwhmPixels;
}

} // namespace

void Factorize::prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) {
    m_psf.clear();
    for (const Band& band : scene.bands) {
        const double fwhm = fallbackFwhm(band.psf, scene.pixelScale, parameters);
        m_psf[&band.psf] = PsfMixture::fit(band.psf.image, fwhm);
        if (!band.psf.known()) {
            context.warn(
                QStringLiteral("factorize: the PSF of band %1 is unknown, a Gaussian of %2 pixels FWHM was used")
                    .arg(band.name)
                    .arg(fwhm, 0, 'f', 1));
        }
    }
}

BlendOutput Factorize::deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const {
    BlendOutput output;
    if (blend.peaks.empty() || blend.data.empty() || blend.box.empty()) return output;
    const int maxArea = parameters.integer(QStringLiteral("MAX_AREA"));
    if (blend.box.area() > maxArea) {
        throw MethodError(QStringLiteral("not deblended: its box has %1 pixels, more than MAX_AREA = %2")
                              .arg(blend.box.area())
                              .arg(maxArea));
    }
    const int bands = int(blend.data.size());

    std::vector<PsfMixture> psf;
    double meanFwhm = 0.0;
    for (int b = 0; b < bands; ++b) {
        const auto known = m_psf.find(blend.psf[b]);
        psf.push_back(
            known != m_psf.end()
                ? known->second
                : PsfMixture::fit(blend.psf[b]->image, fallbackFwhm(*blend.psf[b], blend.pixelScale, parameters)));
        meanFwhm += psf.back().fwhmPixels / bands;
    }

    ProfileFitOptions options;
    options.modelError = parameters.real(QStringLiteral("MODEL_ERROR"));
    options.iterations = std::max(1, parameters.integer(QStringLiteral("MAX_ITERATIONS")) / options.rounds);
    const double typical = parameters.real(QStringLiteral("SIZE_PRIOR"));
    options.sizePriorMean = std::log(blend.pixelScale > 0.0 ? typical / blend.pixelScale : 0.4 * meanFwhm);
    options.sizePriorSigma = parameters.real(QStringLiteral("SIZE_PRIOR_SIGMA"));

    ProfileFit fit(blend, psf, options, *context.progress);
    const std::size_t most = std::size_t(parameters.integer(QStringLiteral("MAX_PEAKS")));
    std::vector<Peak> peaks(blend.peaks.begin(), blend.peaks.begin() + std::min(most, blend.peaks.size()));
    if (peaks.size() < blend.peaks.size()) {
        output.flags |= FlagTooManyChildren;
        output.message = QStringLiteral("only the brightest %1 of %2 peaks were deblended. ")
                             .arg(peaks.size())
                             .arg(blend.peaks.size());
    }
    for (const Peak& p : peaks) {
        ProfileSource s;
        s.x = s.startX = p.x - blend.box.x0;
        s.y = s.startY = p.y - blend.box.y0;
        s.positionSigma = parameters.real(QStringLiteral("POSITION_SIGMA"));
        s.logRadius = options.sizePriorMean;
        s.flux.assign(std::size_t(bands), 0.0);
        fit.sources().push_back(s);
    }
    output.iterations = fit.run();
    if (!fit.converged()) output.flags |= FlagNotConverged;

    for (int k = 0; k < int(fit.sources().size()); ++k) {
        context.progress->check();
        const ProfileSource& s = fit.sources()[k];
        BlendOutput::Child child;
        child.peak = peaks[k];
        child.peak.x = s.x + blend.box.x0;
        child.peak.y = s.y + blend.box.y0;
        const Box box = fit.windowTo(k, 0.03);
        child.box = box.shifted(blend.box.x0, blend.box.y0);
        bool any = false;
        for (int b = 0; b < bands; ++b) {
            child.model.push_back(fit.render(k, b, box));
            child.flux.push_back(float(s.flux[b]));
            any = any || s.flux[b] > 0.0;
        }
        if (!any) child.flags |= FlagNoFlux;
        if (fit.worstCorrelation(k) > 0.98) child.flags |= FlagDegenerate;
        child.hlr = ProfileFit::halfLightRadius(s);
        output.children.push_back(std::move(child));
    }
    output.message += QStringLiteral("%1 sources fitted together in %2 bands, %3 steps")
                          .arg(fit.sources().size())
                          .arg(bands)
                          .arg(output.iterations);
    return output;
}

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::Factorize)
