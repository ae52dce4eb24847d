#include "deblend/Factorization.h"

#include "deblend/SymmetricTemplates.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr double kEdgeSigma = 0.05;    // pictures end where they fall below this many sky sigma
constexpr double kDegenerate = 0.98;   // correlation of two templates that cannot be told apart
constexpr double kBulgeShare = 0.03;   // least share of either part for a bulge and disk to be worth trying
constexpr double kStarLike = 0.25;     // of the FWHM: a half-light radius below it may be an error of the PSF
constexpr double kBrightSigma = 5.0;   // pixels by which a model is judged, in sky sigma of the band
constexpr int kFewestBright = 12;      // of them in a band
constexpr double kWrongShare = 0.3;    // of the light in them that a usable model may misplace
constexpr double kBulgePosition = 0.2; // pixel: bulge and disk share their centre
constexpr double kIndependent = 1e-3;  // correlation of two fluxes below which they are not written down
} // namespace

namespace {

// Share of the light in bright pixels of the footprint that the models misplace, in the worst band.
double misplacedLight(const BlendInput& blend, const std::vector<BlendOutput::Child>& children) {
    double worst = 0.0;
    for (std::size_t b = 0; b < blend.data.size(); ++b) {
        cv::Mat rest = blend.data[b].clone();
        for (const BlendOutput::Child& c : children) {
            cv::Mat part = rest(c.box.shifted(-blend.box.x0, -blend.box.y0).rect());
            part -= c.model[b];
        }
        const float least = float(kBrightSigma) * blend.skySigma[b];
        double light = 0.0, wrong = 0.0;
        int n = 0;
        for (int y = 0; y < rest.rows; ++y) {
            for (int x = 0; x < rest.cols; ++x) {
                const float d = blend.data[b].at<float>(y, x), w = blend.weight[b].at<float>(y, x);
                if (!(w > 0.0f) || !std::isfinite(w) || !std::isfinite(d)) continue;
                if (!blend.inside.at<unsigned char>(y, x)) continue;
                const float r = rest.at<float>(y, x);
                if (!(least > 0.0f) || std::max(d, d - r) < least) continue;
                light += std::max(d, 0.0f);
                wrong += std::abs(r);
                ++n;
            }
        }
        if (n >= kFewestBright && light > 0.0) worst = std::max(worst, wrong / light);
    }
    return worst;
}

} // namespace

Factorization::Factorization(const BlendInput& blend, const PsfSet& psf, const FactorizationOptions& options,
                             const Progress& progress)
    : m_blend(blend), m_psf(psf), m_options(options), m_progress(progress),
      m_fit(blend, psf.mixtures, options.profile, progress), m_bands(int(blend.data.size())) {}

BlendOutput Factorization::run() {
    fitProfiles();
    splitBulges();
    fitMorphologies();
    findErrors();
    describe();
    replaceIfWrong();
    return std::move(m_output);
}

void Factorization::fitProfiles() {
    const std::size_t most = std::size_t(std::max(1, m_options.maxPeaks));
    m_peaks.assign(m_blend.peaks.begin(), m_blend.peaks.begin() + std::ptrdiff_t(std::min(most, m_blend.peaks.size())));
    if (m_peaks.size() < m_blend.peaks.size()) m_output.flags |= FlagTooManyChildren;
    for (std::size_t k = 0; k < m_peaks.size(); ++k) {
        JointSource s;
        s.x = s.startX = m_peaks[k].x - m_blend.box.x0;
        s.y = s.startY = m_peaks[k].y - m_blend.box.y0;
        s.positionSigma = m_options.positionSigma;
        s.logRadius = m_options.profile.sizePriorMean;
        if (k < m_start.size()) s = m_start[k];
        s.flux.assign(std::size_t(m_bands), 0.0);
        m_fit.sources().push_back(s);
        m_children.push_back({int(k), -1, 0.0, false});
    }
    m_output.iterations = m_fit.run();
    if (!m_fit.converged()) m_output.flags |= FlagNotConverged;
    if (m_options.points) m_points = m_fit.choosePoints();
    for (Child& c : m_children) {
        if (!m_fit.sources()[std::size_t(c.source)].point) c.excess = m_fit.excess(c.source);
    }
}

