#include "measure/Templates.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kLeastEigenvalue = 1e-8;
constexpr size_t kLargestGroup = 400; ///< beyond this errors come from each child's own neighbourhood

/// Sum over the common pixels of a, b and the blend of template a * template b * weight.
double product(const Component& a, const Component& b, size_t band, const cv::Mat& weight, const Box& box) {
    const Box in = a.box.intersected(b.box).intersected(box);
    if (in.empty()) return 0.0;
    double sum = 0.0;
    for (int y = in.y0; y < in.y1(); ++y) {
        const float* p = a.model[band].ptr<float>(y - a.box.y0) + (in.x0 - a.box.x0);
        const float* q = b.model[band].ptr<float>(y - b.box.y0) + (in.x0 - b.box.x0);
        const float* w = weight.ptr<float>(y - box.y0) + (in.x0 - box.x0);
        double row = 0.0;
        for (int x = 0; x < in.width; ++x) {
            row += double(p[x]) * q[x] * w[x];
        }
        sum += row;
    }
    return sum;
}

/// Solves the symmetric positive system `matrix` (CV_64F, unit diagonal) for `rhs` and inverts it, with a floor under
/// its eigenvalues.
void solve(const cv::Mat& matrix, const cv::Mat& rhs, cv::Mat& solution, cv::Mat& inverse) {
    if (cv::invert(matrix, inverse, cv::DECOMP_CHOLESKY) > 0.0) {
        double least = std::numeric_limits<double>::infinity();
        for (int i = 0; i < inverse.rows; ++i) {
            least = std::min(least, inverse.at<double>(i, i) > 0.0 ? 1.0 / inverse.at<double>(i, i) : 0.0);
        }
        if (least > 1e-6 && cv::checkRange(inverse)) {
            solution = inverse * rhs;
            return;
        }
    }
    cv::Mat values, vectors;
    cv::eigen(matrix, values, vectors);
    cv::Mat scaled = vectors.clone();
    for (int i = 0; i < values.rows; ++i) {
        scaled.row(i) /= std::max(kLeastEigenvalue, values.at<double>(i));
    }
    inverse = vectors.t() * scaled;
    solution = inverse * rhs;
}

} // namespace

