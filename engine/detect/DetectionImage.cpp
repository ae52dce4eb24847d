#include "detect/DetectionImage.h"

#include "core/LogGamma.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"

#include <QJsonArray>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr int kSampleTile = 256;
constexpr int kMostSampleTiles = 24;

/// Filter of one band, and its square as a product of a row and a column for the noise.
struct BandFilter {
    SeparableKernel kernel;
    SeparableKernel square;
    bool single = false; ///< no filter
};

BandFilter filterOf(const Band& band, const DetectionImageOptions& o) {
    BandFilter f;
    cv::Mat kernel;
    switch (o.filter) {
    case DetectionImageOptions::Filter::None:
        kernel = cv::Mat::ones(1, 1, CV_32F);
        break;
    case DetectionImageOptions::Filter::Pyramid:
        kernel = (cv::Mat_<float>(3, 3) << 1, 2, 1, 2, 4, 2, 1, 2, 1) / 16.0f;
        break;
    case DetectionImageOptions::Filter::Psf: {
        const double fwhm = band.psf.fwhmPixels > 0.0 ? band.psf.fwhmPixels : o.fallbackFwhmPixels;
        if (band.psf.known()) {
            kernel = band.psf.image;
        } else {
            const double s = fwhm / (2.0 * std::sqrt(2.0 * std::numbers::ln2));
            const int half = std::max(1, static_cast<int>(std::ceil(3.0 * s)));
            kernel.create(2 * half + 1, 2 * half + 1, CV_32F);
            for (int y = -half; y <= half; ++y) {
                for (int x = -half; x <= half; ++x) {
                    kernel.at<float>(y + half, x + half) =
                        static_cast<float>(std::exp(-0.5 * (x * x + y * y) / (s * s)));
                }
            }
            kernel /= cv::sum(kernel)[0];
        }
        kernel = trimmedKernel(kernel, o.filterEnergy);
        break;
    }
    }
    f.kernel = SeparableKernel::of(kernel, 2e-3, 2);
    f.square = SeparableKernel::of(kernel.mul(kernel), 0.0, 1);
    return f;
}

/// Sum of a separable kernel over the pixels that lie inside 0..n-1 when it is centred on pixel `at`.
std::vector<float> edgeSums(const cv::Mat& line, int first, int count, int n) {
    const cv::Mat flat = line.reshape(1, 1);
    const int half = flat.cols / 2;
    std::vector<float> out(count);
    for (int i = 0; i < count; ++i) {
        double sum = 0.0;
        for (int k = -half; k <= half; ++k) {
            const int p = first + i + k;
            if (p >= 0 && p < n) sum += flat.at<float>(k + half);
        }
        out[i] = static_cast<float>(sum);
    }
    return out;
}

/// Filtered data (sum P w d) and its variance (sum P^2 w) of `box`.
void filterBand(const Band& band, const SkyModel* sky, const BandFilter& filter, cv::Size size, const Box& box,
                double leastCoverage, cv::Mat& top, cv::Mat& bottom) {
    const int hx = filter.kernel.halfWidth(), hy = filter.kernel.halfHeight();
    const Box wide = Box{box.x0 - hx, box.y0 - hy, box.width + 2 * hx, box.height + 2 * hy}.intersected(Box::of(size));
    cv::Mat data, weight;
    readWeighted(band, sky, wide, data, weight);
    const Box inner = box.shifted(-wide.x0, -wide.y0);
    top = filter.kernel.correlate(data.mul(weight))(inner.rect()).clone();
    double low = 0.0, high = 0.0;
    cv::minMaxLoc(weight, &low, &high);
    if (low == high) {
        const std::vector<float> cx = edgeSums(filter.square.row(0), box.x0, box.width, size.width);
        const std::vector<float> cy = edgeSums(filter.square.column(0), box.y0, box.height, size.height);
        bottom.create(box.height, box.width, CV_32F);
        for (int y = 0; y < box.height; ++y) {
            auto* row = bottom.ptr<float>(y);
            const float c = static_cast<float>(low) * cy[y];
            for (int x = 0; x < box.width; ++x) {
                row[x] = c * cx[x];
            }
        }
    } else {
        bottom = filter.square.correlate(weight)(inner.rect()).clone();
        if (low > 0.0) return;
        // Deep inside a hole the filter only sees wings: nothing can be said there.
        cv::Mat usable = weight > 0.0f;
        usable.convertTo(usable, CV_32F, 1.0 / 255.0);
        const cv::Mat cover = filter.square.correlate(usable)(inner.rect());
        const double all = cv::sum(filter.square.row(0))[0] * cv::sum(filter.square.column(0))[0];
        const cv::Mat hidden = cover < leastCoverage * all;
        top.setTo(0.0f, hidden);
        bottom.setTo(0.0f, hidden);
    }
}

