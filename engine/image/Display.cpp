#include "image/Display.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kMadToSigma = 1.4826;

std::vector<float> finiteOnly(const std::vector<float>& values) {
    std::vector<float> out;
    out.reserve(values.size());
    std::copy_if(values.begin(), values.end(), std::back_inserter(out), [](float v) { return std::isfinite(v); });
    return out;
}

float medianOf(std::vector<float>& values) {
    if (values.empty()) return 0.0f;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Cuts need some width, whatever the units are, for a division by it.
Cuts widened(float low, float high) {
    if (high > low) return {low, high};
    const float half = low == 0.0f ? 0.5f : std::max(std::abs(low) * 1e-3f, 1e-37f);
    return {low - half, low + half};
}

/// Every `step`-th pixel, the same grid for all bands of a scene.
int sampleStep(cv::Size size, int most) {
    const double pixels = static_cast<double>(size.width) * size.height;
    int step = std::max(1, static_cast<int>(std::sqrt(pixels / std::max(1, most))));
    const auto count = [&](int s) {
        return static_cast<long long>((size.width + s - 1) / s) * ((size.height + s - 1) / s);
    };
    while (count(step) > most && step < std::max(size.width, size.height)) {
        ++step;
    }
    return step;
}

cv::Mat sampled(const Plane& plane, int step) {
    if (plane.size().area() <= 0) return {};
    cv::Mat out = plane.readSampled(Box::of(plane.size()), step);
    if (out.type() != CV_32F) {
        cv::Mat converted;
        out.convertTo(converted, CV_32F);
        out = converted;
    }
    return out;
}

std::vector<float> valuesOf(const cv::Mat& m) {
    std::vector<float> out;
    out.reserve(m.total());
    for (int y = 0; y < m.rows; ++y) {
        const float* row = m.ptr<float>(y);
        out.insert(out.end(), row, row + m.cols);
    }
    return out;
}

/// Share of each band in each channel: triangles around the channels' places on the line from bluest to reddest.
std::array<std::vector<double>, 3> channelMembership(int bands) {
    std::array<std::vector<double>, 3> out;
    for (std::vector<double>& v : out) {
        v.assign(static_cast<size_t>(bands), 0.0);
    }
    if (bands == 1) {
        for (std::vector<double>& v : out) {
            v[0] = 1.0;
        }
        return out;
    }
    for (int b = 0; b < bands; ++b) {
        const double place = static_cast<double>(b) / (bands - 1);
        for (size_t c = 0; c < 3; ++c) {
            const double centre = 1.0 - 0.5 * static_cast<double>(c);
            out[c][static_cast<size_t>(b)] = std::max(0.0, 1.0 - 2.0 * std::abs(place - centre));
        }
    }
    if (bands == 2) out[1] = {0.5, 0.5};
    return out;
}

} // namespace

