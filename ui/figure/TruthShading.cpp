#include "figure/TruthShading.h"

#include "core/CutoutPlane.h"
#include "figure/Palette.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr double kMostPixels = 4e9; ///< objects times pixels
constexpr float kNoiseFraction = 0.2f;
constexpr double kPeakFraction = 1e-3;

} // namespace

cv::Mat truthIds(const Scene& scene, const Box& region) {
    if (!scene.truth || region.empty()) return {};
    const Truth& truth = *scene.truth;
    if (truth.segmentation) return truth.segmentation->read(region).clone();
    if (truth.isolated.empty() || scene.bands.empty()) return {};
    // The band in the middle of the spectrum sees most objects.
    const size_t band = std::min(truth.isolated.size() / 2, scene.bands.size() - 1);
    const std::vector<PlanePtr>& alone = truth.isolated[band];
    if (alone.empty()) return {};
    std::vector<Box> reach(alone.size());
    double pixels = 0.0;
    for (size_t i = 0; i < alone.size(); ++i) {
        if (!alone[i] || alone[i]->size() != scene.size) continue;
        const auto* cutout = dynamic_cast<const CutoutPlane*>(alone[i].get());
        reach[i] = cutout ? cutout->cutoutBox().intersected(region) : region;
        pixels += double(reach[i].area());
    }
    if (pixels > kMostPixels) return {};

    cv::Mat ids(region.size(), CV_32S, cv::Scalar(0));
    cv::Mat most(region.size(), CV_32F, cv::Scalar(0.0f));
    if (scene.bands[band].variance) {
        const cv::Mat variance = scene.bands[band].variance->read(region);
        for (int y = 0; y < ids.rows; ++y) {
            const float* v = variance.ptr<float>(y);
            auto* m = most.ptr<float>(y);
            for (int x = 0; x < ids.cols; ++x) {
                m[x] = v[x] > 0.0f && std::isfinite(v[x]) ? kNoiseFraction * std::sqrt(v[x]) : 0.0f;
            }
        }
    }
    for (size_t i = 0; i < alone.size(); ++i) {
        const Box& box = reach[i];
        if (box.empty()) continue;
        const int id = i < truth.objects.size() ? truth.objects[i].id : static_cast<int>(i) + 1;
        const cv::Mat image = alone[i]->read(box);
        double peak = 0.0;
        cv::minMaxLoc(image, nullptr, &peak);
        const auto least = static_cast<float>(kPeakFraction * peak);
        for (int y = 0; y < box.height; ++y) {
            const float* v = image.ptr<float>(y);
            float* m = most.ptr<float>(y + box.y0 - region.y0) + (box.x0 - region.x0);
            int* to = ids.ptr<int>(y + box.y0 - region.y0) + (box.x0 - region.x0);
            for (int x = 0; x < box.width; ++x) {
                if (v[x] > m[x] && v[x] > least) {
                    m[x] = v[x];
                    to[x] = id;
                }
            }
        }
    }
    return ids;
}

QImage truthShading(const cv::Mat& ids, const std::vector<int>& colours, int alpha) {
    QImage image(ids.cols, ids.rows, QImage::Format_ARGB32);
    for (int y = 0; y < ids.rows; ++y) {
        const int* row = ids.ptr<int>(y);
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(ids.rows - 1 - y));
        for (int x = 0; x < ids.cols; ++x) {
            line[x] = qRgba(0, 0, 0, 0);
            if (row[x] <= 0) continue;
            const auto i = static_cast<size_t>(row[x]);
            const QRgb c = paletteColour(i < colours.size() && colours[i] >= 0 ? colours[i] : row[x]).rgb();
            line[x] = qRgba(qRed(c), qGreen(c), qBlue(c), alpha);
        }
    }
    return image;
}

} // namespace blendscope
