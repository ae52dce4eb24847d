#include "simulate/TruthImages.h"

#include "core/Error.h"

namespace blendscope {

namespace {

const std::vector<PlanePtr>& isolatedOf(const Scene& scene, size_t band) {
    if (!scene.truth || band >= scene.truth->isolated.size()) {
        throw UsageError(QStringLiteral("%1 has no isolated images in band %2").arg(scene.id).arg(band));
    }
    return scene.truth->isolated[band];
}

cv::Mat lightOf(const Scene& scene, size_t band, const Box& box) {
    if (scene.truth && band < scene.truth->noiseless.size() && scene.truth->noiseless[band]) {
        return scene.truth->noiseless[band]->read(box);
    }
    cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F);
    for (const PlanePtr& plane : isolatedOf(scene, band)) {
        if (plane) sum += plane->read(box);
    }
    return sum;
}

cv::Mat objectOf(const Scene& scene, size_t band, size_t object, const Box& box) {
    const std::vector<PlanePtr>& all = isolatedOf(scene, band);
    if (object >= all.size() || !all[object]) {
        throw UsageError(QStringLiteral("%1 has no isolated image of object %2").arg(scene.id).arg(object + 1));
    }
    return all[object]->read(box);
}

} // namespace

cv::Mat aloneWithNoise(const Scene& scene, size_t band, size_t object, const Box& box) {
    const cv::Mat own = objectOf(scene, band, object, box);
    return scene.bands.at(band).image->read(box) - lightOf(scene, band, box) + own;
}

cv::Mat softFraction(const Scene& scene, size_t band, size_t object, const Box& box) {
    const cv::Mat own = objectOf(scene, band, object, box), all = lightOf(scene, band, box);
    cv::Mat out = cv::Mat::zeros(box.size(), CV_32F);
    for (int y = 0; y < out.rows; ++y) {
        const float *a = own.ptr<float>(y), *b = all.ptr<float>(y);
        float* to = out.ptr<float>(y);
        for (int x = 0; x < out.cols; ++x) {
            if (b[x] > 0.0f) to[x] = std::min(1.0f, std::max(0.0f, a[x] / b[x]));
        }
    }
    return out;
}

cv::Mat dominance(const Scene& scene, size_t band, const Box& box, double limit) {
    const std::vector<PlanePtr>& all = isolatedOf(scene, band);
    cv::Mat most = cv::Mat::zeros(box.size(), CV_32F), owner = cv::Mat::zeros(box.size(), CV_32S);
    for (size_t i = 0; i < all.size(); ++i) {
        if (!all[i]) continue;
        const cv::Mat own = all[i]->read(box), brighter = own > most;
        owner.setTo(static_cast<int>(i) + 1, brighter);
        own.copyTo(most, brighter);
    }
    owner.setTo(0, lightOf(scene, band, box) < limit);
    return owner;
}

} // namespace blendscope
