#include "deblend/JointFit.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr double kMaxEllipticity = 2.3; // axis ratio 0.1
constexpr double kMinLogRadius = -3.0;
constexpr double kClippedLevel = 0.99; // of the brightest pixel; more of them than a PSF's top has are a ceiling
constexpr double kClippedSigma = 50.0; // fainter plateaus are noise

double square(double v) {
    return v * v;
}

} // namespace

JointFit::JointFit(const BlendInput& blend, const std::vector<GaussianPsf>& psf, const JointFitOptions& options,
                   const Progress& progress)
    : m_blend(blend), m_psf(psf), m_options(options), m_progress(progress) {
    m_bands = int(blend.data.size());
    m_width = blend.box.width;
    m_height = blend.box.height;
    m_stride = (m_width + kLanes - 1) / kLanes;
    m_data.resize(m_bands);
    m_base.resize(m_bands);
    for (int b = 0; b < m_bands; ++b) {
        m_data[b].assign(std::size_t(m_stride) * m_height, lanes(0.0f));
        m_base[b] = m_data[b];
        for (int y = 0; y < m_height; ++y) {
            const float* d = blend.data[b].ptr<float>(y);
            const float* w = blend.weight[b].ptr<float>(y);
            const unsigned char* other = blend.others.empty() ? nullptr : blend.others.ptr<unsigned char>(y);
            float* data = reinterpret_cast<float*>(m_data[b].data() + std::size_t(y) * m_stride);
            float* base = reinterpret_cast<float*>(m_base[b].data() + std::size_t(y) * m_stride);
            for (int x = 0; x < m_width; ++x) {
                if (!std::isfinite(d[x]) || !std::isfinite(w[x]) || !(w[x] > 0.0f)) continue;
                if (other && other[x]) continue; // another footprint's light
                data[x] = d[x];
                base[x] = w[x];
                ++m_used;
            }
        }
    }
    for (int b = 0; b < m_bands; ++b)
        dropClipped(b);
    m_weight = m_plainWeight = m_base;
    m_residual = m_data;
}

// A detector or a pipeline that clips leaves a plateau at the image's ceiling, which no mask may tell of.
void JointFit::dropClipped(int band) {
    float top = 0.0f;
    for (std::size_t i = 0; i < m_data[band].size(); ++i) {
        for (int l = 0; l < kLanes; ++l)
            top = std::max(top, m_data[band][i][l]);
    }
    const float sigma = band < int(m_blend.skySigma.size()) ? m_blend.skySigma[band] : 0.0f;
    if (!(sigma > 0.0f) || top < float(kClippedSigma) * sigma) return;
    cv::Mat flat(m_height, m_width, CV_8U, cv::Scalar(0));
    const cv::Mat data = matrix(m_data[band]);
    for (int y = 0; y < m_height; ++y) {
        for (int x = 0; x < m_width; ++x)
            flat.at<unsigned char>(y, x) = data.at<float>(y, x) >= float(kClippedLevel) * top ? 255 : 0;
    }
    const double fwhm = m_psf[band].fwhmPixels;
    if (cv::countNonZero(flat) < std::max(4.0, 0.2 * fwhm * fwhm)) return;
    cv::dilate(flat, flat, cv::Mat()); // neighbours are partly clipped
    for (int y = 0; y < m_height; ++y) {
        float* base = reinterpret_cast<float*>(m_base[band].data() + std::size_t(y) * m_stride);
        for (int x = 0; x < m_width; ++x) {
            if (!flat.at<unsigned char>(y, x) || !(base[x] > 0.0f)) continue;
            base[x] = 0.0f;
            --m_used;
            ++m_clipped;
        }
    }
}

double JointFit::priorOf(const JointSource& s) const {
    double p = (square(s.x - s.startX) + square(s.y - s.startY)) / square(s.positionSigma);
    if (s.point) return p;
    p += square((s.logRadius - m_options.sizePriorMean) / m_options.sizePriorSigma);
    p += (square(s.e1) + square(s.e2)) / square(m_options.shapePriorSigma);
    p += square((s.bulge - m_options.bulgePriorMean) / m_options.bulgePriorSigma);
    return p;
}