Cuts zScale(const std::vector<float>& sample, double contrast) {
    constexpr int kLeast = 5, kIterations = 5;
    constexpr double kReject = 2.5, kMostRejected = 0.5;

    std::vector<float> v = finiteOnly(sample);
    if (v.empty()) return {};
    std::sort(v.begin(), v.end());
    const int n = static_cast<int>(v.size());
    const float low = v.front(), high = v.back();
    if (low == high) return widened(low, high);
    const double median = n % 2 ? v[static_cast<size_t>(n / 2)]
                                : 0.5 * (double(v[static_cast<size_t>(n / 2 - 1)]) + v[static_cast<size_t>(n / 2)]);
    const int least = std::max(kLeast, static_cast<int>(n * kMostRejected));

    // A line through the sorted values, points off by more than 2.5 sigma and their neighbours rejected.
    std::vector<char> bad(v.size(), 0);
    int good = n, lastGood = n + 1;
    double slope = 0.0;
    for (int iteration = 0; iteration < kIterations && good < lastGood && good >= least; ++iteration) {
        double sx = 0.0, sy = 0.0;
        for (int i = 0; i < n; ++i) {
            if (bad[static_cast<size_t>(i)]) continue;
            sx += i;
            sy += v[static_cast<size_t>(i)];
        }
        const double mx = sx / good, my = sy / good;
        double sxx = 0.0, sxy = 0.0;
        for (int i = 0; i < n; ++i) {
            if (bad[static_cast<size_t>(i)]) continue;
            sxx += (i - mx) * (i - mx);
            sxy += (i - mx) * (v[static_cast<size_t>(i)] - my);
        }
        slope = sxx > 0.0 ? sxy / sxx : 0.0;
        double squares = 0.0;
        for (int i = 0; i < n; ++i) {
            if (bad[static_cast<size_t>(i)]) continue;
            const double r = v[static_cast<size_t>(i)] - my - slope * (i - mx);
            squares += r * r;
        }
        const double limit = kReject * std::sqrt(squares / good);
        std::vector<char> far(v.size(), 0);
        for (int i = 0; i < n; ++i) {
            const double r = v[static_cast<size_t>(i)] - my - slope * (i - mx);
            if (std::abs(r) <= limit) continue;
            for (int j = std::max(0, i - 1); j <= std::min(n - 1, i + 1); ++j) {
                far[static_cast<size_t>(j)] = 1;
            }
        }
        lastGood = good;
        bad = std::move(far);
        good = n - static_cast<int>(std::count(bad.begin(), bad.end(), 1));
    }
    if (good < least || !(slope > 0.0)) return widened(low, high);
    if (contrast > 0.0) slope /= contrast;
    const double centre = (n - 1) / 2;
    const double z1 = std::max<double>(low, median - centre * slope);
    const double z2 = std::min<double>(high, median + (n - 1 - centre) * slope);
    return widened(static_cast<float>(z1), static_cast<float>(z2));
}

Cuts percentileCuts(const std::vector<float>& sample, double percent) {
    std::vector<float> v = finiteOnly(sample);
    if (v.empty()) return {};
    const double tail = 0.5 * (1.0 - std::clamp(percent, 0.0, 100.0) / 100.0);
    const auto at = [&](double fraction) {
        const double place = fraction * static_cast<double>(v.size() - 1);
        const auto i = static_cast<std::ptrdiff_t>(place);
        std::nth_element(v.begin(), v.begin() + i, v.end());
        const float a = v[static_cast<size_t>(i)];
        if (i + 1 >= static_cast<std::ptrdiff_t>(v.size())) return a;
        const float b = *std::min_element(v.begin() + i + 1, v.end());
        return static_cast<float>(a + (place - static_cast<double>(i)) * (double(b) - a));
    };
    const float low = at(tail), high = at(1.0 - tail);
    return widened(low, high);
}

Cuts minMaxCuts(const std::vector<float>& sample) {
    const std::vector<float> v = finiteOnly(sample);
    if (v.empty()) return {};
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    return widened(*low, *high);
}

std::vector<float> gridSample(const Plane& plane, int most) {
    if (plane.size().area() <= 0 || most <= 0) return {};
    return finiteOnly(valuesOf(sampled(plane, sampleStep(plane.size(), most))));
}

SkyLevel skyOfSample(const std::vector<float>& sample) {
    std::vector<float> v = finiteOnly(sample);
    if (v.empty()) return {};
    SkyLevel sky;
    std::vector<float> deviations;
    for (int clip = 0;; ++clip) {
        sky.level = medianOf(v);
        deviations.clear();
        for (const float x : v) {
            deviations.push_back(std::abs(x - sky.level));
        }
        double mad = medianOf(deviations);
        if (mad == 0.0) {
            std::erase(deviations, 0.0f);
            mad = medianOf(deviations);
        }
        sky.sigma = static_cast<float>(kMadToSigma * mad);
        if (!(sky.sigma > 0.0f) || !std::isfinite(sky.sigma)) {
            sky.sigma = 1.0f;
            return sky;
        }
        if (clip == 3) return sky;
        const float limit = 3.0f * sky.sigma;
        std::erase_if(v, [&](float x) { return std::abs(x - sky.level) > limit; });
    }
}

