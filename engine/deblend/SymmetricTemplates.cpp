#include "deblend/SymmetricTemplates.h"

#include "deblend/Monotonic.h"
#include "deblend/Nnls.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

// Holes would make the templates behind them dark: they take the mean of their usable neighbours, from the rim inwards.
cv::Mat filled(const cv::Mat& data, const cv::Mat& weight, int rounds) {
    cv::Mat out(data.size(), CV_32F, cv::Scalar(0)), known(data.size(), CV_8U, cv::Scalar(0));
    for (int y = 0; y < data.rows; ++y) {
        for (int x = 0; x < data.cols; ++x) {
            const float v = data.at<float>(y, x), w = weight.at<float>(y, x);
            if (!(w > 0.0f) || !std::isfinite(w) || !std::isfinite(v)) continue;
            out.at<float>(y, x) = std::max(v, 0.0f);
            known.at<unsigned char>(y, x) = 255;
        }
    }
    for (int i = 0; i < rounds; ++i) {
        const cv::Mat before = known.clone();
        bool any = false;
        for (int y = 0; y < data.rows; ++y) {
            for (int x = 0; x < data.cols; ++x) {
                if (before.at<unsigned char>(y, x)) continue;
                float sum = 0.0f;
                int n = 0;
                for (int v = std::max(0, y - 1); v <= std::min(data.rows - 1, y + 1); ++v) {
                    for (int u = std::max(0, x - 1); u <= std::min(data.cols - 1, x + 1); ++u) {
                        if (!before.at<unsigned char>(v, u)) continue;
                        sum += out.at<float>(v, u);
                        ++n;
                    }
                }
                if (n == 0) continue;
                out.at<float>(y, x) = sum / float(n);
                known.at<unsigned char>(y, x) = 255;
                any = true;
            }
        }
        if (!any) break;
    }
    return out;
}

constexpr int kFillRounds = 30;

} // namespace

SymmetricTemplates::SymmetricTemplates(const BlendInput& blend, const std::vector<Peak>& peaks,
                                       const Progress& progress) {
    const int bands = int(blend.data.size()), n = int(peaks.size());
    m_models.resize(std::size_t(n));
    m_flux.assign(std::size_t(n), std::vector<double>(std::size_t(bands), 0.0));
    Nnls nnls;
    for (int b = 0; b < bands; ++b) {
        const cv::Mat& weight = blend.weight[std::size_t(b)];
        cv::Mat data = filled(blend.data[std::size_t(b)], weight, kFillRounds);
        if (!blend.others.empty()) data.setTo(0.0f, blend.others);
        for (int k = 0; k < n; ++k) {
            progress.check();
            const int cx = std::clamp(int(std::lround(peaks[std::size_t(k)].x)) - blend.box.x0, 0, data.cols - 1);
            const int cy = std::clamp(int(std::lround(peaks[std::size_t(k)].y)) - blend.box.y0, 0, data.rows - 1);
            cv::Mat t(data.size(), CV_32F);
            for (int y = 0; y < data.rows; ++y) {
                for (int x = 0; x < data.cols; ++x) {
                    const int mx = 2 * cx - x, my = 2 * cy - y;
                    const bool inside = mx >= 0 && my >= 0 && mx < data.cols && my < data.rows;
                    const float v = data.at<float>(y, x);
                    t.at<float>(y, x) = inside ? std::min(v, data.at<float>(my, mx)) : v;
                }
            }
            Monotonic::apply(t, cx, cy);
            m_models[std::size_t(k)].push_back(t);
        }
        // Templates of neighbours that hold each other's light must not count it twice.
        std::vector<double> gram(std::size_t(n) * n, 0.0), rhs(static_cast<std::size_t>(n), 0.0), scale;
        for (int i = 0; i < n; ++i) {
            const cv::Mat& t = m_models[std::size_t(i)].back();
            rhs[std::size_t(i)] = t.dot(data);
            for (int j = i; j < n; ++j) {
                gram[std::size_t(i) * n + j] = gram[std::size_t(j) * n + i] = t.dot(m_models[std::size_t(j)].back());
            }
        }
        nnls.solve(gram, rhs, n, scale);
        cv::Mat total(data.size(), CV_32F, cv::Scalar(0));
        for (int k = 0; k < n; ++k) {
            cv::Mat& t = m_models[std::size_t(k)].back();
            t *= scale[std::size_t(k)];
            total += t;
        }
        for (int k = 0; k < n; ++k) {
            const cv::Mat& t = m_models[std::size_t(k)].back();
            double flux = 0.0;
            for (int y = 0; y < data.rows; ++y) {
                for (int x = 0; x < data.cols; ++x) {
                    const float all = total.at<float>(y, x);
                    if (!(all > 0.0f) || !blend.inside.at<unsigned char>(y, x)) continue;
                    flux += double(data.at<float>(y, x)) * t.at<float>(y, x) / all;
                }
            }
            m_flux[std::size_t(k)][std::size_t(b)] = flux;
        }
    }
}

} // namespace blendscope
