#include "deblend/JointFit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr double kMaxEllipticity = 2.3; // axis ratio 0.1
constexpr double kMinLogRadius = -3.0;
constexpr double kGaussianVariance = 0.7213475; // of a Gaussian of unit half-light radius
constexpr double kClippedLevel = 0.99; // of the brightest pixel; more of them than a PSF's top has are a ceiling
constexpr double kClippedSigma = 50.0; // fainter plateaus are noise
constexpr double kCut = 23.0;          // a Gaussian is drawn out to exp(-kCut / 2) of its peak

// Covariance of unit half-light radius^2, and its derivatives by (ln r, e1, e2).
struct ShapeMatrix {
    double xx, yy, xy;
    double dxx[3], dyy[3], dxy[3];

    ShapeMatrix(double logRadius, double e1, double e2) {
        const double r2 = std::exp(2.0 * logRadius);
        const double eta2 = e1 * e1 + e2 * e2;
        const double eta = std::sqrt(eta2);
        const double c = std::cosh(eta);
        const double s = eta > 1e-4 ? std::sinh(eta) / eta : 1.0 + eta2 / 6.0;
        const double t = eta > 1e-3 ? (c - s) / eta2 : 1.0 / 3.0;
        xx = r2 * (c + s * e1);
        yy = r2 * (c - s * e1);
        xy = r2 * s * e2;
        dxx[0] = 2.0 * xx;
        dyy[0] = 2.0 * yy;
        dxy[0] = 2.0 * xy;
        const double e[2] = {e1, e2};
        for (int i = 0; i < 2; ++i) {
            const double dc = s * e[i], ds = t * e[i];
            dxx[1 + i] = r2 * (dc + ds * e1 + (i == 0 ? s : 0.0));
            dyy[1 + i] = r2 * (dc - ds * e1 - (i == 0 ? s : 0.0));
            dxy[1 + i] = r2 * (ds * e2 + (i == 1 ? s : 0.0));
        }
    }
};

struct Term {
    double amplitude, derivative, variance; // derivative of the amplitude by the bulge share
};

int listTerms(const JointSource& s, bool derivatives, Term* terms) {
    int n = 0;
    if (s.bulge < 0.0) {
        for (const GaussianTerm& t : exponentialGaussians()) {
            terms[n++] = {(1.0 + s.bulge) * t.amplitude, t.amplitude, t.variance};
        }
        terms[n++] = {-s.bulge, -1.0, kGaussianVariance};
        return n;
    }
    const bool bulge = s.bulge > 1e-4 || (derivatives && s.fitBulge);
    for (const GaussianTerm& t : exponentialGaussians()) {
        terms[n++] = {(1.0 - s.bulge) * t.amplitude, -t.amplitude, t.variance};
    }
    if (bulge) {
        for (const GaussianTerm& t : deVaucouleursGaussians()) {
            terms[n++] = {s.bulge * t.amplitude, t.amplitude, t.variance};
        }
    }
    return n;
}

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
    const cv::Mat data = plane(m_data[band]);
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
    Term terms[16];
    const int n = s.point ? 1 : listTerms(s, false, terms);
    if (s.point) terms[0] = {1.0, 0.0, 0.0};
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

