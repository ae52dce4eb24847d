#include "method/BlendMethod.h"

#include <algorithm>
#include <cmath>

using namespace blendscope;

/// Every pixel's light is divided among the peaks in proportion to 1 / (softening^2 + distance^2)^2.
class Example final : public BlendMethod {
public:
    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override {
        const double soft = parameters.real(QStringLiteral("SOFTENING"));
        const auto weight = [&](const Peak& peak, int x, int y) {
            return std::pow(
                soft * soft + std::pow(blend.box.x0 + x - peak.x, 2) + std::pow(blend.box.y0 + y - peak.y, 2), -2.0);
        };
        cv::Mat total = cv::Mat::zeros(blend.box.size(), CV_64F);
        for (const Peak& peak : blend.peaks) {
            total.forEach<double>([&](double& sum, const int* at) { sum += weight(peak, at[1], at[0]); });
        }
        BlendOutput output;
        for (const Peak& peak : blend.peaks) {
            context.progress->check();
            BlendOutput::Child child;
            child.peak = peak;
            child.box = blend.box;
            for (const cv::Mat& data : blend.data) {
                cv::Mat model = cv::max(data, 0.0f);
                model.forEach<float>([&](float& light, const int* at) {
                    light *= static_cast<float>(weight(peak, at[1], at[0]) / total.at<double>(at[0], at[1]));
                });
                child.model.push_back(model);
            }
            output.children.push_back(std::move(child));
        }
        output.message = QStringLiteral("divided by distance among %1 peaks").arg(blend.peaks.size());
        return output;
    }
};

BLENDSCOPE_METHOD(Example)
