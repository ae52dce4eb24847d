#include "deblend/GaussianMixture.h"

#include "deblend/Nnls.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {
constexpr double kFwhmOfSigma = 2.3548200450309493;

// Flux of one Gaussian of the mixture in a pixel, by its value at the centre.
struct Shape {
    double ixx, iyy, ixy, det;
    explicit Shape(const GaussianPsf& m) {
        det = m.shapeXx * m.shapeYy - m.shapeXy * m.shapeXy;
        ixx = m.shapeYy / det;
        iyy = m.shapeXx / det;
        ixy = -m.shapeXy / det;
    }
    [[nodiscard]] double q(double dx, double dy) const { return ixx * dx * dx + 2.0 * ixy * dx * dy + iyy * dy * dy; }
};

// Gaussian-weighted (adaptive) second moments (Bernstein & Jarvis 2002, AJ 123, 583).
bool adaptiveMoments(const cv::Mat& psf, GaussianPsf& out) {
    const double cx = (psf.cols - 1) / 2, cy = (psf.rows - 1) / 2;
    double xx = 2.0, yy = 2.0, xy = 0.0;
    for (int iteration = 0; iteration < 60; ++iteration) {
        const double det = xx * yy - xy * xy;
        if (!(det > 1e-4) || !std::isfinite(det)) return false;
        double s = 0.0, sxx = 0.0, syy = 0.0, sxy = 0.0;
        for (int y = 0; y < psf.rows; ++y) {
            const float* row = psf.ptr<float>(y);
            for (int x = 0; x < psf.cols; ++x) {
                const double dx = x - cx, dy = y - cy;
                const double q = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / det;
                if (q > 40.0 || !std::isfinite(row[x])) continue;
                const double w = std::exp(-0.5 * q) * row[x];
                s += w;
                sxx += w * dx * dx;
                syy += w * dy * dy;
                sxy += w * dx * dy;
            }
        }
        if (!(s > 0.0)) return false;
        const double nxx = 2.0 * sxx / s, nyy = 2.0 * syy / s, nxy = 2.0 * sxy / s;
        const double change = std::abs(nxx - xx) + std::abs(nyy - yy) + std::abs(nxy - xy);
        xx = nxx;
        yy = nyy;
        xy = nxy;
        if (change < 1e-5 * (xx + yy)) break;
    }
    if (!(xx > 0.02) || !(yy > 0.02) || !(xx * yy - xy * xy > 1e-3)) return false;
    out.shapeXx = xx;
    out.shapeYy = yy;
    out.shapeXy = xy;
    return true;
}
} // namespace

const std::vector<GaussianTerm>& exponentialGaussians() {
    static const std::vector<GaussianTerm> terms{
        {0.0376143, 0.0440554}, {0.248109, 0.260418}, {0.49079, 0.893659}, {0.223487, 2.44571}};
    return terms;
}

const std::vector<GaussianTerm>& deVaucouleursGaussians() {
    static const std::vector<GaussianTerm> terms{{0.0586779, 0.00392269}, {0.159117, 0.0418794}, {0.259949, 0.307699},
                                                 {0.274664, 1.8986},      {0.181733, 11.0343},   {0.0658588, 70.6482}};
    return terms;
}

GaussianPsf GaussianPsf::gaussian(double fwhmPixels) {
    GaussianPsf m;
    const double s = std::max(fwhmPixels, 0.5) / kFwhmOfSigma;
    m.shapeXx = m.shapeYy = s * s;
    m.terms = {{1.0, 1.0}};
    m.fwhmPixels = std::max(fwhmPixels, 0.5);
    return m;
}