JointFit::Window JointFit::windowFor(const JointSource& s, double radius) const {
    const int r = int(std::ceil(radius));
    const int cx = int(std::lround(s.x)), cy = int(std::lround(s.y));
    const int x0 = std::clamp(cx - r, 0, m_width - 1), x1 = std::clamp(cx + r + 1, x0 + 1, m_width);
    const int y0 = std::clamp(cy - r, 0, m_height - 1), y1 = std::clamp(cy + r + 1, y0 + 1, m_height);
    Window w;
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

void JointFit::drawBand(const JointSource& s, const GaussianPsf& psf, const Window& w, bool derivatives,
                        Lanes* images) const {
    const std::size_t plane = std::size_t(w.rows) * w.lanes;
    const int planes = derivatives ? kImages : 1;
    std::fill(images, images + plane * planes, lanes(0.0f));
    Term terms[16];
    int n = 1;
    if (s.point) {
        terms[0] = {1.0, 0.0, 0.0};
    } else {
        n = listTerms(s, derivatives, terms);
    }
    const ShapeMatrix shape(s.logRadius, s.e1, s.e2);
    const Lanes ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    Lanes* const image0 = images;
    for (int i = 0; i < n; ++i) {
        const Term& t = terms[i];
        for (const GaussianTerm& p : psf.terms) {
            const double mxx = t.variance * shape.xx + p.variance * psf.shapeXx;
            const double myy = t.variance * shape.yy + p.variance * psf.shapeYy;
            const double mxy = t.variance * shape.xy + p.variance * psf.shapeXy;
            const double det = mxx * myy - mxy * mxy;
            const double ixx = myy / det, iyy = mxx / det, ixy = -mxy / det;
            const double norm = p.amplitude / (2.0 * std::numbers::pi * std::sqrt(det));
            const double reachY = std::sqrt(kCut * myy);
            const int y0 = std::max(w.y0, int(std::ceil(s.y - reachY)));
            const int y1 = std::min(w.y0 + w.rows, int(std::floor(s.y + reachY)) + 1);
            const Lanes vxx = lanes(float(ixx)), vyy = lanes(float(iyy)), vxy = lanes(float(ixy));
            const Lanes amp = lanes(float(norm * t.amplitude)), damp = lanes(float(norm * t.derivative));
            const Lanes half = lanes(float(0.5 * norm * t.amplitude * t.variance));
            for (int y = y0; y < y1; ++y) {
                const double dy = y - s.y;
                const double room = (kCut - dy * dy / myy) / ixx;
                if (room <= 0.0) continue;
                const double centre = s.x - ixy / ixx * dy, reach = std::sqrt(room);
                const int l0 = std::max(w.lane0, int(std::floor((centre - reach) / kLanes)));
                const int l1 = std::min(w.lane0 + w.lanes, int(std::floor((centre + reach) / kLanes)) + 1);
                const Lanes vdy = lanes(float(dy));
                const Lanes ydy = vyy * vdy, xdy = vxy * vdy;
                Lanes* row = image0 + std::size_t(y - w.y0) * w.lanes - w.lane0;
                if (!derivatives) {
                    for (int l = l0; l < l1; ++l) {
                        const Lanes dx = ramp + lanes(float(l * kLanes - s.x));
                        const Lanes px = vxx * dx + xdy, py = vxy * dx + ydy;
                        row[l] += amp * expNegative(lanes(-0.5f) * (dx * px + vdy * py));
                    }
                    continue;
                }
                for (int l = l0; l < l1; ++l) {
                    const Lanes dx = ramp + lanes(float(l * kLanes - s.x));
                    const Lanes px = vxx * dx + xdy, py = vxy * dx + ydy;
                    const Lanes e = expNegative(lanes(-0.5f) * (dx * px + vdy * py));
                    const Lanes v = amp * e, h = half * e;
                    row[l] += v;
                    row[l + plane] += v * px;
                    row[l + 2 * plane] += v * py;
                    row[l + 3 * plane] += h * (px * px - vxx);
                    row[l + 4 * plane] += h * (py * py - vyy);
                    row[l + 5 * plane] += h * (px * py - vxy);
                    row[l + 6 * plane] += damp * e;
                }
            }
        }
    }
    if (!derivatives || s.point) return;
    // From derivatives by the covariance to derivatives by ln r, e1, e2; the off-diagonal element counts twice.
    Lanes m[3][3];
    for (int i = 0; i < 3; ++i) {
        m[i][0] = lanes(float(shape.dxx[i]));
        m[i][1] = lanes(float(shape.dyy[i]));
        m[i][2] = lanes(float(2.0 * shape.dxy[i]));
    }
    Lanes* d = images + 3 * plane;
    for (std::size_t k = 0; k < plane; ++k) {
        const Lanes a = d[k], b = d[k + plane], c = d[k + 2 * plane];
        for (int i = 0; i < 3; ++i)
            d[k + std::size_t(i) * plane] = m[i][0] * a + m[i][1] * b + m[i][2] * c;
    }
}

void JointFit::draw(int source, bool derivatives) {
    const Window& w = m_slots[source].window;
    for (int b = 0; b < m_bands; ++b) {
        drawBand(m_sources[source], m_psf[b], w, derivatives, image(source, b, 0));
    }
}

void JointFit::templateProducts() {
    const int n = int(m_sources.size());
    m_gram.resize(m_bands);
    m_rhs.resize(m_bands);
    for (int b = 0; b < m_bands; ++b) {
        m_gram[b].assign(std::size_t(n) * n, 0.0);
        m_rhs[b].assign(std::size_t(n), 0.0);
        for (const Pair& p : m_pairs) {
            const Window &u = m_slots[p.a].window, &v = m_slots[p.b].window;
            const int l0 = std::max(u.lane0, v.lane0), l1 = std::min(u.lane0 + u.lanes, v.lane0 + v.lanes);
            const int y0 = std::max(u.y0, v.y0), y1 = std::min(u.y0 + u.rows, v.y0 + v.rows);
            const Lanes *ta = image(p.a, b, 0), *tb = image(p.b, b, 0);
            double total = 0.0, withData = 0.0;
            for (int y = y0; y < y1; ++y) {
                const Lanes* ra = ta + std::size_t(y - u.y0) * u.lanes - u.lane0;
                const Lanes* rb = tb + std::size_t(y - v.y0) * v.lanes - v.lane0;
                const Lanes* w = m_weight[b].data() + std::size_t(y) * m_stride;
                const Lanes* d = m_data[b].data() + std::size_t(y) * m_stride;
                Lanes s = lanes(0.0f), sd = lanes(0.0f);
                for (int l = l0; l < l1; ++l) {
                    const Lanes wa = w[l] * ra[l];
                    s += wa * rb[l];
                    sd += wa * d[l];
                }
                total += sum(s);
                withData += sum(sd);
            }
            m_gram[b][std::size_t(p.a) * n + p.b] = total;
            m_gram[b][std::size_t(p.b) * n + p.a] = total;
            if (p.a == p.b) m_rhs[b][p.a] = withData;
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
            const Window& w = m_slots[k].window;
            const Lanes* t = image(k, b, 0);
            for (int y = 0; y < w.rows; ++y) {
                Lanes* r = m_residual[b].data() + std::size_t(y + w.y0) * m_stride + w.lane0;
                const Lanes* row = t + std::size_t(y) * w.lanes;
                for (int l = 0; l < w.lanes; ++l)
                    r[l] -= lanes(f) * row[l];
            }
        }
        for (int y = 0; y < m_height; ++y) {
            const Lanes* r = m_residual[b].data() + std::size_t(y) * m_stride;
            const Lanes* w = m_weight[b].data() + std::size_t(y) * m_stride;
            Lanes s = lanes(0.0f);
            for (int l = 0; l < m_stride; ++l)
                s += w[l] * r[l] * r[l];
            m_chi += sum(s);
        }
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

void JointFit::normalEquations(bool keepCoupling) {
    const int n = int(m_sources.size()), np = n * kParameters;
    m_frozen.assign(std::size_t(np), 0);
    if (keepCoupling) m_coupling.assign(std::size_t(m_bands), {});
    m_hessian.assign(std::size_t(np) * np, 0.0);
    m_gradient.assign(std::size_t(np), 0.0);

    // Products of every derivative image with every image of an overlapping source.
    for (Pair& p : m_pairs) {
        const Window &u = m_slots[p.a].window, &v = m_slots[p.b].window;
        const int l0 = std::max(u.lane0, v.lane0), l1 = std::min(u.lane0 + u.lanes, v.lane0 + v.lanes);
        const int y0 = std::max(u.y0, v.y0), y1 = std::min(u.y0 + u.rows, v.y0 + v.rows);
        const std::size_t planeA = std::size_t(u.rows) * u.lanes, planeB = std::size_t(v.rows) * v.lanes;
        for (int b = 0; b < m_bands; ++b) {
            const bool used = m_sources[p.a].flux[b] > 0.0 && m_sources[p.b].flux[b] > 0.0;
            float* out = p.products.data() + std::size_t(b) * kImages * kImages;
            std::fill(out, out + kImages * kImages, 0.0f);
            if (!used) continue;
            for (int i = 0; i < kImages; ++i) {
                const Lanes* ta = image(p.a, b, i);
                const Lanes* tb = image(p.b, b, 0);
                Lanes s[kImages];
                for (Lanes& each : s)
                    each = lanes(0.0f);
                for (int y = y0; y < y1; ++y) {
                    const Lanes* ra = ta + std::size_t(y - u.y0) * u.lanes - u.lane0;
                    const Lanes* rb = tb + std::size_t(y - v.y0) * v.lanes - v.lane0;
                    const Lanes* w = m_weight[b].data() + std::size_t(y) * m_stride;
                    for (int l = l0; l < l1; ++l) {
                        const Lanes wa = w[l] * ra[l];
                        for (int j = 0; j < kImages; ++j)
                            s[j] += wa * rb[l + std::size_t(j) * planeB];
                    }
                }
                for (int j = 0; j < kImages; ++j)
                    out[i * kImages + j] = sum(s[j]);
            }
        }
        (void)planeA;
        m_progress.check();
    }

    for (int b = 0; b < m_bands; ++b) {
        // Gradient: derivative images against the weighted residual.
        for (int k = 0; k < n; ++k) {
            const double f = m_sources[k].flux[b];
            if (!(f > 0.0)) continue;
            const Window& w = m_slots[k].window;
            for (int p = 0; p < kParameters; ++p) {
                const Lanes* t = image(k, b, 1 + p);
                double g = 0.0;
                for (int y = 0; y < w.rows; ++y) {
                    const std::size_t at = std::size_t(y + w.y0) * m_stride + w.lane0;
                    const Lanes *r = m_residual[b].data() + at, *wt = m_weight[b].data() + at;
                    const Lanes* row = t + std::size_t(y) * w.lanes;
                    Lanes s = lanes(0.0f);
                    for (int l = 0; l < w.lanes; ++l)
                        s += wt[l] * r[l] * row[l];
                    g += sum(s);
                }
                m_gradient[k * kParameters + p] += f * g;
            }
        }
        // Hessian of the shapes alone, and their coupling to the fluxes.
        std::vector<int> active;
        std::vector<int> rank(std::size_t(n), -1);
        for (int k = 0; k < n; ++k) {
            if (m_sources[k].flux[b] > 0.0) {
                rank[k] = int(active.size());
                active.push_back(k);
            }
        }
        const int m = int(active.size());
        if (m == 0) continue;
        m_block.assign(std::size_t(m) * m, 0.0);
        m_cross.assign(std::size_t(m) * np, 0.0); // [active flux][parameter]
        for (int i = 0; i < m; ++i) {
            for (int j = 0; j < m; ++j) {
                m_block[std::size_t(i) * m + j] = m_gram[b][std::size_t(active[i]) * n + active[j]];
            }
            m_block[std::size_t(i) * m + i] *= 1.0 + 1e-6;
        }
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
        // Free fluxes follow the shapes (variable projection): take out what they absorb.
        if (!choleskyFactor(m_block, m)) continue;
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
        if (keepCoupling) m_coupling[b] = {active, m_block, m_cross};
    }

    // Priors, and parameters that do not move.
    for (int k = 0; k < n; ++k) {
        const JointSource& s = m_sources[k];
        const double value[kParameters] = {s.x - s.startX, s.y - s.startY, s.logRadius - m_options.sizePriorMean,
                                           s.e1,           s.e2,           s.bulge - m_options.bulgePriorMean};
        const double sigma[kParameters] = {s.positionSigma,           s.positionSigma,
                                           m_options.sizePriorSigma,  m_options.shapePriorSigma,
                                           m_options.shapePriorSigma, m_options.bulgePriorSigma};
        for (int p = 0; p < kParameters; ++p) {
            const int r = k * kParameters + p;
            const double w = 1.0 / square(sigma[p]);
            double& h = m_hessian[std::size_t(r) * np + r];
            h += w;
            m_gradient[r] -= w * value[p];
            bool frozen = p >= 2 && (s.point || !s.fitShape);
            if (p == 5) {
                frozen = frozen || !s.fitBulge || (s.bulge <= m_options.leastBulge && m_gradient[r] < 0.0) ||
                         (s.bulge >= 1.0 && m_gradient[r] > 0.0);
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
    normalEquations();
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

void JointFit::prepareScore() {
    normalEquations(true);
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
    const Window w = windowFor(source, 1.2 * fwhm + (source.point ? 0.0 : std::exp(source.logRadius)));
    std::vector<Lanes> picture(std::size_t(w.lanes) * w.rows);
    std::vector<double> reduced(std::size_t(m_bands) * np), gram(std::size_t(m_bands) * m_bands, 0.0), rhs(m_bands);
    std::vector<double> y;
    for (int b = 0; b < m_bands; ++b) {
        drawBand(source, m_psf[b], w, false, picture.data());
        double own = 0.0, data = 0.0;
        for (int row = 0; row < w.rows; ++row) {
            const std::size_t at = std::size_t(row + w.y0) * m_stride + w.lane0;
            const Lanes *r = m_residual[b].data() + at, *wt = m_weight[b].data() + at;
            Lanes* t = picture.data() + std::size_t(row) * w.lanes;
            Lanes s = lanes(0.0f), sd = lanes(0.0f);
            for (int l = 0; l < w.lanes; ++l) {
                const Lanes weighted = wt[l] * t[l];
                s += weighted * t[l];
                sd += weighted * r[l];
                t[l] = weighted;
            }
            own += sum(s);
            data += sum(sd);
        }
        const Coupling& coupling = m_coupling[b];
        const int m = int(coupling.active.size());
        double* v = reduced.data() + std::size_t(b) * np;
        y.assign(std::size_t(m), 0.0);
        for (int i = 0; i < m; ++i) {
            const int k = coupling.active[i];
            const Window& u = m_slots[k].window;
            if (!u.overlaps(w)) continue;
            const int l0 = std::max(u.lane0, w.lane0), l1 = std::min(u.lane0 + u.lanes, w.lane0 + w.lanes);
            const int y0 = std::max(u.y0, w.y0), y1 = std::min(u.y0 + u.rows, w.y0 + w.rows);
            const std::size_t planeU = std::size_t(u.rows) * u.lanes;
            const Lanes* images = image(k, b, 0);
            Lanes s[kImages];
            for (Lanes& each : s)
                each = lanes(0.0f);
            for (int row = y0; row < y1; ++row) {
                const Lanes* t = picture.data() + std::size_t(row - w.y0) * w.lanes - w.lane0;
                const Lanes* o = images + std::size_t(row - u.y0) * u.lanes - u.lane0;
                for (int l = l0; l < l1; ++l) {
                    for (int j = 0; j < kImages; ++j)
                        s[j] += t[l] * o[l + std::size_t(j) * planeU];
                }
            }
            y[i] = sum(s[0]);
            for (int p = 0; p < kParameters; ++p)
                v[k * kParameters + p] = m_sources[k].flux[b] * sum(s[1 + p]);
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
        rhs[b] = data;
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

double JointFit::significance(int source) const {
    const std::size_t n = m_sources.size();
    double s2 = 0.0;
    for (int b = 0; b < m_bands; ++b) {
        if (m_gram.empty()) break;
        s2 += square(m_sources[std::size_t(source)].flux[b]) * m_gram[b][std::size_t(source) * n + source];
    }
    return std::sqrt(s2);
}

cv::Mat JointFit::plane(const std::vector<Lanes>& values) const {
    cv::Mat out(m_height, m_width, CV_32F);
    for (int y = 0; y < m_height; ++y) {
        std::memcpy(out.ptr<float>(y), values.data() + std::size_t(y) * m_stride, sizeof(float) * std::size_t(m_width));
    }
    return out;
}

cv::Mat JointFit::residual(int band) const {
    return plane(m_residual[band]);
}

cv::Mat JointFit::weight(int band) const {
    return plane(m_plainWeight[band]);
}

cv::Mat JointFit::usedData(int band) const {
    return plane(m_data[band]);
}

Box JointFit::windowTo(int source, double sigmas) const {
    const JointSource& s = m_sources[source];
    double fwhm = 3.0;
    for (const GaussianPsf& p : m_psf)
        fwhm = std::max(fwhm, p.fwhmPixels);
    const int r = int(std::ceil(std::max(fwhm + 2.0, radiusTo(s, sigmas))));
    const int cx = int(std::lround(s.x)), cy = int(std::lround(s.y));
    return Box{cx - r, cy - r, 2 * r + 1, 2 * r + 1}.intersected(Box{0, 0, m_width, m_height});
}

cv::Mat JointFit::render(int source, int band, const Box& box) const {
    return renderThrough(source, m_psf[band], box) * m_sources[source].flux[band];
}

cv::Mat JointFit::renderThrough(int source, const GaussianPsf& psf, const Box& box) const {
    Window w;
    w.lane0 = box.x0 / kLanes;
    w.lanes = (box.x1() + kLanes - 1) / kLanes - w.lane0;
    w.y0 = box.y0;
    w.rows = box.height;
    std::vector<Lanes> picture(std::size_t(w.lanes) * w.rows);
    drawBand(m_sources[source], psf, w, false, picture.data());
    cv::Mat out(box.height, box.width, CV_32F);
    for (int y = 0; y < box.height; ++y) {
        const float* row = reinterpret_cast<const float*>(picture.data() + std::size_t(y) * w.lanes);
        std::memcpy(out.ptr<float>(y), row + (box.x0 - w.lane0 * kLanes), sizeof(float) * std::size_t(box.width));
    }
    return out;
}

double JointFit::excess(int source) const {
    const auto [chi, count] = ownChiSquare(source);
    return count > 0.0 ? (chi / m_noiseScale - count) / std::sqrt(2.0 * count) : 0.0;
}

double JointFit::misfit(int source) const {
    const auto [chi, count] = ownChiSquare(source);
    return count > 0.0 ? std::max(1.0, chi / count) : 1.0;
}

std::pair<double, double> JointFit::ownChiSquare(int source) const {
    double chi = 0.0, count = 0.0;
    if (std::size_t(source) >= m_slots.size()) return {chi, count}; // nothing could be fitted
    const Slot& slot = m_slots[source];
    const Window& w = slot.window;
    for (int b = 0; b < m_bands; ++b) {
        const float f = float(m_sources[source].flux[b]);
        if (!(f > 0.0f)) continue;
        const Lanes* t = slot.images.data() + std::size_t(b) * kImages * w.rows * w.lanes;
        for (int y = 0; y < w.rows; ++y) {
            const std::size_t at = std::size_t(y + w.y0) * m_stride + w.lane0;
            const float* r = reinterpret_cast<const float*>(m_residual[b].data() + at);
            const float* wt = reinterpret_cast<const float*>(m_plainWeight[b].data() + at);
            const float* d = reinterpret_cast<const float*>(m_data[b].data() + at);
            const float* row = reinterpret_cast<const float*>(t + std::size_t(y) * w.lanes);
            for (int x = 0; x < w.lanes * kLanes; ++x) {
                const float own = f * row[x];
                const float model = d[x] - r[x];
                if (own < m_blend.skySigma[b] || own < 0.5f * model || !(wt[x] > 0.0f)) continue;
                chi += double(wt[x]) * r[x] * r[x];
                count += 1.0;
            }
        }
    }
    return {chi, count};
}

double JointFit::worstCorrelation(int source) const {
    const int n = int(m_sources.size());
    double worst = 0.0;
    for (int j = 0; j < n; ++j) {
        if (j == source) continue;
        double least = 1.0; // the band that tells them apart best
        bool any = false;
        for (int b = 0; b < m_bands; ++b) {
            const double a = m_gram[b][std::size_t(source) * n + source], c = m_gram[b][std::size_t(j) * n + j];
            if (!(a > 0.0) || !(c > 0.0)) continue;
            any = true;
            least = std::min(least, m_gram[b][std::size_t(source) * n + j] / std::sqrt(a * c));
        }
        if (any) worst = std::max(worst, least);
    }
    return worst;
}

double JointFit::halfLightRadius(const std::vector<JointSource>& parts) {
    double total = 0.0, widest = 0.0;
    std::vector<double> weights;
    for (const JointSource& s : parts) {
        double flux = 0.0;
        for (const double f : s.flux)
            flux += f;
        weights.push_back(flux);
        total += flux;
        if (!s.point) widest = std::max(widest, std::exp(s.logRadius));
    }
    if (!(total > 0.0) || !(widest > 0.0)) return 0.0;
    double low = 0.0, high = 5.0 * widest;
    for (int i = 0; i < 40; ++i) {
        const double r = 0.5 * (low + high);
        double inside = 0.0;
        for (std::size_t p = 0; p < parts.size(); ++p) {
            if (parts[p].point) {
                inside += weights[p];
                continue;
            }
            Term terms[16];
            const int n = listTerms(parts[p], false, terms);
            const double u2 = square(r / std::exp(parts[p].logRadius));
            for (int k = 0; k < n; ++k) {
                inside += weights[p] * terms[k].amplitude * (1.0 - std::exp(-0.5 * u2 / terms[k].variance));
            }
        }
        (inside < 0.5 * total ? low : high) = r;
    }
    return 0.5 * (low + high);
}

} // namespace blendscope