float applyCurve(Curve curve, float t, float parameter) {
    if (!(t > 0.0f)) return 0.0f;
    if (t >= 1.0f) return 1.0f;
    switch (curve) {
    case Curve::Linear:
        return t;
    case Curve::Log: {
        const float exponent = parameter > 0.0f ? parameter : 1000.0f;
        return std::log1p(exponent * t) / std::log1p(exponent);
    }
    case Curve::Sqrt:
        return std::sqrt(t);
    case Curve::Asinh: {
        const float softening = parameter > 0.0f ? parameter : 0.1f;
        return std::asinh(t / softening) / std::asinh(1.0f / softening);
    }
    }
    return t;
}

RgbSettings defaultRgb(const Scene& scene) {
    constexpr int kSample = 40000;
    constexpr double kSignificant = 5.0; // sigma of intensity at which a pixel says something of colours
    constexpr double kPrior = 100.0;     // pixels that the prior of the balance is worth
    constexpr double kNoiseShown = 12.0; // stretch in sky sigmas: 1 sigma is 1/12 of the scale
    constexpr double kBrightShown = 40.0;

    RgbSettings s;
    const size_t n = scene.bands.size();
    for (std::vector<float>& w : s.weights) {
        w.assign(n, 0.0f);
    }
    s.level.assign(n, 0.0f);
    if (n == 0) return s;

    const int step = sampleStep(scene.size, kSample);
    std::vector<cv::Mat> samples(n);
    std::vector<double> sigma(n, 1.0), unit(n, 1.0);
    std::vector<char> flat(n, 0); // nothing in it: would only dilute its channel
    bool calibrated = true;
    for (size_t b = 0; b < n; ++b) {
        const Band& band = scene.bands[b];
        if (band.image) samples[b] = sampled(*band.image, step);
        const std::vector<float> values = valuesOf(samples[b]);
        const SkyLevel sky = skyOfSample(values);
        s.level[b] = sky.level;
        sigma[b] = sky.sigma;
        const std::vector<float> finite = finiteOnly(values);
        flat[b] = finite.empty() || std::all_of(finite.begin(), finite.end(), [&](float v) { return v == finite[0]; });
        calibrated = calibrated && std::isfinite(band.zeroPoint) && band.zeroPoint != 0.0;
    }
    const bool allFlat = std::all_of(flat.begin(), flat.end(), [](char f) { return f != 0; });
    // Equal counts per magnitude where the zero points are known (only their differences matter), else equal noise.
    for (size_t b = 0; b < n; ++b) {
        const double relative = scene.bands[b].zeroPoint - scene.bands[0].zeroPoint;
        unit[b] = calibrated && std::abs(relative) < 50.0 ? std::pow(10.0, -0.4 * relative) : sigma[0] / sigma[b];
    }

    const std::array<std::vector<double>, 3> membership = channelMembership(static_cast<int>(n));
    std::array<std::vector<double>, 3> mix;
    for (size_t c = 0; c < 3; ++c) {
        mix[c].assign(n, 0.0);
        double sum = 0.0;
        for (size_t b = 0; b < n; ++b) {
            if (flat[b] && !allFlat) continue;
            const double noise = std::max(unit[b] * sigma[b], 1e-300);
            mix[c][b] = membership[c][b] / (noise / (unit[0] * sigma[0])) / (noise / (unit[0] * sigma[0]));
            sum += mix[c][b];
        }
        for (double& w : mix[c]) {
            w = sum > 0.0 ? w / sum : 0.0;
        }
        if (sum == 0.0 && !allFlat) {
            for (size_t b = 0; b < n; ++b) {
                mix[c][b] = flat[b] ? 0.0 : 1.0;
            }
            const double all = std::accumulate(mix[c].begin(), mix[c].end(), 0.0);
            for (double& w : mix[c]) {
                w /= all;
            }
        }
    }

    // Channels of the sample, and the balance that makes its typical significant pixel neutral.
    const size_t pixels = samples[0].total();
    std::array<std::vector<float>, 3> channel;
    std::array<double, 3> noise{}, wavelength{};
    for (size_t c = 0; c < 3; ++c) {
        channel[c].assign(pixels, 0.0f);
        for (size_t b = 0; b < n; ++b) {
            if (mix[c][b] == 0.0) continue;
            noise[c] += std::pow(mix[c][b] * unit[b] * sigma[b], 2);
            wavelength[c] += mix[c][b] * std::log(std::max(scene.bands[b].wavelength, 1.0));
            if (samples[b].total() != pixels) continue;
            size_t i = 0;
            for (int y = 0; y < samples[b].rows; ++y) {
                const float* row = samples[b].ptr<float>(y);
                for (int x = 0; x < samples[b].cols; ++x, ++i) {
                    channel[c][i] += static_cast<float>(mix[c][b] * unit[b] * (double(row[x]) - s.level[b]));
                }
            }
        }
        noise[c] = std::sqrt(noise[c]);
    }
    const double noiseAll = std::sqrt(noise[0] * noise[0] + noise[1] * noise[1] + noise[2] * noise[2]) / 3.0;
    const bool wavelengthsKnown =
        std::all_of(scene.bands.begin(), scene.bands.end(), [](const Band& b) { return b.wavelength > 0.0; });
    std::array<double, 3> balance{1.0, 1.0, 1.0};
    if (n > 1) {
        std::array<std::vector<float>, 3> logs;
        for (size_t i = 0; i < pixels; ++i) {
            const double r = channel[0][i], g = channel[1][i], b = channel[2][i];
            // Each channel must see the object for its colour to mean something.
            if (!(r > 2.0 * noise[0] && g > 2.0 * noise[1] && b > 2.0 * noise[2])) continue;
            if (!(r + g + b > 3.0 * kSignificant * noiseAll)) continue;
            logs[0].push_back(static_cast<float>(std::log(r / g)));
            logs[2].push_back(static_cast<float>(std::log(b / g)));
        }
        const double count = static_cast<double>(logs[0].size());
        for (const size_t c : {size_t{0}, size_t{2}}) {
            // Galaxies rise to the red roughly as the wavelength; without calibration noise is the only guess.
            double prior = calibrated && wavelengthsKnown ? wavelength[c] - wavelength[1]
                                                          : std::log(std::max(noise[c], 1e-300) / noise[1]);
            if (!std::isfinite(prior)) prior = 0.0;
            const double measured = logs[c].empty() ? prior : double(medianOf(logs[c]));
            balance[c] = std::exp(-(count * measured + kPrior * prior) / (count + kPrior));
        }
    }

    std::vector<float> intensity(pixels);
    double noiseShown = 0.0;
    for (size_t c = 0; c < 3; ++c) {
        noiseShown += std::pow(balance[c] * noise[c] / 3.0, 2);
        for (size_t i = 0; i < pixels; ++i) {
            intensity[i] += static_cast<float>(balance[c] * channel[c][i] / 3.0);
        }
        for (size_t b = 0; b < n; ++b) {
            s.weights[c][b] = static_cast<float>(balance[c] * mix[c][b] * unit[b]);
        }
    }
    noiseShown = std::sqrt(noiseShown);
    if (n == 1) noiseShown *= std::sqrt(3.0);
    // Deep or noiseless data: the brightest hundredth still shows its structure.
    std::vector<float> finite = finiteOnly(intensity);
    double bright = 0.0;
    if (!finite.empty()) {
        const auto at = finite.begin() + static_cast<std::ptrdiff_t>(0.998 * static_cast<double>(finite.size() - 1));
        std::nth_element(finite.begin(), at, finite.end());
        bright = *at;
    }
    s.stretch = static_cast<float>(std::max(kNoiseShown * noiseShown, bright / kBrightShown));
    if (!(s.stretch > 0.0f) || !std::isfinite(s.stretch)) s.stretch = 1.0f;
    return s;
}

