#include "deblend/MorphologyFit.h"

#include "deblend/Monotonic.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blendscope {

MorphologyFit::MorphologyFit(std::vector<cv::Mat> data, std::vector<cv::Mat> weight,
                             const std::vector<DifferenceKernel>& kernels, const MorphologyFitOptions& options,
                             const Progress& progress)
    : m_data(std::move(data)), m_weight(std::move(weight)), m_kernels(kernels), m_options(options),
      m_progress(progress), m_bands(int(m_data.size())) {
    if (m_bands > 0) m_size = m_data[0].size();
    m_residual.resize(m_data.size());
}

double MorphologyFit::cost(const std::vector<cv::Mat>& morphologies, bool gradient) {
    double total = 0.0;
    const Box& region = m_region;
    for (int b = 0; b < m_bands; ++b) {
        m_progress.check();
        const std::size_t band = std::size_t(b);
        m_sum.create(region.size(), CV_32F);
        m_sum.setTo(0.0f);
        for (std::size_t k = 0; k < m_sources.size(); ++k) {
            const double a = m_sources[k].spectrum[band];
            if (m_sources[k].frozen || !(a > 0.0)) continue;
            cv::Mat part = m_sum(m_sources[k].box.shifted(-region.x0, -region.y0).rect());
            cv::scaleAdd(morphologies[k], a, part, part);
        }
        m_kernels[band].convolve(m_sum, m_model);
        for (int y = 0; y < region.height; ++y) {
            float* m = m_model.ptr<float>(y);
            const float* d = m_regionData[band].ptr<float>(y);
            const float* w = m_weight[band].ptr<float>(y + region.y0) + region.x0;
            double row = 0.0;
            for (int x = 0; x < region.width; ++x) {
                const float r = d[x] - m[x];
                const float wr = w[x] * r;
                row += double(wr) * r;
                m[x] = wr;
            }
            total += row;
        }
        if (gradient) m_kernels[band].correlate(m_model, m_residual[band]);
    }
    for (std::size_t k = 0; k < m_sources.size(); ++k) {
        const MorphologySource& s = m_sources[k];
        if (s.frozen) continue;
        for (int y = 0; y < s.box.height; ++y) {
            const float* p = m_pull[k].ptr<float>(y);
            const float* v = morphologies[k].ptr<float>(y);
            const float* v0 = s.start.ptr<float>(y);
            double row = 0.0;
            for (int x = 0; x < s.box.width; ++x)
                row += double(p[x]) * (v[x] - v0[x]) * (v[x] - v0[x]);
            total += row;
        }
        if (!gradient) continue;
        m_gradient[k].setTo(0.0f); // of the data term alone, downhill
        const cv::Rect at = s.box.shifted(-region.x0, -region.y0).rect();
        for (int b = 0; b < m_bands; ++b) {
            const double a = s.spectrum[std::size_t(b)];
            if (a > 0.0) cv::scaleAdd(m_residual[std::size_t(b)](at), a, m_gradient[k], m_gradient[k]);
        }
    }
    return total;
}

void MorphologyFit::cutRegion() {
    m_region = Box();
    for (std::size_t k = 0; k < m_sources.size(); ++k) {
        if (!m_sources[k].frozen) m_region = m_region.united(m_reach[k]);
    }
    m_regionData.resize(std::size_t(m_bands));
    for (int b = 0; b < m_bands; ++b) {
        cv::Mat& data = m_regionData[std::size_t(b)];
        m_data[std::size_t(b)](m_region.rect()).copyTo(data);
        for (std::size_t k = 0; k < m_sources.size(); ++k) {
            if (!m_sources[k].frozen) continue;
            const Box both = m_reach[k].intersected(m_region);
            if (both.empty()) continue;
            cv::Mat part = data(both.shifted(-m_region.x0, -m_region.y0).rect());
            cv::scaleAdd(m_templates[k][std::size_t(b)](both.shifted(-m_reach[k].x0, -m_reach[k].y0).rect()),
                         -m_sources[k].spectrum[std::size_t(b)], part, part);
        }
    }
}

void MorphologyFit::constrain(int source, cv::Mat& morphology) const {
    const MorphologySource& s = m_sources[std::size_t(source)];
    const double cx = s.x - s.box.x0, cy = s.y - s.box.y0;
    if (m_options.symmetric) {
        const int tx = int(std::lround(2.0 * cx)), ty = int(std::lround(2.0 * cy));
        for (int y = 0; y < morphology.rows; ++y) {
            const int my = ty - y;
            if (my < y || my >= morphology.rows) continue;
            for (int x = 0; x < morphology.cols; ++x) {
                const int mx = tx - x;
                if (mx < 0 || mx >= morphology.cols || (my == y && mx < x)) continue;
                float &a = morphology.at<float>(y, x), &b = morphology.at<float>(my, mx);
                a = b = 0.5f * (a + b);
            }
        }
    }
    cv::max(morphology, 0.0, morphology);
    if (m_options.monotonic) Monotonic::apply(morphology, int(std::lround(cx)), int(std::lround(cy)));
}

