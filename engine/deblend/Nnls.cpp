#include "deblend/Nnls.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

bool choleskyFactor(std::vector<double>& matrix, int n) {
    for (int i = 0; i < n; ++i) {
        double* ri = matrix.data() + std::size_t(i) * n;
        for (int j = 0; j <= i; ++j) {
            const double* rj = matrix.data() + std::size_t(j) * n;
            double s = ri[j];
            for (int k = 0; k < j; ++k)
                s -= ri[k] * rj[k];
            if (i == j) {
                if (!(s > 0.0)) return false;
                ri[i] = std::sqrt(s);
            } else {
                ri[j] = s / rj[j];
            }
        }
    }
    return true;
}

void choleskyForward(const std::vector<double>& factor, int n, double* b) {
    for (int i = 0; i < n; ++i) {
        const double* r = factor.data() + std::size_t(i) * n;
        double s = b[i];
        for (int k = 0; k < i; ++k)
            s -= r[k] * b[k];
        b[i] = s / r[i];
    }
}

void choleskyBackward(const std::vector<double>& factor, int n, double* b) {
    for (int i = n - 1; i >= 0; --i) {
        double s = b[i];
        for (int k = i + 1; k < n; ++k)
            s -= factor[std::size_t(k) * n + i] * b[k];
        b[i] = s / factor[std::size_t(i) * n + i];
    }
}

bool Nnls::solveFree(const std::vector<double>& gram, const std::vector<double>& rhs, int n) {
    const int m = int(m_free.size());
    m_chol.resize(std::size_t(m) * m);
    m_z.resize(std::size_t(m));
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j <= i; ++j) {
            m_chol[std::size_t(i) * m + j] = gram[std::size_t(m_free[i]) * n + m_free[j]];
        }
        m_chol[std::size_t(i) * m + i] *= 1.0 + m_ridge;
        m_z[i] = rhs[m_free[i]];
    }
    if (!choleskyFactor(m_chol, m)) return false;
    choleskyForward(m_chol, m, m_z.data());
    choleskyBackward(m_chol, m, m_z.data());
    return true;
}

void Nnls::solve(const std::vector<double>& gram, const std::vector<double>& rhs, int n, std::vector<double>& x) {
    x.resize(std::size_t(n), 0.0);
    m_free.clear();
    double scale = 0.0;
    for (int i = 0; i < n; ++i) {
        const double d = gram[std::size_t(i) * n + i];
        if (!(d > 0.0) || !std::isfinite(d) || !std::isfinite(rhs[i])) {
            x[i] = 0.0;
            continue;
        }
        scale = std::max(scale, std::abs(rhs[i]) / std::sqrt(d));
        if (x[i] > 0.0) m_free.push_back(i);
    }
    // The first guess is used only if it is feasible as it stands; otherwise start from nothing.
    if (!m_free.empty()) {
        bool good = solveFree(gram, rhs, n);
        for (std::size_t i = 0; good && i < m_free.size(); ++i)
            good = m_z[i] > 0.0;
        std::fill(x.begin(), x.end(), 0.0);
        if (good) {
            for (std::size_t i = 0; i < m_free.size(); ++i)
                x[m_free[i]] = m_z[i];
        } else {
            m_free.clear();
        }
    }
    const double tolerance = 1e-9 * scale;
    for (int change = 0; change < 3 * n + 20; ++change) {
        int enter = -1;
        double best = tolerance;
        for (int i = 0; i < n; ++i) {
            const double d = gram[std::size_t(i) * n + i];
            if (!(d > 0.0) || !std::isfinite(d) || !std::isfinite(rhs[i])) continue;
            if (std::find(m_free.begin(), m_free.end(), i) != m_free.end()) continue;
            double w = rhs[i];
            for (const int j : m_free)
                w -= gram[std::size_t(i) * n + j] * x[j];
            w /= std::sqrt(d);
            if (w > best) {
                best = w;
                enter = i;
            }
        }
        if (enter < 0) return;
        m_free.push_back(enter);
        std::sort(m_free.begin(), m_free.end());
        for (int inner = 0; inner <= n; ++inner) {
            if (!solveFree(gram, rhs, n)) { // two equal columns: leave the newcomer out for good
                m_free.erase(std::find(m_free.begin(), m_free.end(), enter));
                return;
            }
            double alpha = 1.0;
            for (std::size_t i = 0; i < m_free.size(); ++i) {
                const double old = x[m_free[i]];
                if (m_z[i] <= 0.0) alpha = std::min(alpha, old / std::max(old - m_z[i], 1e-300));
            }
            for (std::size_t i = 0; i < m_free.size(); ++i)
                x[m_free[i]] += alpha * (m_z[i] - x[m_free[i]]);
            if (alpha >= 1.0) break;
            std::vector<int>::iterator keep = m_free.begin();
            for (std::size_t i = 0; i < m_free.size(); ++i) {
                if (m_z[i] <= 0.0 && x[m_free[i]] <= 1e-12 * (scale + 1.0)) {
                    x[m_free[i]] = 0.0;
                } else {
                    *keep++ = m_free[i];
                }
            }
            if (keep == m_free.end()) break;
            m_free.erase(keep, m_free.end());
            if (m_free.empty()) break;
        }
    }
}

} // namespace blendscope
