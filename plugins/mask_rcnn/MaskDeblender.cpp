#include "MaskDeblender.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr float kLeastModel = 1e-3f; ///< sky sigmas: keeps a pixel's owners clear where the data are not positive
constexpr float kLeastClaim = 1e-3f; ///< of all objects together, below which a pixel is nobody's

Box pixelsOf(const FloatBox& window) {
    const int x0 = static_cast<int>(std::ceil(window.x0)), y0 = static_cast<int>(std::ceil(window.y0));
    return {x0, y0, static_cast<int>(std::floor(window.x1)) - x0 + 1, static_cast<int>(std::floor(window.y1)) - y0 + 1};
}

} // namespace

cv::Mat pasteMask(const cv::Mat& mask, const FloatBox& window, const Box& box) {
    cv::Mat mapX(box.size(), CV_32F), mapY(box.size(), CV_32F);
    const float stepX = window.width() / static_cast<float>(mask.cols),
                stepY = window.height() / static_cast<float>(mask.rows);
    for (int y = 0; y < box.height; ++y) {
        for (int x = 0; x < box.width; ++x) {
            mapX.at<float>(y, x) = (static_cast<float>(box.x0 + x) - window.x0) / stepX - 0.5f;
            mapY.at<float>(y, x) = (static_cast<float>(box.y0 + y) - window.y0) / stepY - 0.5f;
        }
    }
    cv::Mat out;
    cv::remap(mask, out, mapX, mapY, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
    const cv::Rect inside = pixelsOf(window).intersected(box).shifted(-box.x0, -box.y0).rect();
    cv::Mat clipped = cv::Mat::zeros(out.size(), CV_32F);
    if (inside.width > 0 && inside.height > 0) out(inside).copyTo(clipped(inside));
    return clipped;
}

MaskDeblender::MaskDeblender(const std::vector<RegionDetection>& detections, std::vector<int> slots)
    : m_slots(std::move(slots)) {
    for (const RegionDetection& d : detections) {
        m_at[{d.x, d.y}] = &d;
    }
}

const RegionDetection* MaskDeblender::at(double x, double y) const {
    const auto found = m_at.find({static_cast<float>(x), static_cast<float>(y)});
    return found == m_at.end() || !found->second->mask.defined() ? nullptr : found->second;
}

BlendOutput MaskDeblender::deblend(const BlendInput& blend, const Parameters& /*parameters*/,
                                   MethodContext& context) const {
    BlendOutput output;
    const std::size_t bands = blend.data.size(), peaks = blend.peaks.size();
    std::vector<cv::Mat> light(bands);
    for (std::size_t b = 0; b < bands; ++b) {
        cv::GaussianBlur(blend.data[b], light[b], {3, 3}, 0.6, 0.6, cv::BORDER_REPLICATE);
        light[b] = cv::max(light[b], kLeastModel * std::max(blend.skySigma[b], 1e-12f));
    }
    std::vector<std::vector<cv::Mat>> claims(peaks); // [peak][band], of the child's box
    std::vector<cv::Mat> total(bands);
    for (cv::Mat& sum : total) {
        sum = cv::Mat::zeros(blend.box.size(), CV_32F);
    }
    for (std::size_t k = 0; k < peaks; ++k) {
        context.progress->check();
        const Peak& peak = blend.peaks[k];
        BlendOutput::Child child;
        child.peak = peak;
        const RegionDetection* d = at(peak.x, peak.y);
        child.box = d ? pixelsOf(d->window).intersected(blend.box) : Box();
        if (child.box.empty()) {
            const int x = std::clamp(static_cast<int>(std::lround(peak.x)), blend.box.x0, blend.box.x1() - 1);
            const int y = std::clamp(static_cast<int>(std::lround(peak.y)), blend.box.y0, blend.box.y1() - 1);
            child.box = {x, y, 1, 1};
            child.flags |= FlagNoFlux;
            child.note = QStringLiteral("the network has no mask for this position");
            claims[k].assign(bands, cv::Mat::ones(1, 1, CV_32F) * kLeastClaim);
        } else {
            child.extra[QStringLiteral("score")] = double(d->score);
            for (std::size_t b = 0; b < bands; ++b) {
                cv::Mat plane(RegionNetImpl::kMaskSide, RegionNetImpl::kMaskSide, CV_32F,
                              d->mask[m_slots[b]].data_ptr<float>());
                claims[k].push_back(pasteMask(plane, d->window, child.box));
            }
        }
        const cv::Rect local = child.box.shifted(-blend.box.x0, -blend.box.y0).rect();
        for (std::size_t b = 0; b < bands; ++b) {
            total[b](local) += claims[k][b];
        }
        output.children.push_back(std::move(child));
    }
    for (std::size_t k = 0; k < peaks; ++k) {
        BlendOutput::Child& child = output.children[k];
        const cv::Rect local = child.box.shifted(-blend.box.x0, -blend.box.y0).rect();
        for (std::size_t b = 0; b < bands; ++b) {
            cv::Mat share;
            cv::divide(claims[k][b], cv::max(total[b](local), kLeastClaim), share);
            child.model.push_back(share.mul(light[b](local)));
        }
    }
    if (peaks > 1) output.message = QStringLiteral("the light of %1 objects was divided by their masks").arg(peaks);
    return output;
}

} // namespace blendscope