TemplateFit fitTemplates(const BlendInput& input, const std::vector<Component>& components, const ObjectImager& imager,
                         size_t band) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const size_t count = components.size();
    const Box& box = input.box;
    TemplateFit fit;
    fit.amplitude.assign(count, none);
    fit.error.assign(count, none);
    fit.alone.assign(count, none);

    cv::Mat weight = imager.pixelVariance(band);
    double chi2 = 0.0;
    long long pixels = 0;
    for (int y = 0; y < box.height; ++y) {
        float* w = weight.ptr<float>(y);
        const float* d = input.data[band].ptr<float>(y);
        const float* sum = imager.modelSum(band).ptr<float>(y);
        const uchar* inside = input.inside.ptr<uchar>(y);
        const uchar* other = input.others.empty() ? nullptr : input.others.ptr<uchar>(y);
        for (int x = 0; x < box.width; ++x) {
            const bool usable = w[x] > 0.0f && std::isfinite(w[x]) && std::isfinite(d[x]) && !(other && other[x]);
            w[x] = usable ? 1.0f / w[x] : 0.0f;
            if (usable && inside[x]) {
                const double r = double(d[x]) - sum[x];
                chi2 += r * r * w[x];
                ++pixels;
            }
        }
    }
    fit.reducedChi2 = pixels > 0 ? chi2 / double(pixels) : none;

    // Children with light, their own products, and the data's products with them.
    std::vector<double> norm(count, 0.0), rhs(count, 0.0);
    for (size_t k = 0; k < count; ++k) {
        if (band >= components[k].model.size()) continue;
        norm[k] = product(components[k], components[k], band, weight, box);
        if (!std::isfinite(norm[k])) norm[k] = 0.0;
        const Component& c = components[k];
        const Box in = c.box.intersected(box);
        for (int y = in.y0; y < in.y1() && norm[k] > 0.0; ++y) {
            const float* p = c.model[band].ptr<float>(y - c.box.y0) + (in.x0 - c.box.x0);
            const float* d = input.data[band].ptr<float>(y - box.y0) + (in.x0 - box.x0);
            const float* w = weight.ptr<float>(y - box.y0) + (in.x0 - box.x0);
            for (int x = 0; x < in.width; ++x) {
                if (w[x] > 0.0f) rhs[k] += double(p[x]) * d[x] * w[x];
            }
        }
    }
    std::vector<TemplateFit::Pair> overlaps;
    for (size_t a = 0; a < count; ++a) {
        if (!(norm[a] > 0.0)) continue;
        for (size_t b = a + 1; b < count; ++b) {
            if (!(norm[b] > 0.0) || components[a].box.intersected(components[b].box).empty()) continue;
            const double v = product(components[a], components[b], band, weight, box);
            if (v > 1e-6 * std::sqrt(norm[a] * norm[b])) {
                overlaps.push_back({static_cast<int>(a), static_cast<int>(b), v / std::sqrt(norm[a] * norm[b])});
            }
        }
    }

    // Groups of children that overlap, directly or through others, are solved one by one.
    std::vector<int> root(count);
    std::iota(root.begin(), root.end(), 0);
    const auto find = [&](int i) {
        while (root[i] != i) {
            i = root[i] = root[root[i]];
        }
        return i;
    };
    for (const TemplateFit::Pair& p : overlaps) {
        const int a = find(p.a), b = find(p.b);
        if (a != b) root[std::max(a, b)] = std::min(a, b);
    }
    std::vector<std::vector<int>> groups(count);
    for (size_t k = 0; k < count; ++k) {
        if (norm[k] > 0.0) groups[find(static_cast<int>(k))].push_back(static_cast<int>(k));
    }
    std::vector<int> place(count, -1);
    for (const std::vector<int>& group : groups) {
        if (group.empty() || group.size() > kLargestGroup) continue;
        const int n = static_cast<int>(group.size());
        for (int i = 0; i < n; ++i) {
            place[group[i]] = i;
        }
        cv::Mat matrix = cv::Mat::eye(n, n, CV_64F), right(n, 1, CV_64F), solution, inverse;
        for (int i = 0; i < n; ++i) {
            right.at<double>(i) = rhs[group[i]] / std::sqrt(norm[group[i]]);
        }
        const int base = find(group[0]);
        for (const TemplateFit::Pair& p : overlaps) {
            if (find(p.a) != base) continue;
            matrix.at<double>(place[p.a], place[p.b]) = matrix.at<double>(place[p.b], place[p.a]) = p.covariance;
        }
        solve(matrix, right, solution, inverse);
        for (int i = 0; i < n; ++i) {
            const int k = group[i];
            const double scale = 1.0 / std::sqrt(norm[k]);
            fit.amplitude[k] = solution.at<double>(i) * scale;
            fit.error[k] = std::sqrt(std::max(0.0, inverse.at<double>(i, i))) * scale;
            fit.alone[k] = scale;
        }
        for (const TemplateFit::Pair& p : overlaps) {
            if (find(p.a) != base) continue;
            fit.pairs.push_back(
                {p.a, p.b, inverse.at<double>(place[p.a], place[p.b]) / std::sqrt(norm[p.a] * norm[p.b])});
        }
    }

    // Very large groups: amplitudes by conjugate gradients over all, errors from each child and its direct neighbours.
    for (const std::vector<int>& group : groups) {
        if (group.size() <= kLargestGroup) continue;
        const int n = static_cast<int>(group.size());
        for (int i = 0; i < n; ++i) {
            place[group[i]] = i;
        }
        const int base = find(group[0]);
        std::vector<std::vector<std::pair<int, double>>> near(n);
        for (const TemplateFit::Pair& p : overlaps) {
            if (find(p.a) != base) continue;
            near[place[p.a]].push_back({place[p.b], p.covariance});
            near[place[p.b]].push_back({place[p.a], p.covariance});
        }
        std::vector<double> x(n, 0.0), r(n), d(n), q(n);
        for (int i = 0; i < n; ++i) {
            r[i] = rhs[group[i]] / std::sqrt(norm[group[i]]);
        }
        d = r;
        double rr = std::inner_product(r.begin(), r.end(), r.begin(), 0.0);
        const double goal = rr * 1e-12;
        for (int step = 0; step < 500 && rr > goal; ++step) {
            for (int i = 0; i < n; ++i) {
                q[i] = d[i];
                for (const auto& [j, v] : near[i]) {
                    q[i] += v * d[j];
                }
            }
            const double curvature = std::inner_product(d.begin(), d.end(), q.begin(), 0.0);
            if (!(curvature > 0.0)) break;
            const double alpha = rr / curvature;
            for (int i = 0; i < n; ++i) {
                x[i] += alpha * d[i];
                r[i] -= alpha * q[i];
            }
            const double next = std::inner_product(r.begin(), r.end(), r.begin(), 0.0);
            for (int i = 0; i < n; ++i) {
                d[i] = r[i] + next / rr * d[i];
            }
            rr = next;
        }
        for (int i = 0; i < n; ++i) {
            const int k = group[i];
            std::vector<std::pair<int, double>> local = near[i];
            std::sort(local.begin(), local.end(), [](const auto& l, const auto& m) {
                return l.second != m.second ? l.second > m.second : l.first < m.first;
            });
            if (local.size() > 24) local.resize(24);
            const int size = static_cast<int>(local.size()) + 1;
            cv::Mat matrix = cv::Mat::eye(size, size, CV_64F), inverse, solution;
            std::vector<int> at(n, -1);
            at[i] = 0;
            for (int j = 1; j < size; ++j) {
                at[local[j - 1].first] = j;
            }
            const auto fill = [&](int row) {
                for (const auto& [j, v] : near[row]) {
                    if (at[j] >= 0) matrix.at<double>(at[row], at[j]) = v;
                }
            };
            fill(i);
            for (const auto& entry : local) {
                fill(entry.first);
            }
            solve(matrix, cv::Mat::zeros(size, 1, CV_64F), solution, inverse);
            const double scale = 1.0 / std::sqrt(norm[k]);
            fit.amplitude[k] = x[i] * scale;
            fit.error[k] = std::sqrt(std::max(0.0, inverse.at<double>(0, 0))) * scale;
            fit.alone[k] = scale;
            for (int j = 1; j < size; ++j) {
                const int other = group[local[j - 1].first];
                if (other > k) {
                    fit.pairs.push_back(
                        {k, other, inverse.at<double>(0, j) / std::sqrt(norm[k] * norm[static_cast<size_t>(other)])});
                }
            }
        }
    }
    return fit;
}

} // namespace blendscope