double JointFit::radiusTo(const JointSource& s, double sigmas) const {
    const double a2 = s.point ? 0.0 : std::exp(2.0 * s.logRadius + std::hypot(s.e1, s.e2));
    double widest = 0.0;
    ProfileTerm terms[16];
    const int n = listProfileTerms(s, false, terms);
    for (int b = 0; b < m_bands; ++b) {
        const double flux = b < int(s.flux.size()) ? s.flux[b] : 0.0;
        const double level = sigmas * m_blend.skySigma[b];
        if (!(flux > 0.0) || !(level > 0.0)) continue;
        const GaussianPsf& psf = m_psf[b];
        const double p2 = std::max(psf.shapeXx, psf.shapeYy);
        const double pMinor = std::sqrt(psf.shapeXx * psf.shapeYy - psf.shapeXy * psf.shapeXy);
        const double minor2 = s.point ? 0.0 : std::exp(2.0 * s.logRadius - std::hypot(s.e1, s.e2));
        for (double r = std::max(4.0, widest); r < m_options.maxRadiusPixels; r = r * 1.08 + 0.5) {
            double v = 0.0;
            for (int i = 0; i < n; ++i) {
                for (const GaussianTerm& t : psf.terms) {
                    const double major = terms[i].variance * a2 + t.variance * p2;
                    const double minor = terms[i].variance * minor2 + t.variance * pMinor;
                    v += terms[i].amplitude * t.amplitude * std::exp(-0.5 * r * r / major) /
                         (2.0 * std::numbers::pi * std::sqrt(major * minor));
                }
            }
            if (flux * v < level) break;
            widest = r;
        }
    }
    return widest;
}

LaneWindow JointFit::windowFor(const JointSource& s, double radius) const {
    const int r = int(std::ceil(radius));
    const int cx = int(std::lround(s.x)), cy = int(std::lround(s.y));
    const int x0 = std::clamp(cx - r, 0, m_width - 1), x1 = std::clamp(cx + r + 1, x0 + 1, m_width);
    const int y0 = std::clamp(cy - r, 0, m_height - 1), y1 = std::clamp(cy + r + 1, y0 + 1, m_height);
    LaneWindow w;
    w.lane0 = x0 / kLanes;
    w.lanes = (x1 + kLanes - 1) / kLanes - w.lane0;
    w.y0 = y0;
    w.rows = y1 - y0;
    return w;
}

void JointFit::makeWindows(bool first) {
    double fwhm = 3.0;
    for (const GaussianPsf& p : m_psf)
        fwhm = std::max(fwhm, p.fwhmPixels);
    m_slots.resize(m_sources.size());
    for (std::size_t k = 0; k < m_sources.size(); ++k) {
        const double least = 1.5 * fwhm + 2.0;
        const double r =
            first ? std::max(3.0 * fwhm, 12.0) : std::max(least, radiusTo(m_sources[k], m_options.edgeSigma) + 1.0);
        Slot& slot = m_slots[k];
        slot.window = windowFor(m_sources[k], std::min(r, double(m_options.maxRadiusPixels)));
        slot.images.resize(std::size_t(m_bands) * kImages * slot.window.rows * slot.window.lanes);
    }
    listPairs();
}

void JointFit::listPairs() {
    m_pairs.clear();
    const int n = int(m_sources.size());
    for (int a = 0; a < n; ++a) {
        for (int b = a; b < n; ++b) {
            if (m_slots[a].window.overlaps(m_slots[b].window)) {
                m_pairs.push_back({a, b, std::vector<float>(std::size_t(m_bands) * kImages * kImages, 0.0f)});
            }
        }
    }
}

void JointFit::draw(int source, bool derivatives) {
    const LaneWindow& w = m_slots[source].window;
    for (int b = 0; b < m_bands; ++b) {
        ProfilePicture::draw(m_sources[source], m_psf[b], w, derivatives, image(source, b, 0));
    }
}

LaneView JointFit::view(int source, int band, int which, int row, int lane) const {
    const Slot& s = m_slots[std::size_t(source)];
    const std::size_t plane = s.window.size(), stride = std::size_t(s.window.lanes);
    return {s.images.data() + (std::size_t(band) * kImages + std::size_t(which)) * plane +
                std::size_t(row - s.window.y0) * stride + std::size_t(lane - s.window.lane0),
            stride, plane};
}

