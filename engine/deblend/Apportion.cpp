#include "deblend/Apportion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

/// Model sums below this count as "no flux": a share of them would be the ratio of two rounding errors.
constexpr float kLeastModel = 1e-30f;
/// Larger values are garbage; sums of those below stay finite.
constexpr float kLargestModel = 1e30f;

float clean(float v) {
    return v > 0.0f && v <= kLargestModel ? v : 0.0f;
}

/// True where child.model[band] can be used: a matrix of the right kind and size.
bool hasModel(const BlendOutput::Child& child, size_t band) {
    return band < child.model.size() && child.model[band].type() == CV_32F &&
           child.model[band].cols >= child.box.width && child.model[band].rows >= child.box.height &&
           !child.box.empty();
}

/// The child (index from 1) with the largest sum over bands of model^2 * weight in each pixel of the box, 0 where no
/// model has light.
cv::Mat brightestChild(const BlendInput& blend, const BlendOutput& output) {
    cv::Mat owner = cv::Mat::zeros(blend.box.size(), CV_32S);
    cv::Mat best = cv::Mat::zeros(blend.box.size(), CV_32F);
    cv::Mat score;
    for (size_t k = 0; k < output.children.size(); ++k) {
        const BlendOutput::Child& child = output.children[k];
        const Box in = child.box.intersected(blend.box);
        if (in.empty()) continue;
        score = cv::Mat::zeros(in.size(), CV_32F);
        for (size_t b = 0; b < blend.data.size(); ++b) {
            if (!hasModel(child, b)) continue;
            const float sigma = b < blend.skySigma.size() ? blend.skySigma[b] : 1.0f;
            const float weight = sigma > 0.0f && std::isfinite(sigma) ? 1.0f / (sigma * sigma) : 1.0f;
            for (int y = 0; y < in.height; ++y) {
                const float* m = child.model[b].ptr<float>(in.y0 + y - child.box.y0) + (in.x0 - child.box.x0);
                float* s = score.ptr<float>(y);
                for (int x = 0; x < in.width; ++x) {
                    const float v = clean(m[x]);
                    s[x] += v * v * weight;
                }
            }
        }
        for (int y = 0; y < in.height; ++y) {
            const float* s = score.ptr<float>(y);
            float* top = best.ptr<float>(in.y0 + y - blend.box.y0) + (in.x0 - blend.box.x0);
            int* own = owner.ptr<int>(in.y0 + y - blend.box.y0) + (in.x0 - blend.box.x0);
            for (int x = 0; x < in.width; ++x) {
                if (s[x] > top[x]) {
                    top[x] = s[x];
                    own[x] = static_cast<int>(k) + 1;
                }
            }
        }
    }
    return owner;
}

/// Index from 1 of the child whose peak is nearest to a pixel of the scene; the first of equals.
int nearestPeak(const BlendOutput& output, int x, int y) {
    int nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t k = 0; k < output.children.size(); ++k) {
        const double dx = output.children[k].peak.x - x, dy = output.children[k].peak.y - y;
        const double d = dx * dx + dy * dy;
        if (d < least) {
            least = d;
            nearest = static_cast<int>(k) + 1;
        }
    }
    return nearest ? nearest : 1;
}

/// Gives every pixel of the footprint without an owner to the owner nearest to it.
void fillOwners(const BlendInput& blend, const BlendOutput& output, cv::Mat& owner) {
    bool any = false, missing = false;
    for (int y = 0; y < owner.rows; ++y) {
        const int* own = owner.ptr<int>(y);
        const uchar* in = blend.inside.ptr<uchar>(y);
        for (int x = 0; x < owner.cols; ++x) {
            any |= own[x] != 0;
            missing |= in[x] && !own[x];
        }
    }
    if (!missing || output.children.empty()) return;
    cv::Mat distance, labels;
    std::vector<int> ownerOf;
    if (any) {
        const cv::Mat empty = owner == 0;
        cv::distanceTransform(empty, distance, labels, cv::DIST_L2, cv::DIST_MASK_5, cv::DIST_LABEL_PIXEL);
        ownerOf.assign(static_cast<size_t>(owner.rows) * owner.cols + 1, 0);
        for (int y = 0; y < owner.rows; ++y) {
            const int* own = owner.ptr<int>(y);
            const int* label = labels.ptr<int>(y);
            for (int x = 0; x < owner.cols; ++x) {
                if (own[x]) ownerOf[label[x]] = own[x];
            }
        }
    }
    for (int y = 0; y < owner.rows; ++y) {
        int* own = owner.ptr<int>(y);
        const uchar* in = blend.inside.ptr<uchar>(y);
        for (int x = 0; x < owner.cols; ++x) {
            if (!in[x] || own[x]) continue;
            if (any) own[x] = ownerOf[labels.ptr<int>(y)[x]];
            if (!own[x]) own[x] = nearestPeak(output, blend.box.x0 + x, blend.box.y0 + y);
        }
    }
}