/// Probability that the sum of squared positive parts of n unit Gaussians exceeds t^2.
double chiBarTail(double t, int n) {
    const double x = 0.5 * t * t;
    std::vector<double> q(n + 1, 0.0); // tails of chi-square with k degrees of freedom
    for (int k = 1; k <= n; ++k) {
        if (k == 1) {
            q[k] = std::erfc(std::sqrt(x));
        } else if (k == 2) {
            q[k] = std::exp(-x);
        } else {
            q[k] = q[k - 2] + std::exp((0.5 * k - 1.0) * std::log(std::max(x, 1e-300)) - x - logGamma(0.5 * k));
        }
    }
    double sum = 0.0, binomial = std::pow(0.5, n);
    for (int k = 1; k <= n; ++k) {
        binomial *= double(n - k + 1) / k;
        sum += binomial * q[k];
    }
    return sum;
}

/// How much the chi of n bands must be lowered to have a Gaussian's tail at `sigma`.
double chiSquareOffset(double sigma, int n) {
    const double wanted = 0.5 * std::erfc(sigma / std::numbers::sqrt2);
    double low = sigma, high = sigma + n + 5.0;
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (chiBarTail(middle, n) > wanted ? low : high) = middle;
    }
    return low - sigma;
}

double medianOf(std::vector<float>& v) {
    if (v.empty()) return 0.0;
    const auto k = static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), v.begin() + k, v.end());
    return v[k];
}

// About how many pixels tell the noise of the significance image.
constexpr long long kNoiseSamples = 400000;

} // namespace

void readWeighted(const Band& band, const SkyModel* sky, const Box& box, cv::Mat& data, cv::Mat& weight) {
    const cv::Mat image = band.image->read(box), variance = band.variance->read(box);
    const int bits = band.mask ? band.unusableBits() : 0;
    const cv::Mat mask = bits ? band.mask->read(box) : cv::Mat();
    const cv::Mat level = sky && !sky->isZero() ? sky->level(box) : cv::Mat();
    data.create(box.height, box.width, CV_32F);
    weight.create(box.height, box.width, CV_32F);
    for (int y = 0; y < box.height; ++y) {
        const auto* d = image.ptr<float>(y);
        const auto* v = variance.ptr<float>(y);
        const int* m = mask.empty() ? nullptr : mask.ptr<int>(y);
        const float* l = level.empty() ? nullptr : level.ptr<float>(y);
        auto* outD = data.ptr<float>(y);
        auto* outW = weight.ptr<float>(y);
        for (int x = 0; x < box.width; ++x) {
            const float value = l ? d[x] - l[x] : d[x];
            const float inverse = 1.0f / v[x];
            const bool good =
                std::abs(value) < 1e30f && v[x] > 0.0f && inverse > 0.0f && inverse < 1e30f && !(m && (m[x] & bits));
            outD[x] = good ? value : 0.0f;
            outW[x] = good ? inverse : 0.0f;
        }
    }
}

QJsonObject DetectionConditions::toJson() const {
    QJsonArray s, v;
    for (std::size_t b = 0; b < spectrum.size(); ++b) {
        s.append(spectrum[b]);
        v.append(b < skyVariance.size() ? skyVariance[b] : 0.0);
    }
    return {{QStringLiteral("spectrum"), s},
            {QStringLiteral("sky_variance"), v},
            {QStringLiteral("noise_scale"), noiseScale}};
}

std::optional<DetectionConditions> DetectionConditions::fromJson(const QJsonObject& json, std::size_t bands) {
    const QJsonArray s = json.value(QStringLiteral("spectrum")).toArray();
    const QJsonArray v = json.value(QStringLiteral("sky_variance")).toArray();
    DetectionConditions out;
    out.noiseScale = json.value(QStringLiteral("noise_scale")).toDouble(0.0);
    if (bands == 0 || std::size_t(s.size()) != bands || v.size() != s.size() || !(out.noiseScale >= 1.0)) return {};
    for (qsizetype b = 0; b < s.size(); ++b) {
        out.spectrum.push_back(std::max(0.0, s[b].toDouble()));
        out.skyVariance.push_back(std::max(0.0, v[b].toDouble()));
    }
    return out;
}