LaneView JointFit::plane(const LaneVector& values, int row, int lane) const {
    return {values.data() + std::size_t(row) * m_stride + std::size_t(lane), std::size_t(m_stride), 0};
}

void JointFit::templateProducts() {
    const int n = int(m_sources.size());
    m_gram.resize(m_bands);
    m_rhs.resize(m_bands);
    for (int b = 0; b < m_bands; ++b) {
        m_gram[b].assign(std::size_t(n) * n, 0.0);
        m_rhs[b].assign(std::size_t(n), 0.0);
        for (const Pair& p : m_pairs) {
            const LaneWindow in = m_slots[p.a].window.intersected(m_slots[p.b].window);
            const LaneView w = plane(m_weight[b], in.y0, in.lane0), a = view(p.a, b, 0, in.y0, in.lane0);
            float total = 0.0f;
            lane_products::all(w, a, 1, view(p.b, b, 0, in.y0, in.lane0), 1, in.rows, in.lanes, &total);
            m_gram[b][std::size_t(p.a) * n + p.b] = m_gram[b][std::size_t(p.b) * n + p.a] = total;
            if (p.a != p.b) continue;
            lane_products::withResidual(w, plane(m_data[b], in.y0, in.lane0), a, 1, in.rows, in.lanes, &m_rhs[b][p.a]);
        }
    }
}

void JointFit::fluxes() {
    const int n = int(m_sources.size());
    std::vector<double> x(std::size_t(n), 0.0);
    for (int b = 0; b < m_bands; ++b) {
        for (int k = 0; k < n; ++k)
            x[k] = m_sources[k].flux[b];
        m_nnls.solve(m_gram[b], m_rhs[b], n, x);
        for (int k = 0; k < n; ++k)
            m_sources[k].flux[b] = x[k];
    }
}

void JointFit::residuals() {
    m_chi = 0.0;
    for (int b = 0; b < m_bands; ++b) {
        m_residual[b] = m_data[b];
        for (int k = 0; k < int(m_sources.size()); ++k) {
            const float f = float(m_sources[k].flux[b]);
            if (!(f > 0.0f)) continue;
            const LaneWindow& w = m_slots[k].window;
            lane_products::subtract(m_residual[b].data() + std::size_t(w.y0) * m_stride + w.lane0,
                                    std::size_t(m_stride), view(k, b, 0, w.y0, w.lane0), f, w.rows, w.lanes);
        }
        m_chi += lane_products::squares(plane(m_weight[b], 0, 0), plane(m_residual[b], 0, 0), m_height, m_stride);
    }
    m_prior = 0.0;
    for (const JointSource& s : m_sources)
        m_prior += priorOf(s);
}

double JointFit::evaluate() {
    for (int k = 0; k < int(m_sources.size()); ++k) {
        m_progress.check();
        draw(k, true);
    }
    templateProducts();
    fluxes();
    residuals();
    return m_chi + m_prior;
}

void JointFit::updateWeights(bool first) {
    for (int b = 0; b < m_bands; ++b) {
        const double gain = b < int(m_blend.gain.size()) ? m_blend.gain[b] : 0.0;
        const float perCount = gain > 0.0 ? float(1.0 / gain) : 0.0f;
        const float error2 = float(square(m_options.modelError));
        for (std::size_t i = 0; i < m_base[b].size(); ++i) {
            // The first time there is no model: the data stand in, which biases by their noise but not for long.
            const Lanes raw = first ? m_data[b][i] : m_data[b][i] - m_residual[b][i];
            const Lanes model = raw > lanes(0.0f) ? raw : lanes(0.0f);
            const Lanes w = m_base[b][i];
            const Lanes plain = w / (lanes(1.0f) + w * model * (lanes(perCount) + lanes(error2) * model));
            m_plainWeight[b][i] = m_weight[b][i] = plain;
            if (first || !(m_options.outlierSigma > 0.0)) continue;
            for (int l = 0; l < kLanes; ++l) {
                const float t = std::abs(m_residual[b][i][l]) * std::sqrt(plain[l]);
                if (t > float(m_options.outlierSigma)) m_weight[b][i][l] = plain[l] * float(m_options.outlierSigma) / t;
            }
        }
    }
}