void Factorization::splitBulges() {
    const std::vector<JointSource> before = m_fit.sources();
    std::vector<Child> children = m_children;
    // Taken before any source is added: the fit knows the sources of its last run only.
    std::vector<double> significance;
    for (const Child& c : m_children) {
        significance.push_back(m_fit.significance(c.source));
    }
    for (std::size_t k = 0; k < m_children.size(); ++k) {
        Child& c = m_children[k];
        m_progress.check();
        JointSource& s = m_fit.sources()[std::size_t(c.source)];
        if (s.point || c.excess < m_options.morphologyExcess || s.bulge < kBulgeShare || s.bulge > 1.0 - kBulgeShare ||
            significance[k] < m_options.twoComponentSignificance ||
            std::exp(s.logRadius) < kStarLike * m_psf.fwhmPixels) {
            continue;
        }
        JointSource bulge = s;
        bulge.startX = s.x;
        bulge.startY = s.y;
        bulge.positionSigma = kBulgePosition;
        bulge.bulge = 1.0;
        s.bulge = 0.0;
        bulge.fitBulge = s.fitBulge = false;
        c.bulge = int(m_fit.sources().size());
        m_fit.sources().push_back(bulge);
        ++m_split;
    }
    if (m_split == 0) return;
    const double old = m_fit.cost();
    const double now = m_fit.refine(m_options.profile.iterations);
    m_output.iterations += m_options.profile.iterations;
    // Each pair has a spectrum, a size, a shape and a position more. Where even the pair misses the light by far, what
    // it gains may be an error of the PSF or of the noise.
    double misfit = 1.0;
    for (const Child& c : m_children) {
        if (c.bulge >= 0) misfit = std::max(misfit, m_fit.misfit(c.source));
    }
    if (old - now < 2.0 * m_split * (m_bands + 5) * misfit) {
        m_fit.sources() = before;
        m_children = children;
        m_split = 0;
        m_fit.refine(0);
    }
    for (Child& c : m_children) {
        if (c.bulge >= 0) c.excess = m_fit.excess(c.source);
    }
}

void Factorization::fitMorphologies() {
    const std::vector<JointSource>& sources = m_fit.sources();
    std::vector<BlendOutput::Child>& out = m_output.children;
    const bool exact = int(m_psf.kernels.size()) == m_bands;
    std::vector<cv::Mat> data, weight;
    if (exact) {
        for (int b = 0; b < m_bands; ++b) {
            data.push_back(m_fit.usedData(b));
            weight.push_back(m_fit.weight(b));
        }
    }
    MorphologyFit free(std::move(data), std::move(weight), m_psf.kernels, m_options.morphology, m_progress);
    if (exact) {
        for (std::size_t k = 0; k < sources.size(); ++k) {
            m_progress.check();
            MorphologySource s;
            s.box = m_fit.windowTo(int(k), kEdgeSigma);
            s.x = sources[k].x;
            s.y = sources[k].y;
            s.start = m_fit.renderThrough(int(k), m_psf.frame, s.box);
            s.spectrum = sources[k].flux;
            s.frozen = true;
            free.sources().push_back(std::move(s));
        }
        for (Child& c : m_children) {
            const JointSource& s = sources[std::size_t(c.source)];
            if (s.point || m_options.useMorphology == FactorizationOptions::Morphology::Never) continue;
            c.free = m_options.useMorphology == FactorizationOptions::Morphology::Always ||
                     c.excess > m_options.morphologyExcess;
            if (!c.free) continue;
            ++m_free;
            free.sources()[std::size_t(c.source)].frozen = false;
        }
        m_output.iterations += free.run();
    }
    for (std::size_t k = 0; k < m_children.size(); ++k) {
        m_progress.check();
        const Child& c = m_children[k];
        BlendOutput::Child child;
        child.peak = m_peaks[k];
        child.peak.x = sources[std::size_t(c.source)].x + m_blend.box.x0;
        child.peak.y = sources[std::size_t(c.source)].y + m_blend.box.y0;
        std::vector<int> parts{c.source};
        if (c.bulge >= 0) parts.push_back(c.bulge);
        Box box;
        for (const int p : parts) {
            box = box.united(exact ? free.reach(p) : m_fit.windowTo(p, kEdgeSigma));
        }
        child.box = box.shifted(m_blend.box.x0, m_blend.box.y0);
        for (int b = 0; b < m_bands; ++b) {
            cv::Mat model(box.size(), CV_32F, cv::Scalar(0));
            double flux = 0.0;
            for (const int p : parts) {
                model += exact ? free.render(p, b, box) : m_fit.render(p, b, box);
                flux += exact ? free.flux(p, b) : sources[std::size_t(p)].flux[std::size_t(b)];
            }
            child.model.push_back(model);
            child.flux.push_back(float(flux));
        }
        out.push_back(std::move(child));
    }
}

