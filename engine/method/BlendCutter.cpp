#include "method/BlendCutter.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

BlendCutter::BlendCutter(const Scene& scene, const Result& detections)
    : m_scene(scene), m_detections(detections), m_footprintIds(cv::Mat::zeros(scene.size, CV_32S)) {
    for (const Footprint& footprint : detections.footprints) {
        for (const Span& s : footprint.spans) {
            std::fill_n(m_footprintIds.ptr<int>(s.y) + s.x0, s.x1 - s.x0, footprint.id);
        }
    }
    for (const Band& band : scene.bands) {
        m_fwhm = std::max(m_fwhm, std::min(band.psf.fwhmPixels, 20.0));
    }
}

BlendInput BlendCutter::cut(const Footprint& footprint) const {
    const int extent = std::max(footprint.box.width, footprint.box.height);
    const int margin = std::min(60, static_cast<int>(std::ceil(2.5 * m_fwhm + 0.15 * extent)));
    BlendInput input;
    input.box = footprint.box.grown(margin).intersected(m_scene.box());
    input.footprint = &footprint;
    input.inside = footprint.mask(input.box);
    const cv::Mat ids = m_footprintIds(input.box.rect());
    input.others = (ids != 0) & (ids != footprint.id);
    input.peaks = footprint.peaks;
    input.pixelScale = m_scene.pixelScale;
    input.scene = &m_scene;
    input.detections = &m_detections;
    for (std::size_t b = 0; b < m_scene.bands.size(); ++b) {
        const Band& band = m_scene.bands[b];
        cv::Mat data = band.image->read(input.box).clone();
        if (b < m_detections.sky.size() && m_detections.sky[b] && !m_detections.sky[b]->isZero()) {
            data -= m_detections.sky[b]->level(input.box);
        }
        const cv::Mat variance = band.variance->read(input.box);
        const cv::Mat mask = band.mask ? band.mask->read(input.box) : cv::Mat();
        const int unusable = band.unusableBits();
        cv::Mat weight(input.box.size(), CV_32F);
        std::vector<float> usable;
        usable.reserve(weight.total());
        for (int y = 0; y < weight.rows; ++y) {
            float* d = data.ptr<float>(y);
            float* w = weight.ptr<float>(y);
            const float* v = variance.ptr<float>(y);
            const int* m = mask.empty() ? nullptr : mask.ptr<int>(y);
            for (int x = 0; x < weight.cols; ++x) {
                const bool good =
                    std::isfinite(d[x]) && v[x] > 0.0f && std::isfinite(v[x]) && !(m && (m[x] & unusable));
                const float inverse = good ? 1.0f / v[x] : 0.0f;
                w[x] = std::isfinite(inverse) ? inverse : 0.0f;
                if (w[x] > 0.0f) {
                    usable.push_back(v[x]);
                } else {
                    d[x] = 0.0f;
                }
            }
        }
        float sigma = 0.0f;
        if (!usable.empty()) {
            const auto middle = usable.begin() + static_cast<std::ptrdiff_t>(usable.size() / 2);
            std::nth_element(usable.begin(), middle, usable.end());
            sigma = std::sqrt(*middle);
        }
        input.data.push_back(data);
        input.weight.push_back(weight);
        input.skySigma.push_back(sigma);
        input.gain.push_back(band.varianceIsSkyOnly && band.gain > 0.0 ? band.gain : 0.0);
        input.psf.push_back(band.psf.known() ? &band.psf : &m_unknownPsf);
    }
    return input;
}

} // namespace blendscope
