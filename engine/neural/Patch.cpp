#include "neural/Patch.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

float medianSigma(const Band& band, const Box& whole) {
    const int step = std::max(1, std::max(whole.width, whole.height) / 256);
    const cv::Mat variance = band.variance->readSampled(whole, step);
    std::vector<float> usable;
    usable.reserve(variance.total());
    for (int y = 0; y < variance.rows; ++y) {
        const float* v = variance.ptr<float>(y);
        std::copy_if(v, v + variance.cols, std::back_inserter(usable),
                     [](float value) { return value > 0.0f && std::isfinite(value); });
    }
    if (usable.empty()) return 0.0f;
    const auto middle = usable.begin() + static_cast<std::ptrdiff_t>(usable.size() / 2);
    std::nth_element(usable.begin(), middle, usable.end());
    return std::sqrt(*middle);
}

} // namespace

PatchReader::PatchReader(const Scene& scene, std::vector<SkyModelPtr> sky) : m_scene(scene), m_sky(std::move(sky)) {
    for (const Band& band : scene.bands) {
        m_sigma.push_back(medianSigma(band, scene.box()));
    }
}

Patch PatchReader::read(const Box& box) const {
    Patch patch;
    patch.box = box;
    patch.sigma = m_sigma;
    patch.pixelScale = m_scene.pixelScale;
    const Box in = box.intersected(m_scene.box());
    for (std::size_t b = 0; b < m_scene.bands.size(); ++b) {
        const Band& band = m_scene.bands[b];
        patch.bands << band.name;
        patch.wavelength.push_back(band.wavelength);
        patch.fwhm.push_back(band.psf.fwhmPixels);
        patch.zeroPoint.push_back(band.zeroPoint);
        cv::Mat image = cv::Mat::zeros(box.size(), CV_32F), weight = cv::Mat::zeros(box.size(), CV_32F);
        if (!in.empty()) {
            const cv::Rect at = in.shifted(-box.x0, -box.y0).rect();
            const cv::Mat data = band.image->read(in);
            const cv::Mat variance = band.variance->read(in);
            const cv::Mat mask = band.mask ? band.mask->read(in) : cv::Mat();
            const bool hasSky = b < m_sky.size() && m_sky[b] && !m_sky[b]->isZero();
            const cv::Mat level = hasSky ? m_sky[b]->level(in) : cv::Mat();
            const int unusable = band.unusableBits();
            for (int y = 0; y < in.height; ++y) {
                const float* d = data.ptr<float>(y);
                const float* v = variance.ptr<float>(y);
                const int* m = mask.empty() ? nullptr : mask.ptr<int>(y);
                const float* s = level.empty() ? nullptr : level.ptr<float>(y);
                float* i = image.ptr<float>(at.y + y) + at.x;
                float* w = weight.ptr<float>(at.y + y) + at.x;
                for (int x = 0; x < in.width; ++x) {
                    if (!std::isfinite(d[x]) || !(v[x] > 0.0f) || !std::isfinite(v[x]) || (m && (m[x] & unusable)))
                        continue;
                    const float inverse = 1.0f / v[x];
                    if (!std::isfinite(inverse)) continue;
                    i[x] = s ? d[x] - s[x] : d[x];
                    w[x] = inverse;
                }
            }
        }
        patch.image.push_back(image);
        patch.weight.push_back(weight);
    }
    return patch;
}

} // namespace blendscope
