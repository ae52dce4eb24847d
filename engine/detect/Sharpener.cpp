#include "detect/Sharpener.h"

#include "detect/PeakTree.h"
#include "jobs/Progress.h"

#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

/// Few sizes, so that the spectra of the PSFs are made once for many boxes.
int transformSize(int n) {
    int size = 32;
    while (size < n) {
        size += size < 128 ? 16 : (size < 256 ? 32 : 64);
    }
    return cv::getOptimalDFTSize(size);
}

/// `kernel` with its middle pixel at (0, 0) of a periodic image.
cv::Mat wrapped(const cv::Mat& kernel, cv::Size size) {
    cv::Mat out = cv::Mat::zeros(size, CV_32F);
    const int cx = kernel.cols / 2, cy = kernel.rows / 2;
    for (int y = 0; y < kernel.rows; ++y) {
        for (int x = 0; x < kernel.cols; ++x) {
            const int px = ((x - cx) % size.width + size.width) % size.width;
            const int py = ((y - cy) % size.height + size.height) % size.height;
            out.at<float>(py, px) += kernel.at<float>(y, x);
        }
    }
    return out;
}

cv::Mat gaussianKernel(double sigma) {
    const int half = std::max(1, static_cast<int>(std::ceil(3.5 * sigma)));
    const cv::Mat line = cv::getGaussianKernel(2 * half + 1, sigma, CV_32F);
    return line * line.t();
}

cv::Mat forward(const cv::Mat& image) {
    cv::Mat out;
    cv::dft(image, out, 0);
    return out;
}

cv::Mat product(const cv::Mat& a, const cv::Mat& b, bool conjugate = false) {
    cv::Mat out;
    cv::mulSpectrums(a, b, out, 0, conjugate);
    return out;
}

cv::Mat inverse(const cv::Mat& spectrum) {
    cv::Mat out;
    cv::dft(spectrum, out, cv::DFT_INVERSE | cv::DFT_SCALE | cv::DFT_REAL_OUTPUT);
    return out;
}

/// Holes (weight 0) take the mean of good pixels around them, so that they make no edge.
void fillHoles(cv::Mat& data, const cv::Mat& weight, double sigma) {
    if (cv::countNonZero(weight) == static_cast<int>(weight.total())) return;
    cv::Mat good, sum, norm;
    good = weight > 0.0f;
    good.convertTo(good, CV_32F, 1.0 / 255.0);
    const int side = 2 * std::max(1, static_cast<int>(std::lround(2.0 * sigma))) + 1;
    cv::GaussianBlur(data, sum, cv::Size(side, side), sigma, sigma, cv::BORDER_CONSTANT);
    cv::GaussianBlur(good, norm, cv::Size(side, side), sigma, sigma, cv::BORDER_CONSTANT);
    for (int y = 0; y < data.rows; ++y) {
        for (int x = 0; x < data.cols; ++x) {
            if (weight.at<float>(y, x) > 0.0f) continue;
            const float n = norm.at<float>(y, x);
            data.at<float>(y, x) = n > 0.02f ? sum.at<float>(y, x) / n : 0.0f;
        }
    }
}

} // namespace

Sharpener::Sharpener(const Scene& scene, const std::vector<SkyModelPtr>& sky, const DetectionImage& detection,
                     const SharpenOptions& options)
    : m_scene(scene), m_sky(sky), m_options(options), m_spectrum(detection.spectrum), m_variance(detection.skyVariance),
      m_noiseScale(detection.noiseScale) {
    double weights = 0.0, known = 0.0, fwhm = 0.0;
    bool given = true;
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        const Psf& psf = scene.bands[b].psf;
        if (!(m_spectrum[b] > 0.0) || !(m_variance[b] > 0.0)) continue;
        const double w = m_spectrum[b] * m_spectrum[b] / m_variance[b];
        weights += w;
        if (!psf.known() || psf.origin == Psf::Origin::Assumed || psf.origin == Psf::Origin::None) {
            m_spectrum[b] = 0.0;
            continue;
        }
        given = given && psf.origin == Psf::Origin::Given;
        known += w;
        fwhm += w * psf.fwhmPixels;
        m_margin = std::max(m_margin, static_cast<int>(std::ceil(3.0 * psf.fwhmPixels)));
    }
    m_usable = known > 0.5 * weights && fwhm > 0.0;
    m_fwhm = known > 0.0 ? fwhm / known : 0.0;
    m_margin = std::min(m_margin, 40);
    m_psfError = given ? options.psfError : options.estimatedPsfError;

    // The filtered image of a source with S/N n peaks at n: sum s^2 sum(P^2) / var = 1.
    double norm = 0.0;
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        const Psf& psf = scene.bands[b].psf;
        if (m_spectrum[b] > 0.0 && m_variance[b] > 0.0) {
            norm += m_spectrum[b] * m_spectrum[b] * psf.image.dot(psf.image) / m_variance[b];
        }
    }
    for (double& s : m_spectrum) {
        s = norm > 0.0 ? s / std::sqrt(norm) : 0.0;
    }
}