void JointFit::normalEquations(Equations purpose) {
    const int n = int(m_sources.size()), np = n * kParameters;
    const bool errors = purpose == Equations::Errors;
    m_frozen.assign(std::size_t(np), 0);
    if (purpose != Equations::Step) m_coupling.assign(std::size_t(m_bands), {});
    m_hessian.assign(std::size_t(np) * np, 0.0);
    m_gradient.assign(std::size_t(np), 0.0);

    // Products of every derivative image with every image of an overlapping source.
    for (Pair& p : m_pairs) {
        const LaneWindow in = m_slots[p.a].window.intersected(m_slots[p.b].window);
        for (int b = 0; b < m_bands; ++b) {
            const bool a = m_sources[p.a].flux[b] > 0.0, c = m_sources[p.b].flux[b] > 0.0;
            float* out = p.products.data() + std::size_t(b) * kImages * kImages;
            std::fill(out, out + kImages * kImages, 0.0f);
            if (errors ? !(a || c) : !(a && c)) continue;
            lane_products::all(plane(m_weight[b], in.y0, in.lane0), view(p.a, b, 0, in.y0, in.lane0), kImages,
                               view(p.b, b, 0, in.y0, in.lane0), kImages, in.rows, in.lanes, out);
        }
        m_progress.check();
    }

    std::vector<int> active, rank(static_cast<std::size_t>(n));
    for (int b = 0; b < m_bands; ++b) {
        // Gradient: derivative images against the weighted residual.
        for (int k = 0; k < n; ++k) {
            const double f = m_sources[k].flux[b];
            if (!(f > 0.0)) continue;
            const LaneWindow& w = m_slots[k].window;
            double g[kParameters];
            lane_products::withResidual(plane(m_weight[b], w.y0, w.lane0), plane(m_residual[b], w.y0, w.lane0),
                                        view(k, b, 1, w.y0, w.lane0), kParameters, w.rows, w.lanes, g);
            for (int p = 0; p < kParameters; ++p)
                m_gradient[k * kParameters + p] += f * g[p];
        }
        // Hessian of the shapes alone, and their coupling to the fluxes.
        active.clear();
        std::fill(rank.begin(), rank.end(), -1);
        for (int k = 0; k < n; ++k) {
            const bool seen = errors && m_gram[b][std::size_t(k) * n + k] > 0.0;
            if (!seen && !(m_sources[k].flux[b] > 0.0)) continue;
            rank[k] = int(active.size());
            active.push_back(k);
        }
        if (active.empty()) continue;
        m_cross.assign(active.size() * std::size_t(np), 0.0); // [active flux][parameter]
        for (const Pair& p : m_pairs) {
            if (rank[p.a] < 0 || rank[p.b] < 0) continue;
            const float* q = p.products.data() + std::size_t(b) * kImages * kImages;
            const double fa = m_sources[p.a].flux[b], fb = m_sources[p.b].flux[b];
            for (int i = 0; i < kParameters; ++i) {
                m_cross[std::size_t(rank[p.b]) * np + p.a * kParameters + i] = fa * q[(1 + i) * kImages];
                m_cross[std::size_t(rank[p.a]) * np + p.b * kParameters + i] = fb * q[1 + i];
                for (int j = 0; j < kParameters; ++j) {
                    const double h = fa * fb * q[(1 + i) * kImages + 1 + j];
                    const int r = p.a * kParameters + i, c = p.b * kParameters + j;
                    m_hessian[std::size_t(r) * np + c] += h;
                    if (p.a != p.b) m_hessian[std::size_t(c) * np + r] += h;
                }
            }
        }
        eliminateFluxes(b, active, purpose != Equations::Step);
    }
    addPriors(purpose);
}

