#include "measure/ObjectImage.h"

#include "deblend/Apportion.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr float kFaintest = 0.1f; ///< S/N per pixel below which a model does not widen the window

float sigmaOf(const BlendInput& input, size_t band) {
    const float s = band < input.skySigma.size() ? input.skySigma[band] : 1.0f;
    return s > 0.0f && std::isfinite(s) ? s : 1.0f;
}

} // namespace

ObjectImager::ObjectImager(const BlendInput& input, const BlendOutput& output, const std::vector<Component>& components)
    : m_input(input), m_components(components),
      m_hard(output.labels.type() == CV_32S && output.labels.size() == input.box.size()) {
    const Box& box = input.box;
    m_labels = dominantLabels(input, output);
    m_sums.resize(input.data.size());
    for (size_t b = 0; b < m_sums.size(); ++b) {
        m_sums[b] = cv::Mat::zeros(box.size(), CV_32F);
        for (const Component& c : components) {
            const Box in = c.box.intersected(box);
            if (in.empty() || b >= c.model.size()) continue;
            cv::Mat sum = m_sums[b](in.shifted(-box.x0, -box.y0).rect());
            sum += c.model[b](in.shifted(-c.box.x0, -c.box.y0).rect());
        }
    }
    m_labelBoxes.resize(output.children.size());
    for (int y = 0; y < box.height; ++y) {
        const int* label = m_labels.ptr<int>(y);
        for (int x = 0; x < box.width; ++x) {
            if (label[x]) {
                Box& own = m_labelBoxes[label[x] - 1];
                own = own.united({box.x0 + x, box.y0 + y, 1, 1});
            }
        }
    }
    if (output.children.size() > 1) {
        cv::Mat distance, nearest;
        const cv::Mat empty = m_labels == 0;
        m_territory = m_labels.clone();
        if (cv::countNonZero(empty) < box.area()) {
            cv::distanceTransform(empty, distance, nearest, cv::DIST_L2, cv::DIST_MASK_5, cv::DIST_LABEL_PIXEL);
            std::vector<int> owner(static_cast<size_t>(box.area()) + 1, 0);
            for (int y = 0; y < box.height; ++y) {
                for (int x = 0; x < box.width; ++x) {
                    if (m_labels.ptr<int>(y)[x]) owner[nearest.ptr<int>(y)[x]] = m_labels.ptr<int>(y)[x];
                }
            }
            for (int y = 0; y < box.height; ++y) {
                for (int x = 0; x < box.width; ++x) {
                    m_territory.ptr<int>(y)[x] = owner[nearest.ptr<int>(y)[x]];
                }
            }
        }
    }
}

cv::Mat ObjectImager::pixelVariance(size_t band) const {
    cv::Mat out(m_input.box.size(), CV_32F);
    const double gain = band < m_input.gain.size() ? m_input.gain[band] : 0.0;
    const float perCount = gain > 0.0 && std::isfinite(gain) ? static_cast<float>(1.0 / gain) : 0.0f;
    for (int y = 0; y < out.rows; ++y) {
        const float* w = m_input.weight[band].ptr<float>(y);
        const float* sum = m_sums[band].ptr<float>(y);
        float* v = out.ptr<float>(y);
        for (int x = 0; x < out.cols; ++x) {
            v[x] = w[x] > 0.0f && std::isfinite(w[x]) ? 1.0f / w[x] + perCount * std::max(0.0f, sum[x]) : 0.0f;
        }
    }
    return out;
}

Box ObjectImager::lightBox(size_t k) const {
    const Component& c = m_components[k];
    const Box in = c.box.intersected(m_input.box);
    Box light = m_labelBoxes[k];
    int x0 = in.x1(), x1 = in.x0, y0 = in.y1(), y1 = in.y0;
    for (size_t b = 0; b < m_input.data.size() && b < c.model.size(); ++b) {
        const float least = kFaintest * sigmaOf(m_input, b);
        for (int y = in.y0; y < in.y1(); ++y) {
            const float* m = c.model[b].ptr<float>(y - c.box.y0) - c.box.x0;
            int left = in.x0, right = in.x1();
            while (left < right && !(m[left] > least)) {
                ++left;
            }
            while (right > left && !(m[right - 1] > least)) {
                --right;
            }
            if (left >= right) continue;
            x0 = std::min(x0, left);
            x1 = std::max(x1, right);
            y0 = std::min(y0, y);
            y1 = std::max(y1, y + 1);
        }
    }
    if (x1 > x0 && y1 > y0) light = light.united({x0, y0, x1 - x0, y1 - y0});
    return light.empty() ? c.box : light;
}

Box ObjectImager::window(size_t k) const {
    const Box light = lightBox(k);
    const int room = std::max(8, static_cast<int>(0.75 * std::max(light.width, light.height)));
    const Box w = light.grown(room).intersected(m_input.box);
    return w.empty() ? m_input.box : w;
}

