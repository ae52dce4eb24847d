#include "neural/SceneTargets.h"

#include "core/Error.h"

#include <cmath>

namespace blendscope {

cv::Mat combinedLight(const TrainingStamp& stamp, int object) {
    cv::Mat sum = cv::Mat::zeros(stamp.patch.box.size(), CV_32F);
    const size_t bands = stamp.patch.image.size();
    for (size_t b = 0; b < bands; ++b) {
        cv::scaleAdd(stamp.isolated[b][object], 1.0 / (stamp.patch.sigma[b] * std::sqrt(double(bands))), sum, sum);
    }
    return sum;
}

std::vector<TargetObject> sceneTargets(const TrainingStamp& stamp, const TargetOptions& options) {
    if (stamp.isolated.size() != stamp.patch.image.size())
        throw UsageError(QStringLiteral("targets need the isolated images of every band"));
    const cv::Size size = stamp.patch.box.size();
    std::vector<TargetObject> targets;
    for (int k = 0; k < static_cast<int>(stamp.objects.size()); ++k) {
        const TruthObject& g = stamp.objects[k];
        if (!(g.x > -0.5 && g.y > -0.5 && g.x < size.width - 0.5 && g.y < size.height - 0.5)) continue;
        TargetObject t;
        t.index = k;
        t.star = g.kind == QLatin1String("star");
        t.x = static_cast<float>(g.x);
        t.y = static_cast<float>(g.y);
        double square = 0.0;
        for (size_t b = 0; b < stamp.patch.image.size(); ++b) {
            square +=
                stamp.isolated[b][k].dot(stamp.isolated[b][k]) / (double(stamp.patch.sigma[b]) * stamp.patch.sigma[b]);
        }
        t.snr = static_cast<float>(std::sqrt(square));

        const cv::Mat light = combinedLight(stamp, k);
        int x0 = size.width, y0 = size.height, x1 = -1, y1 = -1;
        for (int y = 0; y < light.rows; ++y) {
            const float* row = light.ptr<float>(y);
            for (int x = 0; x < light.cols; ++x) {
                if (!(row[x] > options.extentSigma)) continue;
                x0 = std::min(x0, x);
                x1 = std::max(x1, x);
                y0 = std::min(y0, y);
                y1 = std::max(y1, y);
            }
        }
        t.box = x1 < 0 ? FloatBox{t.x, t.y, t.x, t.y} : FloatBox{x0 - 0.5f, y0 - 0.5f, x1 + 0.5f, y1 + 0.5f};
        const float half = 0.5f * options.leastSide;
        t.box.x0 = std::min(t.box.x0, t.x - half);
        t.box.y0 = std::min(t.box.y0, t.y - half);
        t.box.x1 = std::max(t.box.x1, t.x + half);
        t.box.y1 = std::max(t.box.y1, t.y + half);
        targets.push_back(t);
    }
    return targets;
}

} // namespace blendscope
