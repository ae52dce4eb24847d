#include "judge/ImageMetrics.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kWindow = 7;
constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
constexpr int kNearHalf = 20;
constexpr double kLeastSquare = 1e-20; // a perfect image has a finite ratio

cv::Mat positive(const cv::Mat& image) {
    cv::Mat out(image.size(), CV_64F);
    for (int y = 0; y < image.rows; ++y) {
        const float* in = image.ptr<float>(y);
        double* row = out.ptr<double>(y);
        for (int x = 0; x < image.cols; ++x) {
            row[x] = std::isfinite(in[x]) && in[x] > 0.0f ? double(in[x]) : 0.0;
        }
    }
    return out;
}

double meanSquare(const cv::Mat& a, const cv::Mat& b) {
    const double norm = cv::norm(a, b, cv::NORM_L2);
    return norm * norm / static_cast<double>(a.total());
}

double decibel(double meanSquareOverRange) {
    return -10.0 * std::log10(std::max(meanSquareOverRange, kLeastSquare));
}

} // namespace

double structuralSimilarity(const cv::Mat& a, const cv::Mat& b) {
    if (a.rows < kWindow || a.cols < kWindow) return std::numeric_limits<double>::quiet_NaN();
    constexpr double n = kWindow * kWindow;
    const cv::Rect inside(kWindow / 2, kWindow / 2, a.cols - kWindow + 1, a.rows - kWindow + 1);
    const auto mean = [&](const cv::Mat& image) {
        cv::Mat out;
        cv::boxFilter(image, out, CV_64F, {kWindow, kWindow}, {-1, -1}, true, cv::BORDER_REFLECT_101);
        return out(inside).clone();
    };
    const cv::Mat ma = mean(a), mb = mean(b), maa = mean(a.mul(a)), mbb = mean(b.mul(b)), mab = mean(a.mul(b));
    double sum = 0.0;
    for (int y = 0; y < inside.height; ++y) {
        const double *pa = ma.ptr<double>(y), *pb = mb.ptr<double>(y), *paa = maa.ptr<double>(y),
                     *pbb = mbb.ptr<double>(y), *pab = mab.ptr<double>(y);
        for (int x = 0; x < inside.width; ++x) {
            const double va = n / (n - 1.0) * (paa[x] - pa[x] * pa[x]), vb = n / (n - 1.0) * (pbb[x] - pb[x] * pb[x]);
            const double vab = n / (n - 1.0) * (pab[x] - pa[x] * pb[x]);
            sum += ((2.0 * pa[x] * pb[x] + kC1) * (2.0 * vab + kC2)) /
                   ((pa[x] * pa[x] + pb[x] * pb[x] + kC1) * (va + vb + kC2));
        }
    }
    return sum / static_cast<double>(inside.area());
}

ImageMetrics compareImages(const cv::Mat& model, const cv::Mat& truth, double x, double y) {
    ImageMetrics out;
    if (truth.empty() || model.size() != truth.size()) return out;
    out.correlation = 0.0;
    const cv::Mat m = positive(model), t = positive(truth);
    double peakM = 0.0, peakT = 0.0;
    cv::minMaxLoc(m, nullptr, &peakM);
    cv::minMaxLoc(t, nullptr, &peakT);
    const double sumM = cv::sum(m)[0], sumT = cv::sum(t)[0];
    out.fluxError = sumM / std::max(sumT, 1e-9) - 1.0;
    out.msr = meanSquare(m, t);
    if (!(peakT > 0.0)) return out;
    const auto cx = static_cast<int>(std::nearbyint(x)), cy = static_cast<int>(std::nearbyint(y));
    const cv::Rect near =
        cv::Rect(cx - kNearHalf, cy - kNearHalf, 2 * kNearHalf + 1, 2 * kNearHalf + 1) & cv::Rect({0, 0}, m.size());
    const cv::Mat tn = t / peakT, mc = m / peakT;
    out.psnr = decibel(out.msr / (peakT * peakT));
    out.ssim = structuralSimilarity(mc, tn);
    out.ssimNear = near.empty() ? out.ssimNear : structuralSimilarity(mc(near), tn(near));
    if (!(peakM > 0.0)) return out;
    out.correlation = m.dot(t) / std::sqrt(m.dot(m) * t.dot(t));
    const cv::Mat mn = m / peakM;
    out.psnrOwn = decibel(meanSquare(mn, tn));
    out.ssimOwn = structuralSimilarity(mn, tn);
    out.ssimOwnNear = near.empty() ? out.ssimOwnNear : structuralSimilarity(mn(near), tn(near));
    return out;
}

} // namespace blendscope
