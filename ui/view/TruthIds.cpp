#include "view/TruthIds.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr double kMostPixels = 4e9; ///< objects times pixels
constexpr float kNoiseFraction = 0.2f;
constexpr double kPeakFraction = 1e-3;

} // namespace

cv::Mat truthIdImage(const Scene& scene) {
    if (!scene.truth) return {};
    const Truth& truth = *scene.truth;
    if (truth.segmentation) return truth.segmentation->readAll();
    if (truth.isolated.empty()) return {};
    // The band in the middle of the spectrum sees most objects.
    const size_t band = std::min(truth.isolated.size() / 2, scene.bands.size() - 1);
    const std::vector<PlanePtr>& alone = truth.isolated[band];
    const double pixels = double(scene.size.width) * scene.size.height;
    if (alone.empty() || double(alone.size()) * pixels > kMostPixels) return {};

    cv::Mat ids(scene.size, CV_32S, cv::Scalar(0));
    cv::Mat most(scene.size, CV_32F, cv::Scalar(0.0f));
    if (scene.bands[band].variance) {
        const cv::Mat variance = scene.bands[band].variance->read(scene.box());
        for (int y = 0; y < ids.rows; ++y) {
            const float* v = variance.ptr<float>(y);
            auto* m = most.ptr<float>(y);
            for (int x = 0; x < ids.cols; ++x) {
                m[x] = v[x] > 0.0f && std::isfinite(v[x]) ? kNoiseFraction * std::sqrt(v[x]) : 0.0f;
            }
        }
    }
    for (size_t i = 0; i < alone.size(); ++i) {
        if (!alone[i] || alone[i]->size() != scene.size) continue;
        const int id = i < truth.objects.size() ? truth.objects[i].id : static_cast<int>(i) + 1;
        const cv::Mat image = alone[i]->read(scene.box());
        double peak = 0.0;
        cv::minMaxLoc(image, nullptr, &peak);
        const auto least = static_cast<float>(kPeakFraction * peak);
        for (int y = 0; y < ids.rows; ++y) {
            const float* v = image.ptr<float>(y);
            auto* m = most.ptr<float>(y);
            int* to = ids.ptr<int>(y);
            for (int x = 0; x < ids.cols; ++x) {
                if (v[x] > m[x] && v[x] > least) {
                    m[x] = v[x];
                    to[x] = id;
                }
            }
        }
    }
    return ids;
}

} // namespace blendscope