void MorphologyFit::makeTemplates() {
    const std::size_t n = m_sources.size();
    m_templates.resize(n);
    m_reach.resize(n);
    cv::Mat padded;
    for (std::size_t k = 0; k < n; ++k) {
        m_progress.check();
        const MorphologySource& s = m_sources[k];
        if (s.frozen && !m_templates[k].empty()) continue;
        const Box box = reach(int(k));
        m_reach[k] = box;
        m_templates[k].resize(std::size_t(m_bands));
        padded.create(box.size(), CV_32F);
        padded.setTo(0.0f);
        s.morphology.copyTo(padded(s.box.shifted(-box.x0, -box.y0).rect()));
        for (int b = 0; b < m_bands; ++b) {
            m_kernels[std::size_t(b)].convolve(padded, m_templates[k][std::size_t(b)]);
        }
    }
}

void MorphologyFit::solveSpectra() {
    makeTemplates();
    const int n = int(m_sources.size());
    std::vector<double> gram(std::size_t(n) * n), rhs(static_cast<std::size_t>(n)), x(static_cast<std::size_t>(n));
    Nnls nnls;
    cv::Mat weighted;
    for (int b = 0; b < m_bands; ++b) {
        m_progress.check();
        const std::size_t band = std::size_t(b);
        std::fill(gram.begin(), gram.end(), 0.0);
        for (int i = 0; i < n; ++i) {
            const Box& u = m_reach[std::size_t(i)];
            cv::multiply(m_templates[std::size_t(i)][band], m_weight[band](u.rect()), weighted);
            rhs[std::size_t(i)] = weighted.dot(m_data[band](u.rect()));
            for (int j = i; j < n; ++j) {
                const Box& v = m_reach[std::size_t(j)];
                const Box both = u.intersected(v);
                if (both.empty()) continue;
                const double g = weighted(both.shifted(-u.x0, -u.y0).rect())
                                     .dot(m_templates[std::size_t(j)][band](both.shifted(-v.x0, -v.y0).rect()));
                gram[std::size_t(i) * n + j] = gram[std::size_t(j) * n + i] = g;
            }
            x[std::size_t(i)] = m_sources[std::size_t(i)].spectrum[band];
        }
        nnls.solve(gram, rhs, n, x);
        for (int k = 0; k < n; ++k)
            m_sources[std::size_t(k)].spectrum[band] = x[std::size_t(k)];
    }
}

