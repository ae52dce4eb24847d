#include "neural/Patch.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr float kBright = 10.0f;          ///< sigma: where photons of objects show in the variance
constexpr std::size_t kEnoughPixels = 32; ///< of that light, for a gain

float median(std::vector<float>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double photons(double gain, float sigma) {
    return gain > 0.0 && sigma > 0.0f ? 1.0 / (gain * double(sigma)) : 0.0;
}

struct Noise {
    float sigma = 0.0f;
    double gain = 0.0;
};

/// Of a band's sky, from up to 256 x 256 pixels.
Noise noiseOf(const Band& band, const Box& whole) {
    const int step = std::max(1, std::max(whole.width, whole.height) / 256);
    const cv::Mat variance = band.variance->readSampled(whole, step);
    const auto good = [](float value) { return value > 0.0f && std::isfinite(value); };
    std::vector<float> usable;
    usable.reserve(variance.total());
    for (int y = 0; y < variance.rows; ++y) {
        const float* v = variance.ptr<float>(y);
        std::copy_if(v, v + variance.cols, std::back_inserter(usable), good);
    }
    if (usable.empty()) return {};
    const float sky = median(usable);
    Noise out{std::sqrt(sky), band.gain};
    if (band.varianceIsSkyOnly) return out;

    const cv::Mat image = band.image->readSampled(whole, step);
    std::vector<float> light;
    for (int y = 0; y < image.rows; ++y) {
        const float* i = image.ptr<float>(y);
        std::copy_if(i, i + image.cols, std::back_inserter(light), [](float value) { return std::isfinite(value); });
    }
    if (light.empty()) return out;
    const float level = median(light);
    std::vector<float> rise;
    for (int y = 0; y < image.rows; ++y) {
        const float *i = image.ptr<float>(y), *v = variance.ptr<float>(y);
        for (int x = 0; x < image.cols; ++x) {
            const float above = i[x] - level;
            if (good(v[x]) && std::isfinite(above) && above > kBright * out.sigma) rise.push_back((v[x] - sky) / above);
        }
    }
    if (rise.size() < kEnoughPixels) return out;
    const float perCount = median(rise);
    if (perCount > 0.0f) out.gain = 1.0 / double(perCount);
    return out;
}

} // namespace

double Patch::poisson(std::size_t band) const {
    return band < gain.size() ? photons(gain[band], sigma[band]) : 0.0;
}

double PatchReader::poisson(std::size_t band) const {
    return photons(m_gain[band], m_sigma[band]);
}

PatchReader::PatchReader(const Scene& scene, std::vector<SkyModelPtr> sky) : m_scene(scene), m_sky(std::move(sky)) {
    for (const Band& band : scene.bands) {
        const Noise noise = noiseOf(band, scene.box());
        m_sigma.push_back(noise.sigma);
        m_gain.push_back(noise.gain);
    }
}

Patch PatchReader::read(const Box& box) const {
    Patch patch;
    patch.box = box;
    patch.sigma = m_sigma;
    patch.gain = m_gain;
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