std::shared_ptr<const Sharpener::Spectra> Sharpener::spectra(cv::Size size) const {
    const std::lock_guard lock(m_mutex);
    auto& entry = m_spectra[{size.width, size.height}];
    if (entry) return entry;
    const auto s = std::make_shared<Spectra>();
    cv::Mat response = cv::Mat::zeros(size, CV_32F);
    for (std::size_t b = 0; b < m_scene.bands.size(); ++b) {
        cv::Mat psf;
        if (m_spectrum[b] > 0.0 && m_variance[b] > 0.0) {
            const cv::Mat plain = forward(wrapped(m_scene.bands[b].psf.image, size));
            psf = plain * (m_spectrum[b] / m_variance[b]);
            cv::Mat own = product(plain, plain, true);
            response += own * (m_spectrum[b] * m_spectrum[b] / m_variance[b]);
        }
        s->psf.push_back(psf);
    }
    s->response = response;
    entry = s;
    return entry;
}

cv::Mat Sharpener::filtered(const Box& padded, cv::Size size, const Spectra& s) const {
    const Box box = padded.intersected(m_scene.box());
    cv::Mat sum;
    for (std::size_t b = 0; b < m_scene.bands.size(); ++b) {
        if (s.psf[b].empty()) continue;
        cv::Mat data, weight;
        readWeighted(m_scene.bands[b], b < m_sky.size() ? m_sky[b].get() : nullptr, box, data, weight);
        fillHoles(data, weight, 0.7 * m_fwhm);
        cv::Mat wide = cv::Mat::zeros(size, CV_32F);
        data.copyTo(wide(box.shifted(-padded.x0, -padded.y0).rect()));
        const cv::Mat part = product(forward(wide), s.psf[b], true);
        if (sum.empty()) {
            sum = part;
        } else {
            sum += part;
        }
    }
    return inverse(sum);
}

double Sharpener::noiseRatio(int x, int y) const {
    double total = 0.0, sky = 0.0;
    for (std::size_t b = 0; b < m_scene.bands.size(); ++b) {
        if (!(m_spectrum[b] > 0.0) || !(m_variance[b] > 0.0)) continue;
        const Band& band = m_scene.bands[b];
        const int half = std::min(band.psf.image.cols / 2, std::max(1, static_cast<int>(std::lround(m_fwhm))));
        const Box box = Box{x - half, y - half, 2 * half + 1, 2 * half + 1}.intersected(m_scene.box());
        if (box.empty()) continue;
        cv::Mat data, weight;
        readWeighted(band, b < m_sky.size() ? m_sky[b].get() : nullptr, box, data, weight);
        const bool poisson = band.varianceIsSkyOnly && band.gain > 0.0;
        double energy = 0.0, variance = 0.0, counts = 0.0;
        const int cx = band.psf.image.cols / 2, cy = band.psf.image.rows / 2;
        for (int j = 0; j < box.height; ++j) {
            for (int i = 0; i < box.width; ++i) {
                const float w = weight.at<float>(j, i);
                if (!(w > 0.0f)) continue;
                const double p = band.psf.image.at<float>(cy + box.y0 + j - y, cx + box.x0 + i - x);
                energy += p * p;
                variance += p * p / w;
                counts += p * p * data.at<float>(j, i);
            }
        }
        if (!(energy > 0.0)) continue;
        const double a = m_spectrum[b] * m_spectrum[b] / (m_variance[b] * m_variance[b]);
        total += a * (variance + (poisson ? std::max(0.0, counts) / band.gain : 0.0));
        sky += a * energy * m_variance[b];
    }
    return sky > 0.0 ? std::max(total / sky, 1e-3) : 1.0;
}