// Free fluxes follow the shapes (variable projection): takes out what they absorb.
void JointFit::eliminateFluxes(int band, const std::vector<int>& active, bool keep) {
    const int n = int(m_sources.size()), np = n * kParameters, m = int(active.size());
    m_block.assign(std::size_t(m) * m, 0.0);
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < m; ++j) {
            m_block[std::size_t(i) * m + j] = m_gram[band][std::size_t(active[i]) * n + active[j]];
        }
        m_block[std::size_t(i) * m + i] *= 1.0 + 1e-6;
    }
    if (!choleskyFactor(m_block, m)) return;
    for (int i = 0; i < m; ++i) { // forward substitution on all columns at once
        double* ri = m_cross.data() + std::size_t(i) * np;
        for (int k = 0; k < i; ++k) {
            const double c = m_block[std::size_t(i) * m + k];
            if (c == 0.0) continue;
            const double* rk = m_cross.data() + std::size_t(k) * np;
            for (int j = 0; j < np; ++j)
                ri[j] -= c * rk[j];
        }
        const double d = 1.0 / m_block[std::size_t(i) * m + i];
        for (int j = 0; j < np; ++j)
            ri[j] *= d;
    }
    for (int i = 0; i < m; ++i) {
        const double* ri = m_cross.data() + std::size_t(i) * np;
        for (int r = 0; r < np; ++r) {
            if (ri[r] == 0.0) continue;
            double* h = m_hessian.data() + std::size_t(r) * np;
            for (int c = 0; c <= r; ++c)
                h[c] -= ri[r] * ri[c];
        }
    }
    if (keep) m_coupling[band] = {active, m_block, m_cross};
}

// Priors, and parameters that do not move.
void JointFit::addPriors(Equations purpose) {
    const int n = int(m_sources.size()), np = n * kParameters;
    const bool errors = purpose == Equations::Errors;
    for (int k = 0; k < n; ++k) {
        const JointSource& s = m_sources[k];
        const double value[kParameters] = {s.x - s.startX, s.y - s.startY, s.logRadius - m_options.sizePriorMean,
                                           s.e1,           s.e2,           s.bulge - m_options.bulgePriorMean};
        const double sigma[kParameters] = {s.positionSigma,           s.positionSigma,
                                           m_options.sizePriorSigma,  m_options.shapePriorSigma,
                                           m_options.shapePriorSigma, m_options.bulgePriorSigma};
        for (int p = 0; p < kParameters; ++p) {
            const int r = k * kParameters + p;
            double& h = m_hessian[std::size_t(r) * np + r];
            const double w = errors && p < 2 ? 0.0 : 1.0 / square(sigma[p]);
            h += w;
            m_gradient[r] -= w * value[p];
            bool frozen = p >= 2 && (s.point || !s.fitShape);
            if (p == 5) {
                frozen = frozen || !s.fitBulge;
                if (!errors) {
                    frozen = frozen || (s.bulge <= m_options.leastBulge && m_gradient[r] < 0.0) ||
                             (s.bulge >= 1.0 && m_gradient[r] > 0.0);
                }
            }
            if (!frozen) continue;
            m_frozen[r] = 1;
            m_gradient[r] = 0.0;
            for (int c = 0; c < np; ++c) {
                m_hessian[std::size_t(r) * np + c] = 0.0;
                m_hessian[std::size_t(c) * np + r] = 0.0;
            }
            h = 1.0;
        }
    }
}

bool JointFit::step(double& lambda) {
    const int n = int(m_sources.size()), np = n * kParameters;
    const double before = m_chi + m_prior;
    normalEquations(Equations::Step);
    m_saved = m_sources;
    for (int attempt = 0; attempt < 5; ++attempt) {
        m_progress.check();
        m_damped = m_hessian;
        for (int i = 0; i < np; ++i) {
            double& d = m_damped[std::size_t(i) * np + i];
            d = std::max(d, 0.0) * (1.0 + lambda) + 1e-9;
        }
        m_step = m_gradient;
        if (choleskyFactor(m_damped, np)) {
            choleskyForward(m_damped, np, m_step.data());
            choleskyBackward(m_damped, np, m_step.data());
            for (int k = 0; k < n; ++k) {
                JointSource& s = m_sources[k];
                const double* d = m_step.data() + std::size_t(k) * kParameters;
                s.x = std::clamp(s.x + std::clamp(d[0], -1.0, 1.0), -0.5, m_width - 0.5);
                s.y = std::clamp(s.y + std::clamp(d[1], -1.0, 1.0), -0.5, m_height - 0.5);
                s.logRadius = std::clamp(s.logRadius + std::clamp(d[2], -0.7, 0.7), kMinLogRadius,
                                         std::log(double(m_options.maxRadiusPixels)));
                s.e1 += std::clamp(d[3], -0.5, 0.5);
                s.e2 += std::clamp(d[4], -0.5, 0.5);
                const double e = std::hypot(s.e1, s.e2);
                if (e > kMaxEllipticity) {
                    s.e1 *= kMaxEllipticity / e;
                    s.e2 *= kMaxEllipticity / e;
                }
                s.bulge = std::clamp(s.bulge + std::clamp(d[5], -0.3, 0.3), m_options.leastBulge, 1.0);
            }
            const double after = evaluate();
            if (after < before) {
                lambda = std::max(lambda * 0.2, 1e-5);
                return before - after > m_options.tolerance;
            }
            m_sources = m_saved;
        }
        lambda = std::max(lambda * 6.0, 1e-3);
    }
    evaluate();
    return false;
}

