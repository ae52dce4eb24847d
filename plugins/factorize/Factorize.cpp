#include "Factorize.h"

#include "deblend/Factorization.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kFallbackFwhmPixels = 3.5;
constexpr double kMeasuredPsfError = 0.03; // least relative error of models whose PSF was estimated or guessed
constexpr double kTypicalSizeOfFwhm = 0.4; // half-light radius of a faint galaxy where the pixel scale is unknown

double fallbackFwhm(double pixelScale, const Parameters& parameters) {
    return pixelScale > 0.0 ? parameters.real(QStringLiteral("FALLBACK_FWHM")) / pixelScale : kFallbackFwhmPixels;
}

FactorizationOptions optionsOf(const Parameters& parameters, double pixelScale, double fwhmPixels) {
    FactorizationOptions o;
    o.maxPeaks = parameters.integer(QStringLiteral("MAX_PEAKS"));
    o.positionSigma = parameters.real(QStringLiteral("POSITION_SIGMA"));
    o.points = parameters.boolean(QStringLiteral("POINT_SOURCES"));
    const QString morphology = parameters.text(QStringLiteral("MORPHOLOGY"));
    using Use = FactorizationOptions::Morphology;
    o.useMorphology = morphology == QLatin1String("always")  ? Use::Always
                      : morphology == QLatin1String("never") ? Use::Never
                                                             : Use::Auto;
    o.twoComponentSignificance = parameters.real(QStringLiteral("BULGE_MIN_SNR"));
    o.morphology.monotonic = parameters.boolean(QStringLiteral("MONOTONIC"));
    o.morphology.symmetric = parameters.boolean(QStringLiteral("SYMMETRIC"));
    o.morphology.freedom = parameters.real(QStringLiteral("FREEDOM"));
    o.profile.modelError = parameters.real(QStringLiteral("MODEL_ERROR"));
    const int iterations = parameters.integer(QStringLiteral("MAX_ITERATIONS"));
    o.profile.iterations = std::max(1, iterations / o.profile.rounds);
    o.morphology.iterations = 2 * iterations;
    const double typical = parameters.real(QStringLiteral("SIZE_PRIOR"));
    o.profile.sizePriorMean = std::log(pixelScale > 0.0 ? typical / pixelScale : kTypicalSizeOfFwhm * fwhmPixels);
    o.profile.sizePriorSigma = parameters.real(QStringLiteral("SIZE_PRIOR_SIGMA"));
    return o;
}

} // namespace

void Factorize::prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) {
    std::vector<const Psf*> psf;
    const double fwhm = fallbackFwhm(scene.pixelScale, parameters);
    for (const Band& band : scene.bands) {
        psf.push_back(&band.psf);
        if (!band.psf.known() && !(band.psf.fwhmPixels > 0.0)) {
            context.warn(
                QStringLiteral("factorize: the PSF of band %1 is unknown; a Gaussian of %2 pixels FWHM is used")
                    .arg(band.name)
                    .arg(fwhm, 0, 'f', 1));
        }
    }
    m_psf.emplace(psf, fwhm);
}

BlendOutput Factorize::deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const {
    if (blend.peaks.empty() || blend.data.empty() || blend.box.empty()) return {};
    const int maxArea = parameters.integer(QStringLiteral("MAX_AREA"));
    if (blend.box.area() > maxArea) {
        throw MethodError(QStringLiteral("not deblended: its box has %1 pixels, more than MAX_AREA = %2")
                              .arg(blend.box.area())
                              .arg(maxArea));
    }
    std::optional<PsfSet> own;
    if (!m_psf || m_psf->source != blend.psf) own.emplace(blend.psf, fallbackFwhm(blend.pixelScale, parameters));
    const PsfSet& psf = own ? *own : *m_psf;
    FactorizationOptions options = optionsOf(parameters, blend.pixelScale, psf.fwhmPixels);
    if (psf.measured) options.profile.modelError = std::max(options.profile.modelError, kMeasuredPsfError);
    return Factorization(blend, psf, options, *context.progress).run();
}

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::Factorize)