ObjectImage ObjectImager::cut(size_t k, const Box& window, double cx, double cy) const {
    const size_t bands = m_input.data.size();
    const Box& box = m_input.box;
    const Component& component = m_components[k];
    const int own = static_cast<int>(k) + 1;
    ObjectImage out;
    out.box = window;
    out.image.resize(bands);
    out.variance.resize(bands);
    out.mixing.assign(bands, 0.0);
    out.spectrum.assign(bands, 0.0);
    out.measured = cv::Mat(window.size(), CV_8U, cv::Scalar(255));

    for (int y = window.y0; y < window.y1(); ++y) {
        const int* label = m_labels.ptr<int>(y - box.y0) - box.x0;
        for (int x = window.x0; x < window.x1(); ++x) {
            if (label[x] != own) continue;
            ++out.ownPixels;
            out.atBorder |= x == box.x0 || y == box.y0 || x == box.x1() - 1 || y == box.y1() - 1;
            for (size_t b = 0; b < bands; ++b) {
                out.masked |= !(m_input.weight[b].ptr<float>(y - box.y0)[x - box.x0] > 0.0f);
            }
        }
    }

    const int mirrorX = static_cast<int>(std::lround(2.0 * cx)), mirrorY = static_cast<int>(std::lround(2.0 * cy));
    for (size_t b = 0; b < bands; ++b) {
        cv::Mat& image = out.image[b] = cv::Mat::zeros(window.size(), CV_32F);
        cv::Mat& variance = out.variance[b] = cv::Mat::zeros(window.size(), CV_32F);
        const double gain = b < m_input.gain.size() ? m_input.gain[b] : 0.0;
        const float perCount = gain > 0.0 && std::isfinite(gain) ? static_cast<float>(1.0 / gain) : 0.0f;
        const auto model = [&](int x, int y) {
            return component.box.contains(x, y) && b < component.model.size()
                       ? component.model[b].ptr<float>(y - component.box.y0)[x - component.box.x0]
                       : 0.0f;
        };
        /// The object's fraction of a pixel of the scene; negative where the pixel says nothing about it.
        const auto fraction = [&](int x, int y) {
            if (!box.contains(x, y)) return -1.0f;
            const int i = x - box.x0, j = y - box.y0;
            const float w = m_input.weight[b].ptr<float>(j)[i];
            if (!(w > 0.0f) || !std::isfinite(w)) return -1.0f;
            if (!m_input.others.empty() && m_input.others.ptr<uchar>(j)[i]) return -1.0f;
            const bool inside = m_input.inside.ptr<uchar>(j)[i];
            const int territory = m_territory.empty() ? own : m_territory.ptr<int>(j)[i];
            if (m_hard) return territory == own ? 1.0f : -1.0f;
            const float sum = m_sums[b].ptr<float>(j)[i];
            if (sum > 1e-30f) return model(x, y) / sum;
            if (territory == own) return 1.0f;
            return inside ? 0.0f : -1.0f;
        };
        for (int y = window.y0; y < window.y1(); ++y) {
            float* row = image.ptr<float>(y - window.y0);
            float* var = variance.ptr<float>(y - window.y0);
            for (int x = window.x0; x < window.x1(); ++x) {
                const auto noise = [&](int px, int py) {
                    return 1.0f / m_input.weight[b].ptr<float>(py - box.y0)[px - box.x0] +
                           perCount * std::max(0.0f, m_sums[b].ptr<float>(py - box.y0)[px - box.x0]);
                };
                const float f = fraction(x, y);
                if (f >= 0.0f) {
                    row[x - window.x0] = f * m_input.data[b].ptr<float>(y - box.y0)[x - box.x0];
                    var[x - window.x0] = f * f * noise(x, y);
                    continue;
                }
                out.measured.ptr<uchar>(y - window.y0)[x - window.x0] = 0;
                const float m = m_hard ? 0.0f : model(x, y);
                if (m > 0.0f) {
                    row[x - window.x0] = m;
                    continue;
                }
                const int ox = mirrorX - x, oy = mirrorY - y;
                const float g = fraction(ox, oy);
                if (g >= 0.0f) {
                    row[x - window.x0] = g * m_input.data[b].ptr<float>(oy - box.y0)[ox - box.x0];
                    // The opposite pixel counts twice: (1 + 1)^2 of its variance, one part of which it brings itself.
                    var[x - window.x0] = 3.0f * g * g * noise(ox, oy);
                }
            }
        }
        for (int y = 0; y < image.rows; ++y) {
            float* row = image.ptr<float>(y);
            for (int x = 0; x < image.cols; ++x) {
                if (!std::isfinite(row[x])) row[x] = 0.0f;
            }
        }
        if (b < component.model.size()) out.spectrum[b] = std::max(0.0, cv::sum(component.model[b])[0]);
        if (!std::isfinite(out.spectrum[b])) out.spectrum[b] = 0.0;
    }

    double total = 0.0;
    for (size_t b = 0; b < bands; ++b) {
        const double sigma = sigmaOf(m_input, b);
        out.mixing[b] = out.spectrum[b] / (sigma * sigma);
        total += out.mixing[b];
    }
    for (size_t b = 0; b < bands; ++b) {
        if (!(total > 0.0) || !std::isfinite(total)) out.mixing[b] = 1.0 / sigmaOf(m_input, b);
    }
    double norm = 0.0;
    for (const double m : out.mixing) {
        norm += m;
    }
    out.combined = cv::Mat::zeros(window.size(), CV_32F);
    out.combinedVariance = cv::Mat::zeros(window.size(), CV_32F);
    for (size_t b = 0; b < bands; ++b) {
        out.mixing[b] /= norm;
        cv::scaleAdd(out.image[b], out.mixing[b], out.combined, out.combined);
        cv::scaleAdd(out.variance[b], out.mixing[b] * out.mixing[b], out.combinedVariance, out.combinedVariance);
    }
    return out;
}

} // namespace blendscope
