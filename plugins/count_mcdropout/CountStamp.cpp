#include "CountStamp.h"

#include <QJsonArray>

namespace blendscope {

QJsonObject countPreprocessing() {
    return {{QStringLiteral("bands"), QJsonArray{QStringLiteral("u"), QStringLiteral("g"), QStringLiteral("r"),
                                                 QStringLiteral("i"), QStringLiteral("z"), QStringLiteral("y")}},
            {QStringLiteral("scale"), QStringLiteral("asinh_noise")},
            {QStringLiteral("softening"), 1.0},
            {QStringLiteral("psf_width"), true},
            {QStringLiteral("presence"), true}};
}

Box countBox(const Footprint& footprint) {
    const int x = footprint.box.x0 + footprint.box.width / 2, y = footprint.box.y0 + footprint.box.height / 2;
    return {x - kCountSide / 2, y - kCountSide / 2, kCountSide, kCountSide};
}

bool fitsCountStamp(const Footprint& footprint) {
    return footprint.box.width <= kCountSide && footprint.box.height <= kCountSide;
}

torch::Tensor countInput(const Preprocessing& preprocessing, const Patch& patch, const std::vector<int>& matched,
                         const cv::Mat& area) {
    const torch::Tensor inside = (toTensor(area) > 0).to(torch::kFloat32);
    return torch::cat({preprocessing.encode(patch, matched), inside.unsqueeze(0)}, 0);
}

} // namespace blendscope