DetectionImage DetectionImage::make(const Scene& scene, const std::vector<SkyModelPtr>& sky,
                                    const DetectionImageOptions& o, Progress& progress) {
    const int bands = static_cast<int>(scene.bands.size());
    const DetectionConditions* given = o.given ? &*o.given : nullptr;
    const auto skyOf = [&](int b) { return b < static_cast<int>(sky.size()) ? sky[b].get() : nullptr; };
    std::vector<BandFilter> filters;
    for (const Band& band : scene.bands) {
        filters.push_back(filterOf(band, o));
    }

    if (given && static_cast<int>(given->spectrum.size()) != bands) given = nullptr;
    // Tiles spread over the scene tell the noise of the bands and the spectrum of what is bright.
    std::vector<Box> tiles;
    for (int y = 0; y < scene.size.height; y += kSampleTile) {
        for (int x = 0; x < scene.size.width; x += kSampleTile) {
            tiles.push_back(Box{x, y, kSampleTile, kSampleTile}.intersected(scene.box()));
        }
    }
    const int every = std::max<int>(1, (static_cast<int>(tiles.size()) + kMostSampleTiles - 1) / kMostSampleTiles);
    std::vector<Box> sampled;
    for (std::size_t i = every / 2; i < tiles.size() && !given; i += every) {
        sampled.push_back(tiles[i]);
    }
    struct Sample {
        std::vector<double> flux, fainterFlux;
        std::vector<std::vector<float>> variance;
    };
    std::vector<Sample> samples(sampled.size());
    TaskPool::shared().parallelFor(
        static_cast<int>(sampled.size()),
        [&](int t) {
            const Box& box = sampled[t];
            Sample& s = samples[t];
            s.flux.assign(bands, 0.0);
            s.fainterFlux.assign(bands, 0.0);
            s.variance.resize(bands);
            std::vector<cv::Mat> tops(bands), bottoms(bands);
            for (int b = 0; b < bands; ++b) {
                progress.check();
                filterBand(scene.bands[b], skyOf(b), filters[b], scene.size, box, o.leastCoverage, tops[b], bottoms[b]);
                const cv::Mat v = scene.bands[b].variance->read(box);
                for (int y = 0; y < box.height; y += 4) {
                    for (int x = 0; x < box.width; x += 4) {
                        const float value = v.at<float>(y, x);
                        if (value > 0.0f && std::isfinite(value)) s.variance[b].push_back(value);
                    }
                }
            }
            for (int y = 0; y < box.height; ++y) {
                for (int x = 0; x < box.width; ++x) {
                    double chi2 = 0.0;
                    for (int b = 0; b < bands; ++b) {
                        const float n = tops[b].at<float>(y, x), d = bottoms[b].at<float>(y, x);
                        if (n > 0.0f && d > 0.0f) chi2 += double(n) * n / d;
                    }
                    if (chi2 < 0.25 * o.brightSigma * o.brightSigma) continue;
                    const bool bright = chi2 > o.brightSigma * o.brightSigma;
                    // Each pixel counts by its significance, not its flux: one bright star must not decide.
                    for (int b = 0; b < bands; ++b) {
                        const float n = tops[b].at<float>(y, x), d = bottoms[b].at<float>(y, x);
                        if (!(d > 0.0f)) continue;
                        const double flux = n / d / std::sqrt(std::sqrt(chi2));
                        (bright ? s.flux : s.fainterFlux)[b] += flux;
                    }
                }
            }
        },
        o.threads);

    DetectionImage out;
    out.spectrum.assign(bands, 0.0);
    out.skyVariance.assign(bands, 0.0);
    std::vector<double> depth(bands, 0.0); // sum(P^2) / variance
    std::vector<double> fainter(bands, 0.0);
    double brightTotal = 0.0;
    for (int b = 0; b < bands; ++b) {
        std::vector<float> variances;
        for (Sample& s : samples) {
            variances.insert(variances.end(), s.variance[b].begin(), s.variance[b].end());
            out.spectrum[b] += s.flux[b];
            fainter[b] += s.fainterFlux[b];
        }
        brightTotal += std::max(0.0, out.spectrum[b]);
        out.skyVariance[b] = medianOf(variances);
        const double energy = cv::sum(filters[b].square.row(0))[0] * cv::sum(filters[b].square.column(0))[0];
        depth[b] = out.skyVariance[b] > 0.0 ? energy / out.skyVariance[b] : 0.0;
    }
    if (brightTotal <= 0.0) out.spectrum = fainter;
    double strongest = 0.0;
    for (int b = 0; b < bands; ++b) {
        out.spectrum[b] = std::max(0.0, out.spectrum[b]);
        strongest = std::max(strongest, out.spectrum[b] * std::sqrt(depth[b]));
    }
    double norm = 0.0;
    for (int b = 0; b < bands; ++b) {
        if (!(depth[b] > 0.0)) {
            out.spectrum[b] = 0.0;
            continue;
        }
        double snr = strongest > 0.0 ? out.spectrum[b] * std::sqrt(depth[b]) / strongest : 1.0;
        if (o.combine != DetectionImageOptions::Combine::Weighted) snr = 1.0;
        snr = std::max(snr, o.leastBandWeight);
        out.spectrum[b] = snr / std::sqrt(depth[b]);
        norm += snr * snr;
    }
    for (double& s : out.spectrum) {
        s = norm > 0.0 ? s / std::sqrt(norm) : 0.0;
    }
    if (given) {
        out.spectrum = given->spectrum;
        out.skyVariance = given->skyVariance;
    }

    out.significance.create(scene.size, CV_32F);
    const bool chi = o.combine == DetectionImageOptions::Combine::ChiSquare && bands > 1;
    const auto offset = static_cast<float>(chi ? chiSquareOffset(o.chiSquareAnchor, bands) : 0.0);
    const auto equal = static_cast<float>(1.0 / std::sqrt(double(std::max(1, bands))));
    const int rows = std::max(16, o.stripRows);
    const int strips = (scene.size.height + rows - 1) / rows;
    const long long sampleStep = std::max(1ll, scene.box().area() / kNoiseSamples);
    std::vector<std::vector<float>> negative(strips);
    std::vector<long long> known(strips, 0);
    progress.begin(QStringLiteral("filtering"), strips);
    TaskPool::shared().parallelFor(
        strips,
        [&](int strip) {
            const Box box = Box{0, strip * rows, scene.size.width, rows}.intersected(scene.box());
            cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F), noise = cv::Mat::zeros(box.size(), CV_32F);
            cv::Mat top, bottom;
            for (int b = 0; b < bands; ++b) {
                progress.check();
                if (!(out.spectrum[b] > 0.0)) continue;
                filterBand(scene.bands[b], skyOf(b), filters[b], scene.size, box, o.leastCoverage, top, bottom);
                const auto s = static_cast<float>(out.spectrum[b]);
                for (int y = 0; y < box.height; ++y) {
                    auto* outSum = sum.ptr<float>(y);
                    auto* outNoise = noise.ptr<float>(y);
                    const auto* t = top.ptr<float>(y);
                    const auto* n = bottom.ptr<float>(y);
                    if (chi) {
                        for (int x = 0; x < box.width; ++x) {
                            const float f = n[x] > 0.0f ? t[x] / std::sqrt(n[x]) : 0.0f;
                            if (f > 0.0f) outNoise[x] += f * f;
                            outSum[x] += f;
                        }
                    } else {
                        for (int x = 0; x < box.width; ++x) {
                            outSum[x] += s * t[x];
                            outNoise[x] += s * s * std::max(n[x], 0.0f);
                        }
                    }
                }
            }
            for (int y = 0; y < box.height; ++y) {
                const auto* n = noise.ptr<float>(y);
                const auto* t = sum.ptr<float>(y);
                auto* row = out.significance.ptr<float>(box.y0 + y);
                for (int x = 0; x < box.width; ++x) {
                    const float plain = chi ? t[x] * equal : n[x] > 1e-20f ? t[x] / std::sqrt(n[x]) : 0.0f;
                    row[x] = chi ? std::max(std::sqrt(n[x]) - offset, std::min(plain, 0.0f)) : plain;
                    if (((static_cast<long long>(box.y0 + y) * scene.size.width + x) % sampleStep) == 0) {
                        known[strip] += plain != 0.0f;
                        if (plain < 0.0f) negative[strip].push_back(-plain);
                    }
                }
            }
            progress.advance();
        },
        o.threads);

    // Sources hardly touch the negative side: 1.4826 median |s| of it is the noise, where it is not too small a part.
    std::vector<float> values;
    long long all = 0;
    for (int k = 0; k < strips; ++k) {
        values.insert(values.end(), negative[k].begin(), negative[k].end());
        all += known[k];
    }
    const bool enough = values.size() >= 300 && static_cast<long long>(values.size()) * 8 >= all;
    out.noiseScale = enough ? std::clamp(1.4826 * medianOf(values), 1.0, o.largestNoiseScale) : 1.0;
    if (given) out.noiseScale = given->noiseScale;
    if (out.noiseScale > 1.03) {
        out.significance *= 1.0 / out.noiseScale;
    } else {
        out.noiseScale = 1.0;
    }
    return out;
}

} // namespace blendscope