int MorphologyFit::run() {
    const std::size_t n = m_sources.size();
    if (n == 0 || m_bands == 0) return 0;
    for (MorphologySource& s : m_sources) {
        if (s.morphology.empty()) s.morphology = s.start.clone();
    }
    solveSpectra();
    if (std::all_of(m_sources.begin(), m_sources.end(), [](const MorphologySource& s) { return s.frozen; })) return 0;
    m_pull.resize(n);
    m_gradient.resize(n);
    std::vector<double> topWeight;
    for (int b = 0; b < m_bands; ++b) {
        double top = 0.0;
        cv::minMaxLoc(m_weight[std::size_t(b)], nullptr, &top);
        topWeight.push_back(top);
    }
    std::vector<double> stepLength(n);
    std::vector<cv::Mat> current(n), previous(n), ahead(n);
    const auto prepare = [&](bool pulls) {
        for (std::size_t k = 0; k < n; ++k) {
            const MorphologySource& s = m_sources[k];
            if (s.frozen) continue;
            double lipschitz = 0.0, curvature = 0.0;
            for (int b = 0; b < m_bands; ++b) {
                const std::size_t band = std::size_t(b);
                double others = 0.0;
                for (std::size_t j = 0; j < n; ++j) {
                    if (m_sources[j].frozen) continue;
                    if (!reach(int(j)).intersected(reach(int(k))).empty()) others += m_sources[j].spectrum[band];
                }
                lipschitz += topWeight[band] * s.spectrum[band] * others;
                curvature += topWeight[band] * s.spectrum[band] * s.spectrum[band];
            }
            stepLength[k] = lipschitz > 0.0 ? 1.0 / lipschitz : 0.0;
            if (!pulls) continue;
            const float noise = curvature > 0.0 ? float(1.0 / std::sqrt(curvature)) : 1.0f;
            m_pull[k].create(s.box.size(), CV_32F);
            for (int y = 0; y < s.box.height; ++y) {
                for (int x = 0; x < s.box.width; ++x) {
                    const float width = float(m_options.freedom) * (s.start.at<float>(y, x) + noise);
                    m_pull[k].at<float>(y, x) = 1.0f / (width * width);
                }
            }
        }
    };
    prepare(true);
    for (std::size_t k = 0; k < n; ++k) {
        m_gradient[k] = cv::Mat(m_sources[k].box.size(), CV_32F);
    }
    std::vector<MorphologySource> kept;
    for (const MorphologySource& s : m_sources) {
        kept.push_back(s);
        kept.back().morphology = s.morphology.clone();
    }
    const auto pictures = [&] {
        std::vector<cv::Mat> all;
        for (const MorphologySource& s : m_sources)
            all.push_back(s.morphology);
        return all;
    };
    cutRegion();
    m_startCost = cost(pictures(), false);
    int steps = 0;
    const int perRound = std::max(1, m_options.iterations / std::max(1, m_options.rounds));
    for (int round = 0; round < m_options.rounds; ++round) {
        if (round > 0) prepare(false);
        for (std::size_t k = 0; k < n; ++k) {
            current[k] = m_sources[k].morphology;
            if (m_sources[k].frozen) continue;
            ahead[k] = current[k].clone();
            previous[k] = current[k].clone();
        }
        cutRegion();
        double last = std::numeric_limits<double>::infinity(), t = 1.0;
        for (int i = 0; i < perRound; ++i, ++steps) {
            const double now = cost(ahead, true);
            if (std::abs(last - now) < m_options.tolerance) break;
            last = now;
            double turn = 0.0;
            for (std::size_t k = 0; k < n; ++k) {
                if (m_sources[k].frozen || !(stepLength[k] > 0.0)) continue;
                const float step = float(stepLength[k]);
                current[k].copyTo(previous[k]);
                for (int y = 0; y < current[k].rows; ++y) {
                    float* v = current[k].ptr<float>(y);
                    const float *a = ahead[k].ptr<float>(y), *g = m_gradient[k].ptr<float>(y);
                    const float *p = m_pull[k].ptr<float>(y), *s = m_sources[k].start.ptr<float>(y);
                    for (int x = 0; x < current[k].cols; ++x) {
                        const float pull = step * p[x];
                        v[x] = (a[x] + step * g[x] + pull * s[x]) / (1.0f + pull);
                    }
                }
                constrain(int(k), current[k]);
                for (int y = 0; y < current[k].rows; ++y) {
                    const float *v = current[k].ptr<float>(y), *a = ahead[k].ptr<float>(y);
                    const float* o = previous[k].ptr<float>(y);
                    for (int x = 0; x < current[k].cols; ++x)
                        turn += double(a[x] - v[x]) * (v[x] - o[x]) / step;
                }
            }
            // Momentum that points uphill is dropped (gradient scheme of O'Donoghue & Candes 2015).
            if (turn > 0.0) t = 1.0;
            const double next = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t));
            const double momentum = (t - 1.0) / next;
            t = next;
            for (std::size_t k = 0; k < n; ++k) {
                if (m_sources[k].frozen) continue;
                cv::addWeighted(current[k], 1.0 + momentum, previous[k], -momentum, 0.0, ahead[k]);
            }
        }
        solveSpectra();
    }
    cutRegion();
    m_endCost = cost(pictures(), false);
    if (!(m_endCost < m_startCost)) {
        m_sources = kept;
        m_endCost = m_startCost;
        makeTemplates();
    }
    return steps;
}

Box MorphologyFit::reach(int source) const {
    int r = 0;
    for (const DifferenceKernel& k : m_kernels)
        r = std::max(r, k.radius());
    return m_sources[std::size_t(source)].box.grown(r).intersected(Box::of(m_size));
}

cv::Mat MorphologyFit::render(int source, int band, const Box& box) const {
    const std::size_t k = std::size_t(source), b = std::size_t(band);
    cv::Mat out(box.size(), CV_32F, cv::Scalar(0));
    if (k >= m_templates.size()) return out; // not run
    const Box both = m_reach[k].intersected(box);
    if (both.empty()) return out;
    cv::Mat part = out(both.shifted(-box.x0, -box.y0).rect());
    m_templates[k][b](both.shifted(-m_reach[k].x0, -m_reach[k].y0).rect())
        .convertTo(part, CV_32F, m_sources[k].spectrum[b]);
    cv::max(part, 0.0, part);
    return out;
}

double MorphologyFit::flux(int source, int band) const {
    const MorphologySource& s = m_sources[std::size_t(source)];
    const double outside = std::max(0.0, 1.0 - cv::sum(s.start)[0]);
    return s.spectrum[std::size_t(band)] * (cv::sum(s.morphology)[0] + outside);
}

} // namespace blendscope
