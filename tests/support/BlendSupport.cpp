#include "support/BlendSupport.h"

#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope::test {

cv::Mat drawGalaxy(const Galaxy& g, cv::Size size, double psfSigma) {
    constexpr int kOver = 5;
    cv::Mat fine = cv::Mat::zeros(size * kOver, CV_32F);
    const double c = std::cos(g.angle * std::numbers::pi / 180.0), s = std::sin(g.angle * std::numbers::pi / 180.0);
    if (g.index <= 0.0) {
        const int x = static_cast<int>(std::lround((g.x + 0.5) * kOver - 0.5));
        const int y = static_cast<int>(std::lround((g.y + 0.5) * kOver - 0.5));
        fine.at<float>(y, x) = 1.0f;
    } else {
        // b_n of Ciotti & Bertin 1999, good to 1e-4 for n >= 0.5.
        const double b = 2.0 * g.index - 1.0 / 3.0 + 0.009876 / g.index;
        for (int y = 0; y < fine.rows; ++y) {
            for (int x = 0; x < fine.cols; ++x) {
                const double dx = (x + 0.5) / kOver - 0.5 - g.x, dy = (y + 0.5) / kOver - 0.5 - g.y;
                const double u = (dx * c + dy * s) / g.halfLight, v = (-dx * s + dy * c) / (g.halfLight * g.axisRatio);
                fine.at<float>(y, x) = static_cast<float>(std::exp(-b * std::pow(u * u + v * v, 0.5 / g.index)));
            }
        }
    }
    cv::GaussianBlur(fine, fine, {}, psfSigma * kOver, psfSigma * kOver, cv::BORDER_CONSTANT);
    cv::Mat out;
    cv::resize(fine, out, size, 0.0, 0.0, cv::INTER_AREA);
    return out * (g.flux / cv::sum(out)[0]);
}

void makeBlend(BlendCase& blend, const std::vector<cv::Mat>& noiseless, double sigma, double gain, double psfSigma,
               const std::vector<Peak>& peaks, Random* noise, cv::Point origin) {
    const cv::Size size = noiseless.at(0).size();
    blend.psf.assign(noiseless.size(), Psf::gaussian(psfSigma * 2.3548));
    BlendInput& in = blend.input;
    in = {};
    in.box = {origin.x, origin.y, size.width, size.height};
    in.inside = noiseless[0] > sigma;
    in.others = cv::Mat::zeros(size, CV_8U);
    blend.footprint = Footprint::fromMask(in.inside, origin.x, origin.y);
    blend.footprint.id = 1;
    in.footprint = &blend.footprint;
    in.peaks = blend.footprint.peaks = peaks;
    in.pixelScale = 0.2;
    for (size_t b = 0; b < noiseless.size(); ++b) {
        cv::Mat data = noiseless[b].clone();
        for (int y = 0; y < size.height && noise; ++y) {
            for (int x = 0; x < size.width; ++x) {
                float& v = data.at<float>(y, x);
                const double source = gain > 0.0 ? std::max(0.0, double(v)) / gain : 0.0;
                v += static_cast<float>(noise->normal(0.0, std::sqrt(sigma * sigma + source)));
            }
        }
        in.data.push_back(data);
        in.weight.push_back(cv::Mat(size, CV_32F, cv::Scalar(1.0 / (sigma * sigma))));
        in.skySigma.push_back(static_cast<float>(sigma));
        in.gain.push_back(gain);
        in.psf.push_back(&blend.psf[b]);
    }
}

} // namespace blendscope::test
