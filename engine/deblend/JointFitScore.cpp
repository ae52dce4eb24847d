#include "deblend/JointFit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

// The part of JointFit that asks what one source more would gain.

namespace blendscope {

namespace {
double square(double v) {
    return v * v;
}
} // namespace

void JointFit::prepareScore() {
    normalEquations(Equations::Score);
    const int np = int(m_sources.size()) * kParameters;
    m_factor = m_hessian;
    for (int i = 0; i < np; ++i) {
        double& d = m_factor[std::size_t(i) * np + i];
        d = std::max(d, 0.0) * (1.0 + 1e-6) + 1e-9;
    }
    m_whitened = m_gradient;
    if (choleskyFactor(m_factor, np)) {
        choleskyForward(m_factor, np, m_whitened.data());
    } else {
        m_factor.clear();
    }
}

double JointFit::score(const JointSource& source, std::vector<double>& flux) {
    const int n = int(m_sources.size()), np = n * kParameters;
    flux.assign(std::size_t(m_bands), 0.0);
    if (int(m_coupling.size()) != m_bands) return 0.0;
    double fwhm = 3.0;
    for (const GaussianPsf& p : m_psf)
        fwhm = std::max(fwhm, p.fwhmPixels);
    const LaneWindow w = windowFor(source, 1.2 * fwhm + (source.point ? 0.0 : std::exp(source.logRadius)));
    m_picture.resize(w.size());
    std::vector<double> reduced(std::size_t(m_bands) * np), gram(std::size_t(m_bands) * m_bands, 0.0), rhs(m_bands);
    std::vector<double> y;
    const LaneView picture{m_picture.data(), std::size_t(w.lanes), w.size()};
    for (int b = 0; b < m_bands; ++b) {
        ProfilePicture::draw(source, m_psf[b], w, false, m_picture.data());
        float own = 0.0f;
        lane_products::all(plane(m_weight[b], w.y0, w.lane0), picture, 1, picture, 1, w.rows, w.lanes, &own);
        lane_products::withResidual(plane(m_weight[b], w.y0, w.lane0), plane(m_residual[b], w.y0, w.lane0), picture, 1,
                                    w.rows, w.lanes, &rhs[b]);
        const Coupling& coupling = m_coupling[b];
        const int m = int(coupling.active.size());
        double* v = reduced.data() + std::size_t(b) * np;
        y.assign(std::size_t(m), 0.0);
        for (int i = 0; i < m; ++i) {
            const int k = coupling.active[i];
            const LaneWindow in = m_slots[k].window.intersected(w);
            if (in.empty()) continue;
            const LaneView part{picture.at + std::size_t(in.y0 - w.y0) * w.lanes + (in.lane0 - w.lane0), picture.stride,
                                picture.plane};
            float s[kImages];
            lane_products::all(plane(m_weight[b], in.y0, in.lane0), part, 1, view(k, b, 0, in.y0, in.lane0), kImages,
                               in.rows, in.lanes, s);
            y[i] = s[0];
            for (int p = 0; p < kParameters; ++p)
                v[k * kParameters + p] = m_sources[k].flux[b] * s[1 + p];
        }
        // Fluxes give way first, then shapes, as in normalEquations().
        if (m > 0 && !coupling.block.empty()) choleskyForward(coupling.block, m, y.data());
        double left = own;
        for (int i = 0; i < m; ++i) {
            left -= square(y[i]);
            const double* c = coupling.cross.data() + std::size_t(i) * np;
            for (int p = 0; p < np; ++p)
                v[p] -= c[p] * y[i];
        }
        for (int p = 0; p < np; ++p) {
            if (m_frozen[p]) v[p] = 0.0;
        }
        gram[std::size_t(b) * m_bands + b] = std::max(left, 1e-6 * own);
        if (!m_factor.empty()) {
            choleskyForward(m_factor, np, v);
            for (int p = 0; p < np; ++p)
                rhs[b] -= v[p] * m_whitened[p];
        }
    }
    if (!m_factor.empty()) {
        for (int b = 0; b < m_bands; ++b) {
            for (int c = 0; c <= b; ++c) {
                double dot = 0.0;
                for (int p = 0; p < np; ++p)
                    dot += reduced[std::size_t(b) * np + p] * reduced[std::size_t(c) * np + p];
                gram[std::size_t(b) * m_bands + c] -= dot;
                if (b != c) gram[std::size_t(c) * m_bands + b] -= dot;
            }
        }
    }
    m_nnls.solve(gram, rhs, m_bands, flux);
    double gain = 0.0;
    for (int b = 0; b < m_bands; ++b)
        gain += flux[b] * rhs[b];
    return gain;
}

double JointFit::contrast(int source) const {
    const std::size_t n = m_sources.size();
    double own = 0.0, others = 0.0;
    for (int b = 0; b < m_bands && !m_gram.empty(); ++b) {
        const double f = m_sources[std::size_t(source)].flux[b];
        for (std::size_t j = 0; j < n; ++j) {
            const double product = f * m_sources[j].flux[b] * m_gram[b][std::size_t(source) * n + j];
            (j == std::size_t(source) ? own : others) += product;
        }
    }
    return others > 0.0 ? own / others : std::numeric_limits<double>::max();
}

double JointFit::colourDifference(int a, int b) const {
    const std::size_t n = m_sources.size();
    struct Spectral {
        double fa, fb, va, vb, ab;
    };
    std::vector<Spectral> bands;
    for (int i = 0; i < m_bands && int(m_gram.size()) == m_bands; ++i) {
        // Of the two alone: the others' fluxes are held.
        const double aa = m_gram[i][std::size_t(a) * n + a], bb = m_gram[i][std::size_t(b) * n + b];
        const double ab = m_gram[i][std::size_t(a) * n + b], det = aa * bb - ab * ab;
        if (!(det > 1e-6 * aa * bb)) continue;
        bands.push_back(
            {m_sources[std::size_t(a)].flux[i], m_sources[std::size_t(b)].flux[i], bb / det, aa / det, -ab / det});
    }
    // The ratio of the spectra that fits best, by its angle.
    const auto chi = [&](double angle) {
        const double c = std::cos(angle), s = std::sin(angle);
        double sum = 0.0;
        for (const Spectral& f : bands) {
            const double variance = c * c * f.va + s * s * f.vb - 2.0 * c * s * f.ab;
            if (variance > 0.0) sum += square(c * f.fa - s * f.fb) / variance;
        }
        return sum;
    };
    constexpr int kAngles = 60;
    const double step = 0.5 * std::numbers::pi / kAngles;
    double best = chi(0.0), at = 0.0;
    for (int i = 1; i <= kAngles; ++i) {
        if (const double now = chi(i * step); now < best) {
            best = now;
            at = i * step;
        }
    }
    double low = at - step, high = at + step;
    for (int i = 0; i < 20; ++i) {
        const double u = low + (high - low) / 3.0, v = high - (high - low) / 3.0;
        (chi(u) < chi(v) ? high : low) = chi(u) < chi(v) ? v : u;
    }
    return std::min(best, chi(0.5 * (low + high)));
}

double JointFit::alienColour(int part, int host) const {
    const std::size_t n = m_sources.size();
    struct Step { // bands that share one ratio
        double ratio, weight;
    };
    std::vector<Step> steps;
    double chi = 0.0;
    for (int i = 0; i < m_bands && int(m_gram.size()) == m_bands; ++i) {
        const double pp = m_gram[i][std::size_t(part) * n + part], hh = m_gram[i][std::size_t(host) * n + host];
        const double ph = m_gram[i][std::size_t(part) * n + host], det = pp * hh - ph * ph;
        const double f = m_sources[std::size_t(part)].flux[i], h = m_sources[std::size_t(host)].flux[i];
        if (!(det > 1e-6 * pp * hh) || !(h > 0.0)) continue;
        const double ratio = f / h;
        const double variance = (hh + ratio * ratio * pp + 2.0 * ratio * ph) / det; // of f - ratio h
        Step now{ratio, h * h / variance};
        chi += now.weight * square(now.ratio);
        // Neighbours that rise are pooled.
        while (!steps.empty() && steps.back().ratio < now.ratio) {
            const Step& last = steps.back();
            const double weight = last.weight + now.weight;
            now = {(last.ratio * last.weight + now.ratio * now.weight) / weight, weight};
            steps.pop_back();
        }
        steps.push_back(now);
    }
    for (const Step& s : steps)
        chi -= s.weight * square(s.ratio);
    return std::max(0.0, chi);
}

} // namespace blendscope