void Factorization::findErrors() {
    const std::vector<std::vector<double>> all = m_fit.fluxCovariance();
    const std::size_t n = m_fit.sources().size(), count = m_children.size();
    const auto between = [&](std::size_t i, std::size_t j, std::size_t b) {
        double sum = 0.0;
        for (const int p : {m_children[i].source, m_children[i].bulge}) {
            for (const int q : {m_children[j].source, m_children[j].bulge}) {
                if (p >= 0 && q >= 0) sum += all[b][std::size_t(p) * n + std::size_t(q)];
            }
        }
        return sum;
    };
    const std::size_t bands = std::size_t(m_bands);
    for (std::size_t i = 0; i < count; ++i) {
        BlendOutput::Child& child = m_output.children[i];
        for (std::size_t b = 0; b < bands; ++b) {
            const double variance = between(i, i, b);
            child.fluxErr.push_back(variance > 0.0 ? float(std::sqrt(variance)) : kNan);
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = i + 1; j < count; ++j) {
            BlendOutput::Covariance c{int(i), int(j), {}};
            bool any = false;
            for (std::size_t b = 0; b < bands; ++b) {
                const double v = between(i, j, b), scale = std::sqrt(between(i, i, b) * between(j, j, b));
                any = any || std::abs(v) > kIndependent * scale;
                c.covariance.push_back(float(v));
            }
            if (any) m_output.covariances.push_back(std::move(c));
        }
    }
}

void Factorization::replaceIfWrong() {
    const double share = misplacedLight(m_blend, m_output.children);
    if (share < kWrongShare) return;
    const std::vector<Peak>& peaks = m_peaks; // fitted positions may be as wrong as the rest
    const SymmetricTemplates templates(m_blend, peaks, m_progress);
    std::vector<BlendOutput::Child> children;
    for (std::size_t k = 0; k < peaks.size(); ++k) {
        BlendOutput::Child child;
        child.peak = peaks[k];
        child.box = m_blend.box;
        bool light = false;
        for (int b = 0; b < m_bands; ++b) {
            child.model.push_back(templates.model(int(k), b));
            child.flux.push_back(float(templates.flux(int(k), b)));
            light = light || child.flux.back() > 0.0f;
        }
        child.flags = (m_output.children[k].flags & FlagDegenerate) | (light ? 0u : std::uint32_t(FlagNoFlux));
        child.note = QStringLiteral("no model explains this blend: its light is divided by symmetry around the peaks");
        children.push_back(std::move(child));
    }
    if (!(misplacedLight(m_blend, children) < 0.7 * share)) return;
    m_output.children = std::move(children);
    m_output.covariances.clear();
    m_output.flags |= FlagNotConverged;
    m_output.message +=
        QStringLiteral("; the models misplaced %1 % of the light, so it was divided by symmetry instead")
            .arg(100.0 * share, 0, 'f', 0);
}

void Factorization::describe() {
    for (std::size_t k = 0; k < m_children.size(); ++k) {
        const Child& c = m_children[k];
        const JointSource& s = m_fit.sources()[std::size_t(c.source)];
        BlendOutput::Child& child = m_output.children[k];
        const bool light = std::any_of(child.flux.begin(), child.flux.end(), [](float f) { return f > 0.0f; });
        if (!light) {
            child.flags |= FlagNoFlux;
            child.note = QStringLiteral("no band has light that a source here would explain");
        } else if (s.point) {
            child.flags |= FlagPointSource;
            child.note = QStringLiteral("a point explains it as well as a galaxy");
        } else if (c.free) {
            child.note = QStringLiteral("a smooth profile misses its light by %1 sigma: free morphology")
                             .arg(c.excess, 0, 'f', 0);
        } else if (c.bulge >= 0) {
            child.note = QStringLiteral("bulge and disk differ in colour");
        }
        if (light && c.bulge < 0 && m_fit.worstCorrelation(c.source) > kDegenerate) child.flags |= FlagDegenerate;
        if (light) {
            std::vector<JointSource> parts{s};
            if (c.bulge >= 0) parts.push_back(m_fit.sources()[std::size_t(c.bulge)]);
            child.hlr = halfLightRadius(parts);
        }
    }
    QStringList words;
    words << QStringLiteral("%1 fitted together in %2, %3 steps")
                 .arg(m_children.size() == 1 ? QStringLiteral("one source")
                                             : QStringLiteral("%1 sources").arg(m_children.size()))
                 .arg(m_bands == 1 ? QStringLiteral("one band") : QStringLiteral("%1 bands").arg(m_bands))
                 .arg(m_output.iterations);
    if (m_points > 0) words << QStringLiteral("%1 as points").arg(m_points);
    if (m_split > 0) words << QStringLiteral("%1 as bulge and disk of two colours").arg(m_split);
    if (m_free > 0) words << QStringLiteral("%1 with free morphology").arg(m_free);
    if (m_output.flags & FlagTooManyChildren) {
        words << QStringLiteral("only the brightest %1 of %2 peaks").arg(m_peaks.size()).arg(m_blend.peaks.size());
    }
    if (m_output.flags & FlagNotConverged) words << QStringLiteral("stopped before it converged");
    if (m_psf.guessed) words << QStringLiteral("with a guessed PSF");
    m_output.message = words.join(QStringLiteral("; "));
}

} // namespace blendscope