/// `source` (pixels of `from`) on `to`, which holds `from`; zero elsewhere.
cv::Mat padded(const cv::Mat& source, const Box& from, const Box& to) {
    cv::Mat out = cv::Mat::zeros(to.size(), CV_32F);
    if (!from.empty()) source(cv::Rect(0, 0, from.width, from.height)).copyTo(out(from.shifted(-to.x0, -to.y0).rect()));
    return out;
}

} // namespace

std::vector<Component> apportion(const BlendInput& blend, const BlendOutput& output, const std::vector<int>& ids) {
    const size_t bands = blend.data.size();
    const size_t count = output.children.size();
    const Box& box = blend.box;
    std::vector<Component> components(count);
    if (count == 0) return components;

    std::vector<cv::Mat> sums(bands);
    for (size_t b = 0; b < bands; ++b) {
        sums[b] = cv::Mat::zeros(box.size(), CV_32F);
        for (const BlendOutput::Child& child : output.children) {
            const Box in = child.box.intersected(box);
            if (in.empty() || !hasModel(child, b)) continue;
            for (int y = 0; y < in.height; ++y) {
                const float* m = child.model[b].ptr<float>(in.y0 + y - child.box.y0) + (in.x0 - child.box.x0);
                float* s = sums[b].ptr<float>(in.y0 + y - box.y0) + (in.x0 - box.x0);
                for (int x = 0; x < in.width; ++x) {
                    s[x] += clean(m[x]);
                }
            }
        }
    }

    // Pixels of the footprint that no model reaches go whole to one child.
    cv::Mat owner;
    std::vector<Box> boxes(count);
    for (size_t k = 0; k < count; ++k) {
        boxes[k] = output.children[k].box.empty() ? Box{} : output.children[k].box;
    }
    for (int y = 0; y < box.height; ++y) {
        const uchar* in = blend.inside.ptr<uchar>(y);
        for (int x = 0; x < box.width; ++x) {
            if (!in[x]) continue;
            bool orphan = false;
            for (size_t b = 0; b < bands; ++b) {
                orphan |= !(sums[b].ptr<float>(y)[x] > kLeastModel);
            }
            if (!orphan) continue;
            if (owner.empty()) {
                owner = brightestChild(blend, output);
                fillOwners(blend, output, owner);
            }
            Box& grown = boxes[owner.ptr<int>(y)[x] - 1];
            grown = grown.united({box.x0 + x, box.y0 + y, 1, 1});
        }
    }

    for (size_t k = 0; k < count; ++k) {
        const BlendOutput::Child& child = output.children[k];
        Component& component = components[k];
        component.id = k < ids.size() ? ids[k] : static_cast<int>(k) + 1;
        component.box = boxes[k];
        component.model.resize(bands);
        component.share.resize(bands);
        if (component.box.empty()) {
            // A child without a box and without pixels still needs an image: the pixel of its peak.
            const int px = std::clamp(static_cast<int>(std::lround(std::isfinite(child.peak.x) ? child.peak.x : 0.0)),
                                      box.x0, std::max(box.x0, box.x1() - 1));
            const int py = std::clamp(static_cast<int>(std::lround(std::isfinite(child.peak.y) ? child.peak.y : 0.0)),
                                      box.y0, std::max(box.y0, box.y1() - 1));
            component.box = {px, py, 1, 1};
        }
        const Box& cb = component.box;
        const Box in = cb.intersected(box);
        for (size_t b = 0; b < bands; ++b) {
            component.model[b] =
                hasModel(child, b) ? padded(child.model[b], child.box, cb) : cv::Mat(cv::Mat::zeros(cb.size(), CV_32F));
            component.share[b] = cv::Mat::zeros(cb.size(), CV_32F);
            for (int y = 0; y < cb.height; ++y) {
                float* m = component.model[b].ptr<float>(y);
                std::transform(m, m + cb.width, m, clean);
            }
            for (int y = in.y0; y < in.y1(); ++y) {
                const float* m = component.model[b].ptr<float>(y - cb.y0) + (in.x0 - cb.x0);
                float* share = component.share[b].ptr<float>(y - cb.y0) + (in.x0 - cb.x0);
                const float* data = blend.data[b].ptr<float>(y - box.y0) + (in.x0 - box.x0);
                const float* sum = sums[b].ptr<float>(y - box.y0) + (in.x0 - box.x0);
                const uchar* inside = blend.inside.ptr<uchar>(y - box.y0) + (in.x0 - box.x0);
                const int* own = owner.empty() ? nullptr : owner.ptr<int>(y - box.y0) + (in.x0 - box.x0);
                for (int x = 0; x < in.width; ++x) {
                    if (sum[x] > kLeastModel) {
                        share[x] = static_cast<float>(double(data[x]) * (double(m[x]) / double(sum[x])));
                    } else if (inside[x] && own && own[x] == static_cast<int>(k) + 1) {
                        share[x] = data[x];
                    }
                }
            }
        }
    }
    return components;
}

