#include "measure/PsfMixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace blendscope {

namespace {

constexpr double kBin = 0.25;         // pixel
constexpr double kLeastWeight = 1e-4; // of a Gaussian

/// Lawson & Hanson's active set on the normal equations of a small problem: x >= 0 with least |Ax - b|.
template <int N>
std::array<double, N> nonNegative(const cv::Mat& normal, const cv::Mat& rhs) {
    std::array<double, N> x{};
    std::array<bool, N> free{};
    for (int round = 0; round < 3 * N; ++round) {
        int best = -1;
        double steepest = 1e-12 * cv::norm(rhs, cv::NORM_INF);
        for (int i = 0; i < N; ++i) {
            if (free[i]) continue;
            double gradient = rhs.at<double>(i);
            for (int j = 0; j < N; ++j) {
                gradient -= normal.at<double>(i, j) * x[j];
            }
            if (gradient > steepest) {
                steepest = gradient;
                best = i;
            }
        }
        if (best < 0) break;
        free[best] = true;
        for (int inner = 0; inner < N; ++inner) {
            std::vector<int> set;
            for (int i = 0; i < N; ++i) {
                if (free[i]) set.push_back(i);
            }
            const int n = static_cast<int>(set.size());
            cv::Mat a(n, n, CV_64F), b(n, 1, CV_64F), s;
            for (int i = 0; i < n; ++i) {
                b.at<double>(i) = rhs.at<double>(set[i]);
                for (int j = 0; j < n; ++j) {
                    a.at<double>(i, j) = normal.at<double>(set[i], set[j]) * (i == j ? 1.0 + 1e-10 : 1.0);
                }
            }
            if (!cv::solve(a, b, s, cv::DECOMP_CHOLESKY)) return x;
            double step = 1.0;
            for (int i = 0; i < n; ++i) {
                const double now = x[set[i]], then = s.at<double>(i);
                if (then <= 0.0) step = std::min(step, now / std::max(now - then, 1e-300));
            }
            for (int i = 0; i < n; ++i) {
                x[set[i]] += step * (s.at<double>(i) - x[set[i]]);
            }
            if (step >= 1.0) break;
            for (int i = 0; i < n; ++i) {
                if (x[set[i]] <= 1e-14) {
                    x[set[i]] = 0.0;
                    free[set[i]] = false;
                }
            }
        }
    }
    return x;
}

} // namespace

PsfMixture::PsfMixture(double leastSigma) {
    double sigma = leastSigma > 0.0 && std::isfinite(leastSigma) ? leastSigma : 0.5;
    for (double& v : m_variance) {
        v = sigma * sigma;
        sigma *= kRatio;
    }
    m_weight[0] = 1.0;
    normalise();
}

PsfMixture::PsfMixture(double leastSigma, const Psf& psf) : PsfMixture(leastSigma) {
    if (!psf.known()) return;
    const cv::Mat& image = psf.image;
    const double cx = 0.5 * (image.cols - 1), cy = 0.5 * (image.rows - 1);
    const double reach = std::min(cx, cy) + 0.5;
    struct Ring {
        double light = 0.0, radius2 = 0.0;
        int pixels = 0;
    };
    std::vector<Ring> rings(static_cast<size_t>(reach / kBin) + 1);
    for (int y = 0; y < image.rows; ++y) {
        const float* row = image.ptr<float>(y);
        for (int x = 0; x < image.cols; ++x) {
            const double r2 = (x - cx) * (x - cx) + (y - cy) * (y - cy), r = std::sqrt(r2);
            if (r >= reach || !std::isfinite(row[x])) continue;
            Ring& ring = rings[static_cast<size_t>(r / kBin)];
            ring.light += row[x];
            ring.radius2 += r2;
            ++ring.pixels;
        }
    }
    std::erase_if(rings, [](const Ring& r) { return r.pixels == 0; });
    // Light per ring counts, so that the wings, which hold light in many faint pixels, are not lost.
    cv::Mat a(static_cast<int>(rings.size()), kCount, CV_64F), b(static_cast<int>(rings.size()), 1, CV_64F);
    for (size_t i = 0; i < rings.size(); ++i) {
        const double r2 = rings[i].radius2 / rings[i].pixels;
        b.at<double>(static_cast<int>(i)) = rings[i].light;
        for (int k = 0; k < kCount; ++k) {
            a.at<double>(static_cast<int>(i), k) =
                rings[i].pixels * std::exp(-0.5 * r2 / m_variance[k]) / (2.0 * std::numbers::pi * m_variance[k]);
        }
    }
    const std::array<double, kCount> x = nonNegative<kCount>(a.t() * a, a.t() * b);
    const double sum = std::accumulate(x.begin(), x.end(), 0.0);
    if (!(sum > 0.0) || !std::isfinite(sum)) return;
    m_weight = x;
    normalise();
}

void PsfMixture::add(const PsfMixture& other, double factor) {
    for (int i = 0; i < kCount; ++i) {
        m_weight[i] += factor * other.m_weight[i];
    }
}

void PsfMixture::normalise() {
    const double sum = std::accumulate(m_weight.begin(), m_weight.end(), 0.0);
    for (double& w : m_weight) {
        w = sum > 0.0 ? w / sum : (&w == &m_weight[0] ? 1.0 : 0.0);
    }
    m_terms.clear();
    for (int i = 0; i < kCount; ++i) {
        if (m_weight[i] > kLeastWeight) m_terms.push_back({m_variance[i], m_weight[i]});
    }
}

} // namespace blendscope