std::vector<SharpPeak> Sharpener::find(const Box& box, const cv::Mat& inside, const cv::Mat& significance,
                                       double threshold, double leastShare, Progress& progress) const {
    if (!m_usable || box.empty() || std::max(box.width, box.height) > m_options.largestSide) return {};
    const Box padded = box.grown(m_margin);
    // Periodic images: the margin on one side serves both.
    const cv::Size size(transformSize(padded.width + m_margin / 2), transformSize(padded.height + m_margin / 2));
    const auto s = spectra(size);

    // Light is allowed wherever the filtered image is positive.
    cv::Mat data = filtered(padded, size, *s);
    cv::max(data, 0.0, data);
    const Box known = padded.intersected(m_scene.box()).shifted(-padded.x0, -padded.y0);
    cv::Mat allowed = cv::Mat::zeros(size, CV_32F);
    allowed(known.rect()).setTo(1.0f);
    data = data.mul(allowed);
    cv::Mat light = data.clone(), ratio;
    for (int i = 0; i < m_options.iterations; ++i) {
        progress.check();
        cv::Mat model = inverse(product(forward(light), s->response));
        cv::max(model, 1e-5, model);
        cv::divide(data, model, ratio);
        light = light.mul(ratio);
    }

    const double smoothing = std::max(m_options.smoothing * m_fwhm, m_options.leastSmoothing);
    const cv::Mat seen = inverse(product(forward(light), forward(wrapped(gaussianKernel(smoothing), size))));
    const cv::Mat blur = forward(wrapped(gaussianKernel(m_options.blur * m_fwhm), size));
    const cv::Rect view(m_margin, m_margin, box.width, box.height);
    const cv::Mat image = seen(view);
    double total = 0.0;
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            if (inside.at<uchar>(y, x)) total += image.at<float>(y, x);
        }
    }

    std::vector<SharpPeak> found;
    for (const TreePeak& peak : findPeaks(image, inside)) {
        const float strength = significance.at<float>(box.y0 + peak.y, box.x0 + peak.x);
        if (!(strength >= threshold)) continue;
        if (!peak.highest) {
            if (peak.height - peak.saddle < m_options.leastContrast * peak.height) continue;
            if (peak.excess < leastShare * total) continue;
            progress.check();
            // The island above the saddle.
            const cv::Mat above = (image > peak.saddle) & (inside != 0);
            cv::Mat island = above.clone();
            cv::floodFill(island, cv::Point(peak.x, peak.y), cv::Scalar(128), nullptr, 0, 0, 8);
            cv::Mat own = cv::Mat::zeros(size, CV_32F);
            cv::Mat part = own(view);
            cv::Mat(image - peak.saddle).copyTo(part, island == 128);
            const cv::Mat spectrum = forward(own);
            const cv::Mat difference = spectrum - product(spectrum, blur);
            const double chi2 = inverse(difference).dot(inverse(product(difference, s->response)));
            const double ownChi2 = own.dot(inverse(product(spectrum, s->response)));
            const double noise = noiseRatio(box.x0 + peak.x, box.y0 + peak.y) * m_noiseScale * m_noiseScale +
                                 std::pow(m_psfError * strength * m_noiseScale, 2);
            double nearest = std::numeric_limits<double>::max();
            for (const SharpPeak& other : found) {
                nearest = std::min(nearest, std::hypot(other.x - box.x0 - peak.x, other.y - box.y0 - peak.y));
            }
            const double far = std::clamp((nearest / m_fwhm / m_options.closeFwhm - 1.0) / 0.4, 0.0, 1.0);
            if (chi2 < std::pow(m_options.significance * (1.0 + far), 2) * noise) continue;
            if (ownChi2 < std::pow(m_options.leastExcess, 2) * noise) continue;
        }
        const cv::Point2d p = refinedPeak(image, peak.x, peak.y);
        found.push_back({box.x0 + p.x, box.y0 + p.y, peak.height});
    }
    return found;
}

} // namespace blendscope