GaussianPsf GaussianPsf::fit(const cv::Mat& psf, double fallbackFwhm, int count) {
    GaussianPsf m;
    if (psf.empty() || psf.type() != CV_32F || !adaptiveMoments(psf, m)) return gaussian(fallbackFwhm);
    const double root = std::sqrt(std::sqrt(m.shapeXx * m.shapeYy - m.shapeXy * m.shapeXy));
    m.fwhmPixels = kFwhmOfSigma * root;
    const Shape shape(m);
    const double norm = 1.0 / (2.0 * std::numbers::pi * std::sqrt(shape.det));
    const double cx = (psf.cols - 1) / 2, cy = (psf.rows - 1) / 2;

    // The model depends on the elliptical radius alone, so that pixels of one radius can be averaged first.
    constexpr double kBinWidth = 0.06; // in sigma of the adaptive Gaussian
    std::vector<double> q, value, weight;
    double top = 0.0;
    for (int y = 0; y < psf.rows; ++y) {
        for (int x = 0; x < psf.cols; ++x) {
            const float v = psf.at<float>(y, x);
            if (!std::isfinite(v)) continue;
            const double at = shape.q(x - cx, y - cy);
            const std::size_t bin = std::size_t(std::sqrt(at) / kBinWidth);
            if (bin > 10000) continue;
            if (bin >= q.size()) {
                q.resize(bin + 1, 0.0);
                value.resize(bin + 1, 0.0);
                weight.resize(bin + 1, 0.0);
            }
            q[bin] += at;
            value[bin] += v;
            weight[bin] += 1.0;
            top = std::max(top, double(v));
        }
    }
    std::size_t bins = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
        if (weight[i] <= 0.0) continue;
        const double n = weight[i];
        q[bins] = q[i] / n;
        value[bins] = value[i] / n;
        weight[bins] = n / (std::max(value[bins], 0.0) + 0.003 * top);
        ++bins;
    }
    q.resize(bins);
    value.resize(bins);
    weight.resize(bins);

    // Levenberg-Marquardt over log amplitudes and log variances.
    const int n = 2 * count;
    std::vector<double> p(n), trial(n), g(n), step(n), jac(n), h(std::size_t(n) * n), damped;
    static constexpr double kVariances[] = {0.7, 1.3, 4.0, 16.0, 60.0};
    static constexpr double kAmplitudes[] = {0.4, 0.4, 0.15, 0.05, 0.01};
    for (int i = 0; i < count; ++i) {
        p[i] = std::log(kAmplitudes[std::min(i, 4)]);
        p[count + i] = std::log(kVariances[std::min(i, 4)]);
    }
    auto cost = [&](const std::vector<double>& a, bool derivatives) {
        double c = 0.0;
        if (derivatives) {
            std::fill(g.begin(), g.end(), 0.0);
            std::fill(h.begin(), h.end(), 0.0);
        }
        for (std::size_t k = 0; k < q.size(); ++k) {
            double model = 0.0;
            for (int i = 0; i < count; ++i) {
                const double v = std::exp(a[count + i]);
                const double t = std::exp(a[i] - 0.5 * q[k] / v) * norm / v;
                model += t;
                jac[i] = t;
                jac[count + i] = t * (0.5 * q[k] / v - 1.0);
            }
            const double r = value[k] - model;
            c += weight[k] * r * r;
            if (!derivatives) continue;
            for (int i = 0; i < n; ++i) {
                g[i] += weight[k] * r * jac[i];
                for (int j = 0; j <= i; ++j)
                    h[std::size_t(i) * n + j] += weight[k] * jac[i] * jac[j];
            }
        }
        return c;
    };
    double lambda = 1e-2, current = cost(p, true);
    for (int iteration = 0; iteration < 60; ++iteration) {
        bool better = false;
        double next = current;
        for (int attempt = 0; attempt < 6; ++attempt, lambda *= 8.0) {
            damped = h;
            for (int i = 0; i < n; ++i) {
                damped[std::size_t(i) * n + i] += lambda * h[std::size_t(i) * n + i] + 1e-12 + 1e-9 * h[0];
            }
            step = g;
            if (!choleskyFactor(damped, n)) continue;
            choleskyForward(damped, n, step.data());
            choleskyBackward(damped, n, step.data());
            for (int i = 0; i < n; ++i)
                trial[i] = p[i] + std::clamp(step[i], -1.0, 1.0);
            for (int i = 0; i < count; ++i) {
                trial[i] = std::clamp(trial[i], -14.0, 1.0);
                trial[count + i] = std::clamp(trial[count + i], std::log(0.1), std::log(400.0));
            }
            next = cost(trial, false);
            if (next < current) {
                better = true;
                break;
            }
        }
        if (!better) break;
        const bool done = current - next < 1e-3 * current;
        p = trial;
        lambda = std::max(lambda / 5.0, 1e-8);
        current = cost(p, true);
        if (done) break;
    }
    double total = 0.0;
    for (int i = 0; i < count; ++i)
        total += std::exp(p[i]);
    for (int i = 0; i < count; ++i) {
        const double a = std::exp(p[i]) / total;
        if (a > 5e-4) m.terms.push_back({a, std::exp(p[count + i])});
    }
    std::sort(m.terms.begin(), m.terms.end(),
              [](const GaussianTerm& a, const GaussianTerm& b) { return a.variance < b.variance; });
    return m;
}

cv::Mat GaussianPsf::image(int size) const {
    cv::Mat out(size, size, CV_32F, cv::Scalar(0));
    const Shape shape(*this);
    const double norm = 1.0 / (2.0 * std::numbers::pi * std::sqrt(shape.det));
    const int c = (size - 1) / 2;
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x) {
            double v = 0.0;
            const double q = shape.q(x - c, y - c);
            for (const GaussianTerm& t : terms)
                v += t.amplitude * norm / t.variance * std::exp(-0.5 * q / t.variance);
            out.at<float>(y, x) = float(v);
        }
    }
    return out;
}

} // namespace blendscope
