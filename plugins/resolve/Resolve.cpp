#include "Resolve.h"

#include "GroupedSearch.h"
#include "deblend/Factorization.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kFallbackFwhmPixels = 3.5;
constexpr double kMeasuredPsfError = 0.03; // least relative error of models whose PSF was estimated or guessed
constexpr double kTypicalSizeOfFwhm = 0.4; // half-light radius of a faint galaxy where the pixel scale is unknown
constexpr double kSearchEdge = 0.4;        // sky sigma: pictures of the search end there, those of the last fit later
constexpr int kSearchRadius = 40;          // pixel, at most
constexpr double kKnownPosition = 0.3;     // pixel: how far a source that was searched may move in the last fit

double fallbackFwhm(double pixelScale, const Parameters& parameters) {
    return pixelScale > 0.0 ? parameters.real(QStringLiteral("FALLBACK_FWHM")) / pixelScale : kFallbackFwhmPixels;
}

FactorizationOptions optionsOf(const Parameters& parameters, double pixelScale, const PsfSet& psf) {
    FactorizationOptions o;
    o.maxPeaks = parameters.integer(QStringLiteral("MAX_SOURCES"));
    o.profile.modelError = parameters.real(QStringLiteral("MODEL_ERROR"));
    o.profile.leastBulge = -1.0; // a profile flatter than exponential must not pass for two sources
    if (psf.measured) o.profile.modelError = std::max(o.profile.modelError, kMeasuredPsfError);
    const double typical = parameters.real(QStringLiteral("SIZE_PRIOR"));
    o.profile.sizePriorMean = std::log(pixelScale > 0.0 ? typical / pixelScale : kTypicalSizeOfFwhm * psf.fwhmPixels);
    o.profile.sizePriorSigma = parameters.real(QStringLiteral("SIZE_PRIOR_SIGMA"));
    return o;
}

} // namespace

void Resolve::prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) {
    std::vector<const Psf*> psf;
    const double fwhm = fallbackFwhm(scene.pixelScale, parameters);
    for (const Band& band : scene.bands) {
        psf.push_back(&band.psf);
        if (!band.psf.known() && !(band.psf.fwhmPixels > 0.0)) {
            context.warn(QStringLiteral("resolve: the PSF of band %1 is unknown; a Gaussian of %2 pixels FWHM is used")
                             .arg(band.name)
                             .arg(fwhm, 0, 'f', 1));
        }
    }
    m_psf.emplace(psf, fwhm);
}

BlendOutput Resolve::deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const {
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
    FactorizationOptions options = optionsOf(parameters, blend.pixelScale, psf);

    // Where somebody said where the sources are, none is added.
    const bool given =
        std::any_of(blend.peaks.begin(), blend.peaks.end(), [](const Peak& p) { return p.position >= 0; });
    if (given) return Factorization(blend, psf, options, *context.progress).run();

    SearchOptions search;
    search.profile = options.profile;
    search.profile.iterations = 8;
    search.profile.edgeSigma = kSearchEdge;
    search.profile.maxRadiusPixels = kSearchRadius;
    search.leastGain = parameters.real(QStringLiteral("LEAST_GAIN"));
    search.leastProbability = parameters.real(QStringLiteral("LEAST_PROBABILITY"));
    search.leastPeakProbability = parameters.real(QStringLiteral("LEAST_PEAK_PROBABILITY"));
    search.leastSeparation = parameters.real(QStringLiteral("LEAST_SEPARATION")) * psf.fwhmPixels;
    search.maxSources = options.maxPeaks;
    const FoundSources finder = searchSources(blend, psf, search, *context.progress);

    BlendInput more = blend;
    more.peaks.clear();
    for (const int peak : finder.peaks)
        more.peaks.push_back(blend.peaks[std::size_t(peak)]);
    const std::size_t kept = more.peaks.size();
    std::vector<JointSource> start = finder.sources;
    for (std::size_t k = 0; k < start.size(); ++k) {
        start[k].startX = start[k].x;
        start[k].startY = start[k].y;
        start[k].positionSigma = kKnownPosition;
        if (k < more.peaks.size()) continue;
        Peak peak;
        peak.x = start[k].x + blend.box.x0;
        peak.y = start[k].y + blend.box.y0;
        peak.significance = float(std::sqrt(std::max(0.0, finder.accepted[k - kept].gain)));
        more.peaks.push_back(peak);
    }
    Factorization last(more, psf, options, *context.progress);
    last.startFrom(start);
    BlendOutput output = last.run();
    output.iterations += finder.steps;
    const std::size_t found = std::min(kept, output.children.size());
    for (std::size_t i = 0; i < finder.accepted.size(); ++i) {
        SourceCandidate evidence = finder.accepted[i];
        if (found + i < output.children.size()) {
            BlendOutput::Child& child = output.children[found + i];
            evidence.object = int(found + i) + 1;
            child.extra.insert(QStringLiteral("chi2_gain"), evidence.gain);
            const QString why =
                QStringLiteral("found by the model: it gains %1 in chi-square").arg(evidence.gain, 0, 'f', 0);
            child.note = child.note.isEmpty() ? why : why + QStringLiteral("; ") + child.note;
        }
        output.candidates.push_back(evidence);
    }
    output.candidates.insert(output.candidates.end(), finder.rejected.begin(), finder.rejected.end());
    if (!finder.accepted.empty()) {
        output.message =
            QStringLiteral("%1 added to %2; ")
                .arg(finder.accepted.size() == 1 ? QStringLiteral("one source")
                                                 : QStringLiteral("%1 sources").arg(finder.accepted.size()))
                .arg(blend.peaks.size() == 1 ? QStringLiteral("one peak")
                                             : QStringLiteral("%1 peaks").arg(blend.peaks.size())) +
            output.message;
    }
    return output;
}

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::Resolve)
