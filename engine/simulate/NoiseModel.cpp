#include "simulate/NoiseModel.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

// Above this mean a Poisson number is a normal one with its skewness (Cornish-Fisher), right to 1e-4 of a sigma.
constexpr double kManyElectrons = 300.0;

} // namespace

double NoiseModel::sigma() const {
    return std::sqrt(skyElectrons + readElectrons * readElectrons) / gain;
}

void NoiseModel::apply(cv::Mat& image, Random& random) const {
    cv::Mat noise(image.size(), CV_32F);
    for (int y = 0; y < image.rows; ++y) {
        const float* from = image.ptr<float>(y);
        float* to = noise.ptr<float>(y);
        for (int x = 0; x < image.cols; ++x) {
            const double mean = skyElectrons + std::max(0.0, gain * double(from[x]));
            double electrons;
            if (mean > kManyElectrons) {
                const double z = random.normal();
                electrons = std::sqrt(mean) * z + (z * z - 1.0) / 6.0;
            } else {
                electrons = static_cast<double>(random.poisson(mean)) - mean;
            }
            if (readElectrons > 0.0) electrons += random.normal(0.0, readElectrons);
            to[x] = static_cast<float>(electrons / gain);
        }
    }
    if (correlation > 0.0) {
        const double s = correlation / 2.3548;
        const int half = std::max(1, static_cast<int>(std::ceil(3.5 * s)));
        cv::Mat kernel = cv::getGaussianKernel(2 * half + 1, s, CV_64F);
        kernel /= cv::norm(kernel);
        cv::sepFilter2D(noise, noise, CV_32F, kernel, kernel, {-1, -1}, 0.0, cv::BORDER_REFLECT);
    }
    image += noise;
}

} // namespace blendscope