cv::Mat dominantLabels(const BlendInput& blend, const BlendOutput& output) {
    const Box& box = blend.box;
    cv::Mat owner;
    if (output.children.empty()) return cv::Mat::zeros(box.size(), CV_32S);
    if (output.labels.type() == CV_32S && output.labels.size() == box.size()) {
        owner = output.labels.clone();
        for (int y = 0; y < owner.rows; ++y) {
            int* own = owner.ptr<int>(y);
            for (int x = 0; x < owner.cols; ++x) {
                if (own[x] < 0 || own[x] > static_cast<int>(output.children.size())) own[x] = 0;
            }
        }
    } else {
        owner = brightestChild(blend, output);
        fillOwners(blend, output, owner);
    }
    for (int y = 0; y < owner.rows; ++y) {
        int* own = owner.ptr<int>(y);
        const uchar* in = blend.inside.ptr<uchar>(y);
        for (int x = 0; x < owner.cols; ++x) {
            if (!in[x]) own[x] = 0;
        }
    }

    // Faint peaks on the flank of a bright one keep their pixel; of two peaks in one pixel the second takes a
    // neighbour that is no peak.
    cv::Mat taken = cv::Mat::zeros(box.size(), CV_8U);
    for (size_t k = 0; k < output.children.size(); ++k) {
        const Peak& peak = output.children[k].peak;
        if (!std::isfinite(peak.x) || !std::isfinite(peak.y)) continue;
        const int px = static_cast<int>(std::lround(peak.x)) - box.x0,
                  py = static_cast<int>(std::lround(peak.y)) - box.y0;
        const auto claim = [&](int x, int y) {
            if (x < 0 || y < 0 || x >= box.width || y >= box.height) return false;
            if (!blend.inside.ptr<uchar>(y)[x] || taken.ptr<uchar>(y)[x]) return false;
            taken.ptr<uchar>(y)[x] = 1;
            owner.ptr<int>(y)[x] = static_cast<int>(k) + 1;
            return true;
        };
        if (claim(px, py)) continue;
        if (px < 0 || py < 0 || px >= box.width || py >= box.height || !blend.inside.ptr<uchar>(py)[px]) continue;
        constexpr int kNeighbours[8][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 1}, {-1, 1}, {-1, -1}, {1, -1}};
        for (const auto& n : kNeighbours) {
            if (claim(px + n[0], py + n[1])) break;
        }
    }
    return owner;
}

void trimLabels(const BlendInput& blend, const BlendOutput& output, cv::Mat& labels) {
    cv::Mat light = cv::Mat::zeros(blend.box.size(), CV_32F);
    cv::Mat sum(blend.box.size(), CV_32F);
    for (size_t b = 0; b < blend.data.size(); ++b) {
        if (!(blend.skySigma[b] > 0.0f)) continue;
        sum.setTo(0.0f);
        for (const BlendOutput::Child& child : output.children) {
            const Box in = child.box.intersected(blend.box);
            if (in.empty() || !hasModel(child, b)) continue;
            cv::Mat view = sum(in.shifted(-blend.box.x0, -blend.box.y0).rect());
            view += child.model[b](in.shifted(-child.box.x0, -child.box.y0).rect());
        }
        // Models cut out of the data (hard labels) carry its noise: average it before asking for one sigma.
        if (!output.labels.empty()) cv::GaussianBlur(sum, sum, {7, 7}, 1.5, 1.5, cv::BORDER_REPLICATE);
        sum *= 1.0f / blend.skySigma[b];
        cv::max(light, sum, light);
    }
    std::vector<float> least(output.children.size() + 1, 0.0f);
    for (int y = 0; y < labels.rows; ++y) {
        const int* label = labels.ptr<int>(y);
        const float* l = light.ptr<float>(y);
        for (int x = 0; x < labels.cols; ++x) {
            if (label[x] > 0) least[label[x]] = std::max(least[label[x]], l[x]);
        }
    }
    for (float& threshold : least) {
        threshold = std::min(1.0f, 0.5f * threshold);
    }
    for (int y = 0; y < labels.rows; ++y) {
        int* label = labels.ptr<int>(y);
        const float* l = light.ptr<float>(y);
        for (int x = 0; x < labels.cols; ++x) {
            if (label[x] > 0 && l[x] < least[label[x]]) label[x] = 0;
        }
    }
}

} // namespace blendscope
