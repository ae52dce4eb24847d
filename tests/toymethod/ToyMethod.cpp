#include "ToyTask.h"

#include "method/Method.h"
#include "method/Training.h"
#include "neural/Trainer.h"

#include <algorithm>

using namespace blendscope;

namespace {

/// With a picture: the line as learned (white) over the truth (grey).
class PicturedTask final : public test::ToyTask {
public:
    cv::Mat picture(torch::nn::Module& network, const Tensors& /*batch*/, const torch::Device& device) const override {
        const torch::Tensor x = torch::linspace(-1, 1, 64).view({64, 1}).to(device);
        const torch::Tensor y = network.as<torch::nn::SequentialImpl>()->forward(x).to(torch::kCPU);
        cv::Mat out = cv::Mat::zeros(64, 64, CV_8UC3);
        const auto row = [](double value) { return std::clamp(static_cast<int>(32 - 28 * value), 0, 63); };
        for (int i = 0; i < 64; ++i) {
            out.at<cv::Vec3b>(row(0.7 * x[i].item<double>() - 0.2), i) = cv::Vec3b(110, 110, 110);
            out.at<cv::Vec3b>(row(y[i].item<double>()), i) = cv::Vec3b(255, 255, 255);
        }
        return out;
    }
};

class ToyMethod final : public Method {
public:
    Result run(const Scene& /*scene*/, Result input, const Parameters& /*parameters*/,
               MethodContext& /*context*/) override {
        return input;
    }
};

class ToyTrainable final : public TrainableMethod {
public:
    QJsonObject defaultRecipe() const override { return test::toyRecipe(300); }
    TrainingOutcome train(const TrainingRequest& request, TrainingContext& context) override {
        return trainNetwork(PicturedTask(), completeRecipe(defaultRecipe(), request.recipe), request, context);
    }
};

} // namespace

BLENDSCOPE_METHOD(ToyMethod)
BLENDSCOPE_TRAINABLE(ToyTrainable)