int JointFit::run() {
    return rounds(m_options.rounds, true);
}

int JointFit::settle(int count) {
    return rounds(count, false);
}

int JointFit::rounds(int count, bool first) {
    int steps = 0;
    for (JointSource& s : m_sources)
        s.flux.resize(std::size_t(m_bands), 0.0);
    m_converged = false;
    if (m_sources.empty() || m_used == 0) return 0;
    for (int round = 0; round < count; ++round) {
        m_progress.check();
        const bool start = first && round == 0;
        makeWindows(start);
        updateWeights(start);
        evaluate();
        double lambda = start ? 1e-2 : 1e-3;
        m_converged = false;
        for (int i = 0; i < m_options.iterations; ++i) {
            ++steps;
            if (!step(lambda)) {
                m_converged = true;
                break;
            }
        }
    }
    // Where the noise was underestimated everywhere, residuals are no sign of structure.
    std::vector<float> normalised;
    for (int b = 0; b < m_bands; ++b) {
        for (std::size_t i = 0; i < m_residual[b].size(); ++i) {
            for (int l = 0; l < kLanes; ++l) {
                const float w = m_plainWeight[b][i][l];
                if (w > 0.0f) normalised.push_back(std::abs(m_residual[b][i][l]) * std::sqrt(w));
            }
        }
    }
    if (!normalised.empty()) {
        const auto middle = normalised.begin() + std::ptrdiff_t(normalised.size() / 2);
        std::nth_element(normalised.begin(), middle, normalised.end());
        m_noiseScale = std::max(1.0, square(1.4826 * double(*middle)));
    }
    return steps;
}

double JointFit::refine(int steps) {
    double fwhm = 3.0;
    for (const GaussianPsf& p : m_psf)
        fwhm = std::max(fwhm, p.fwhmPixels);
    m_slots.resize(m_sources.size());
    for (std::size_t k = 0; k < m_sources.size(); ++k) {
        Slot& slot = m_slots[k];
        m_sources[k].flux.resize(std::size_t(m_bands), 0.0);
        const double r = std::max(3.0 * fwhm, radiusTo(m_sources[k], m_options.edgeSigma) + 1.0);
        slot.window = windowFor(m_sources[k], std::min(r, double(m_options.maxRadiusPixels)));
        slot.images.resize(std::size_t(m_bands) * kImages * slot.window.rows * slot.window.lanes);
    }
    listPairs();
    evaluate();
    double lambda = 1e-2;
    for (int i = 0; i < steps && step(lambda); ++i) {
    }
    return cost();
}

int JointFit::choosePoints() {
    double narrow = 1e9;
    for (const GaussianPsf& p : m_psf)
        narrow = std::min(narrow, p.fwhmPixels);
    int chosen = 0;
    for (int k = 0; k < int(m_sources.size()); ++k) {
        JointSource& s = m_sources[std::size_t(k)];
        if (s.point || std::exp(s.logRadius) > 0.25 * narrow) continue;
        const std::vector<JointSource> before = m_sources;
        const double galaxy = cost();
        s.point = true;
        draw(k, true);
        templateProducts();
        fluxes();
        residuals();
        if (cost() + m_options.pointOdds <= galaxy) {
            ++chosen;
            continue;
        }
        m_sources = before;
        draw(k, true);
        templateProducts();
        fluxes();
        residuals();
    }
    return chosen;
}

} // namespace blendscope
