#include "deblend/JointFit.h"

#include <algorithm>
#include <cmath>
#include <cstring>

// What a finished JointFit says: significances, pictures, errors.

namespace blendscope {

namespace {
double square(double v) {
    return v * v;
}
} // namespace

double JointFit::significance(int source) const {
    const std::size_t n = m_sources.size();
    double s2 = 0.0;
    for (int b = 0; b < m_bands; ++b) {
        if (m_gram.empty()) break;
        s2 += square(m_sources[std::size_t(source)].flux[b]) * m_gram[b][std::size_t(source) * n + source];
    }
    return std::sqrt(s2);
}

cv::Mat JointFit::matrix(const LaneVector& values) const {
    cv::Mat out(m_height, m_width, CV_32F);
    for (int y = 0; y < m_height; ++y) {
        std::memcpy(out.ptr<float>(y), values.data() + std::size_t(y) * m_stride, sizeof(float) * std::size_t(m_width));
    }
    return out;
}

cv::Mat JointFit::residual(int band) const {
    return matrix(m_residual[band]);
}

cv::Mat JointFit::weight(int band) const {
    return matrix(m_plainWeight[band]);
}

cv::Mat JointFit::usedData(int band) const {
    return matrix(m_data[band]);
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
    LaneWindow w;
    w.lane0 = box.x0 / kLanes;
    w.lanes = (box.x1() + kLanes - 1) / kLanes - w.lane0;
    w.y0 = box.y0;
    w.rows = box.height;
    LaneVector picture(std::size_t(w.lanes) * w.rows);
    ProfilePicture::draw(m_sources[source], psf, w, false, picture.data());
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
    const LaneWindow& w = slot.window;
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

std::vector<std::vector<double>> JointFit::fluxCovariance() {
    const int n = int(m_sources.size()), np = n * kParameters;
    std::vector<std::vector<double>> out(std::size_t(m_bands), std::vector<double>(std::size_t(n) * n, 0.0));
    if (n == 0 || m_slots.size() != m_sources.size() || int(m_gram.size()) != m_bands) return out;
    normalEquations(Equations::Errors);
    std::vector<double> factor = m_hessian;
    for (int i = 0; i < np; ++i) {
        double& d = factor[std::size_t(i) * np + i];
        d = std::max(d, 0.0) * (1.0 + 1e-6) + 1e-9;
    }
    const bool shapes = choleskyFactor(factor, np);
    std::vector<double> column, rows;
    for (int b = 0; b < m_bands; ++b) {
        const Coupling& c = m_coupling[std::size_t(b)];
        const int m = int(c.active.size());
        if (m == 0) continue;
        // Of fluxes at given shapes: inverse of L L'. By shapes: what a shift of theirs makes of the fluxes.
        rows.assign(std::size_t(m) * (m + np), 0.0);
        for (int i = 0; i < m; ++i) {
            double* row = rows.data() + std::size_t(i) * (m + np);
            column.assign(std::size_t(m), 0.0);
            column[std::size_t(i)] = 1.0;
            choleskyForward(c.block, m, column.data());
            std::copy(column.begin(), column.end(), row);
            if (!shapes) continue;
            double* shift = row + m;
            for (int k = 0; k < m; ++k) {
                const double* cross = c.cross.data() + std::size_t(k) * np;
                for (int p = 0; p < np; ++p)
                    shift[p] += m_frozen[std::size_t(p)] ? 0.0 : column[std::size_t(k)] * cross[p];
            }
            choleskyForward(factor, np, shift);
        }
        for (int i = 0; i < m; ++i) {
            for (int j = 0; j <= i; ++j) {
                const double *u = rows.data() + std::size_t(i) * (m + np), *v = rows.data() + std::size_t(j) * (m + np);
                double sum = 0.0;
                for (int k = 0; k < m + np; ++k)
                    sum += u[k] * v[k];
                out[b][std::size_t(c.active[i]) * n + c.active[j]] = sum;
                out[b][std::size_t(c.active[j]) * n + c.active[i]] = sum;
            }
        }
    }
    return out;
}

} // namespace blendscope