void luptonRgb(const std::vector<cv::Mat>& bands, const RgbSettings& settings, cv::Mat& bgr8, cv::Mat* invalid) {
    const size_t n = bands.size();
    if (settings.level.size() != n || std::any_of(settings.weights.begin(), settings.weights.end(),
                                                  [n](const std::vector<float>& w) { return w.size() != n; })) {
        throw UsageError(
            QStringLiteral("a colour picture of %1 bands was given settings for %2").arg(n).arg(settings.level.size()));
    }
    std::vector<size_t> used;
    cv::Size size;
    for (size_t b = 0; b < n; ++b) {
        const bool has = std::any_of(settings.weights.begin(), settings.weights.end(),
                                     [b](const std::vector<float>& w) { return w[b] != 0.0f; });
        if (!bands[b].empty() && size.area() == 0) size = bands[b].size();
        if (has) used.push_back(b);
    }
    for (const size_t b : used) {
        if (bands[b].size() != size || bands[b].type() != CV_32F) {
            throw UsageError(QStringLiteral("band %1 of a colour picture is not %2x%3 floats")
                                 .arg(b + 1)
                                 .arg(size.width)
                                 .arg(size.height));
        }
    }
    bgr8.create(size, CV_8UC3);
    bgr8.setTo(cv::Scalar::all(0));
    cv::Mat mask(size, CV_8U, cv::Scalar(used.empty() ? 255 : 0));

    std::array<double, 3> whole{};
    for (size_t c = 0; c < 3; ++c) {
        for (const size_t b : used) {
            whole[c] += settings.weights[c][b];
        }
    }
    const double q = std::max(1e-6, double(settings.q));
    const double stretch = settings.stretch > 0.0f ? settings.stretch : 1.0;
    std::vector<const float*> rows(n);
    for (int y = 0; y < size.height && !used.empty(); ++y) {
        for (const size_t b : used) {
            rows[b] = bands[b].ptr<float>(y);
        }
        auto* out = bgr8.ptr<cv::Vec3b>(y);
        for (int x = 0; x < size.width; ++x) {
            std::array<double, 3> value{}, weight{};
            size_t missing = 0;
            for (const size_t b : used) {
                const double v = double(rows[b][x]) - settings.level[b];
                if (!std::isfinite(v)) {
                    ++missing;
                    continue;
                }
                for (size_t c = 0; c < 3; ++c) {
                    value[c] += settings.weights[c][b] * v;
                    weight[c] += settings.weights[c][b];
                }
            }
            if (missing) {
                mask.at<std::uint8_t>(y, x) = missing == used.size() ? 255 : 128;
                if (missing == used.size()) continue;
                // A channel stands on the bands that are left; one without any takes the others' mean.
                double sum = 0.0;
                int have = 0;
                for (size_t c = 0; c < 3; ++c) {
                    if (weight[c] == 0.0) continue;
                    value[c] *= whole[c] / weight[c];
                    sum += value[c];
                    ++have;
                }
                for (size_t c = 0; c < 3; ++c) {
                    if (weight[c] == 0.0 && whole[c] != 0.0 && have) value[c] = sum / have;
                }
            }
            const double intensity = (value[0] + value[1] + value[2]) / 3.0;
            const double scaled = q * intensity / stretch;
            const double factor = std::abs(scaled) < 1e-4 ? 1.0 / stretch : std::asinh(scaled) / (q * intensity);
            double most = 1.0;
            for (double& v : value) {
                v = std::max(0.0, v * factor);
                most = std::max(most, v);
            }
            for (size_t c = 0; c < 3; ++c) {
                out[x][static_cast<int>(2 - c)] = static_cast<std::uint8_t>(std::lround(255.0 * value[c] / most));
            }
        }
    }
    if (invalid) *invalid = mask;
}

} // namespace blendscope
