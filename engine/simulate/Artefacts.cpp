#include "simulate/Artefacts.h"

#include "simulate/RecipeReader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kSeen = 0.5; // sigmas from which smooth artefacts are in the mask

void mark(cv::Mat& mask, const cv::Mat& light, double limit, int bit) {
    for (int y = 0; y < mask.rows; ++y) {
        const float* from = light.ptr<float>(y);
        int* to = mask.ptr<int>(y);
        for (int x = 0; x < mask.cols; ++x) {
            if (std::abs(from[x]) > limit) to[x] |= 1 << bit;
        }
    }
}

/// Brightness of a line through (x, y) at an angle, Gaussian across, onto `light`.
void addLine(cv::Mat& light, double x, double y, double angle, double width, double peak) {
    const double nx = -std::sin(angle), ny = std::cos(angle);
    const double reach = 5.0 * width;
    for (int j = 0; j < light.rows; ++j) {
        float* row = light.ptr<float>(j);
        int from = 0, to = light.cols;
        if (std::abs(nx) > 1e-3) {
            const double middle = x - (j - y) * ny / nx, half = reach / std::abs(nx);
            from = std::clamp(static_cast<int>(middle - half), 0, light.cols);
            to = std::clamp(static_cast<int>(middle + half) + 1, 0, light.cols);
        }
        for (int i = from; i < to; ++i) {
            const double d = (i - x) * nx + (j - y) * ny;
            if (std::abs(d) < reach) row[i] += static_cast<float>(peak * std::exp(-0.5 * d * d / (width * width)));
        }
    }
}

/// Smooth random field of rms 1: waves from the size of the image down, weaker as they are shorter.
cv::Mat clouds(cv::Size size, Random& random) {
    // Computed on a coarse grid: nothing in it is smaller than a few of its cells.
    const int step = std::max(1, std::max(size.width, size.height) / 128);
    cv::Mat coarse = cv::Mat::zeros(size.height / step + 2, size.width / step + 2, CV_32F);
    const double extent = std::max(coarse.cols, coarse.rows);
    for (int wave = 0; wave < 40; ++wave) {
        const double k = 2.0 * kPi / extent * std::pow(16.0, random.uniform());
        const double angle = 2.0 * kPi * random.uniform(), phase = 2.0 * kPi * random.uniform();
        const double amplitude = std::pow(k * extent, -1.3), kx = k * std::cos(angle), ky = k * std::sin(angle);
        for (int y = 0; y < coarse.rows; ++y) {
            float* row = coarse.ptr<float>(y);
            for (int x = 0; x < coarse.cols; ++x) {
                row[x] += static_cast<float>(amplitude * std::cos(kx * x + ky * y + phase));
            }
        }
    }
    cv::Scalar mean, deviation;
    cv::meanStdDev(coarse, mean, deviation);
    coarse = (coarse - mean[0]) / std::max(deviation[0], 1e-9);
    cv::Mat out;
    cv::resize(coarse, out, {}, step, step, cv::INTER_CUBIC);
    return out(cv::Rect({}, size)).clone();
}

void addTrails(const Artefacts& a, const ArtefactBand& band, Random& random, cv::Mat& image, cv::Mat& mask) {
    const long long satellites = random.poisson(a.satellites), planes = random.poisson(a.planes);
    if (satellites + planes == 0) return;
    cv::Mat light = cv::Mat::zeros(image.size(), CV_32F);
    const double width = band.fwhm / 2.3548;
    for (long long i = 0; i < satellites + planes; ++i) {
        const double x = image.cols * random.uniform(), y = image.rows * random.uniform();
        const double angle = kPi * random.uniform();
        const double peak = band.sigma * 3.0 * std::pow(40.0, random.uniform());
        if (i < satellites) {
            addLine(light, x, y, angle, width, peak);
            continue;
        }
        // Two lights and a blinking one between.
        const double apart = random.uniform(6.0, 25.0), period = random.uniform(25.0, 80.0);
        const double nx = -std::sin(angle), ny = std::cos(angle);
        addLine(light, x + apart * nx, y + apart * ny, angle, 1.5 * width, peak);
        addLine(light, x - apart * nx, y - apart * ny, angle, 1.5 * width, peak * random.uniform(0.5, 1.0));
        const double length = std::hypot(image.cols, image.rows);
        for (double s = -length; s < length; s += period) {
            const cv::Point at(static_cast<int>(x + s * std::cos(angle)), static_cast<int>(y + s * std::sin(angle)));
            if (cv::Rect({}, image.size()).contains(at)) {
                cv::circle(light, at, static_cast<int>(2.0 * width) + 1, cv::Scalar(3.0 * peak), cv::FILLED);
            }
        }
    }
    image += light;
    mark(mask, light, kSeen * band.sigma, Artefacts::Trail);
}

void addSpikes(const Artefacts& a, const ArtefactBand& band, const std::vector<Galaxy>& objects, cv::Mat& image,
               cv::Mat& mask) {
    cv::Mat light = cv::Mat::zeros(image.size(), CV_32F);
    const double width = std::max(0.6, 0.35 * band.fwhm), core = 2.0 * band.fwhm;
    bool any = false;
    for (const Galaxy& g : objects) {
        if (!g.star) continue;
        // Along an arm the light falls as (r + core)^-2: its integral over an arm is share / 4.
        const double along = 0.25 * a.spikes * g.totalFlux(band.number) * core / (std::sqrt(2.0 * kPi) * width);
        const double faintest = 0.1 * band.sigma;
        const double length = std::min(std::sqrt(std::max(0.0, along / faintest)) - core, 4000.0);
        if (length < 3.0) continue;
        any = true;
        for (int arm = 0; arm < 4; ++arm) {
            const double angle = (a.spikeAngle + 90.0 * arm) * kPi / 180.0;
            const double c = std::cos(angle), s = std::sin(angle), reach = 4.0 * width;
            const auto low = [&](double p, double d) {
                return static_cast<int>(std::floor(std::min(p, p + length * d) - reach));
            };
            const auto high = [&](double p, double d) {
                return static_cast<int>(std::ceil(std::max(p, p + length * d) + reach));
            };
            const cv::Rect box = cv::Rect(cv::Point(low(g.x, c), low(g.y, s)), cv::Point(high(g.x, c), high(g.y, s))) &
                                 cv::Rect({}, image.size());
            for (int y = box.y; y < box.y + box.height; ++y) {
                float* row = light.ptr<float>(y);
                for (int x = box.x; x < box.x + box.width; ++x) {
                    const double t = (x - g.x) * c + (y - g.y) * s, d = (y - g.y) * c - (x - g.x) * s;
                    if (t <= 0.0 || t > length || std::abs(d) > reach) continue;
                    row[x] += static_cast<float>(along / ((t + core) * (t + core)) *
                                                 std::exp(-0.5 * d * d / (width * width)));
                }
            }
        }
    }
    if (!any) return;
    image += light;
    mark(mask, light, kSeen * band.sigma, Artefacts::Spike);
}

/// Charge above the wells' capacity runs along the column to where there is room.
void saturate(const ArtefactBand& band, cv::Mat& image, cv::Mat& mask) {
    const auto full = static_cast<float>(band.saturationFlux * band.peak);
    for (int x = 0; x < image.cols; ++x) {
        for (int y = 0; y < image.rows; ++y) {
            float& here = image.at<float>(y, x);
            if (!(here > full)) continue;
            float excess[2] = {0.5f * (here - full), 0.5f * (here - full)};
            here = full;
            for (int way = 0; way < 2; ++way) {
                const int step = way == 0 ? 1 : -1;
                for (int j = y + step; j >= 0 && j < image.rows && excess[way] > 0.0f; j += step) {
                    float& next = image.at<float>(j, x);
                    // Above its capacity a pixel below is still to be visited and spreads on its own.
                    if (next >= full) continue;
                    const float taken = std::min(excess[way], full - next);
                    next += taken;
                    excess[way] -= taken;
                }
            }
        }
        for (int y = 0; y < image.rows; ++y) {
            if (image.at<float>(y, x) >= 0.999f * full) mask.at<int>(y, x) |= 1 << Artefacts::Saturated;
        }
    }
}

void addCosmicRays(long long count, const ArtefactBand& band, Random& random, cv::Mat& image, cv::Mat& mask) {
    for (long long i = 0; i < count; ++i) {
        double x = image.cols * random.uniform(), y = image.rows * random.uniform();
        double angle = 2.0 * kPi * random.uniform();
        // Most pass steeply and hit a pixel or two; muons graze and leave long straight tracks; electrons wander.
        const double kind = random.uniform();
        const double length = kind < 0.5   ? 1.0 + random.exponential()
                              : kind < 0.8 ? 5.0 + 25.0 * random.exponential()
                                           : 4.0 + 10.0 * random.exponential();
        const double wander = kind < 0.8 ? 0.02 : 0.5;
        const double charge = band.sigma * 10.0 * std::pow(60.0, random.uniform());
        for (double s = 0.0; s < std::min(length, 500.0); s += 0.5) {
            const double deposit = 0.5 * charge * (0.6 + 0.8 * random.uniform());
            const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
            const double fx = x - x0, fy = y - y0;
            for (int dy = 0; dy < 2; ++dy) {
                for (int dx = 0; dx < 2; ++dx) {
                    const int px = x0 + dx, py = y0 + dy;
                    const double part = (dx ? fx : 1.0 - fx) * (dy ? fy : 1.0 - fy);
                    if (px < 0 || py < 0 || px >= image.cols || py >= image.rows || part < 0.02) continue;
                    image.at<float>(py, px) += static_cast<float>(part * deposit);
                    mask.at<int>(py, px) |= 1 << Artefacts::CosmicRay;
                }
            }
            angle += wander * random.normal();
            x += 0.5 * std::cos(angle);
            y += 0.5 * std::sin(angle);
        }
    }
}

} // namespace

MaskPlaneNames Artefacts::maskNames() const {
    if (masked) {
        return {
            {QStringLiteral("CR"), CosmicRay}, {QStringLiteral("HCL"), HotColumn},  {QStringLiteral("DCL"), DeadColumn},
            {QStringLiteral("HP"), HotPixel},  {QStringLiteral("DP"), DeadPixel},   {QStringLiteral("TRL"), Trail},
            {QStringLiteral("FR"), Fringe},    {QStringLiteral("NEB"), Nebula},     {QStringLiteral("SAT"), Saturated},
            {QStringLiteral("SP"), Spike},     {QStringLiteral("BBG"), Background}, {QStringLiteral("BAD"), Bad},
            {QStringLiteral("TRK"), Tracking}};
    }
    MaskPlaneNames out;
    Artefacts told;
    told.masked = true;
    const MaskPlaneNames names = told.maskNames();
    for (auto it = names.begin(); it != names.end(); ++it) {
        if (*it != Bad) out.insert(QStringLiteral("ART_") + it.key(), *it);
    }
    return out;
}

Artefacts Artefacts::read(const RecipeReader& r) {
    r.allow({"cosmic_rays", "hot_pixels", "dead_pixels", "hot_columns", "dead_columns", "satellites", "planes",
             "fringes", "nebulosity", "gradient", "saturation", "spikes", "spike_angle", "tracking", "masked"});
    Artefacts a;
    a.cosmicRays = r.number("cosmic_rays", 0.0, 1e6, 0.0);
    a.hotPixels = r.number("hot_pixels", 0.0, 1e6, 0.0);
    a.deadPixels = r.number("dead_pixels", 0.0, 1e6, 0.0);
    a.hotColumns = r.number("hot_columns", 0.0, 1e4, 0.0);
    a.deadColumns = r.number("dead_columns", 0.0, 1e4, 0.0);
    a.satellites = r.number("satellites", 0.0, 1e3, 0.0);
    a.planes = r.number("planes", 0.0, 1e3, 0.0);
    a.fringes = r.number("fringes", 0.0, 1e4, 0.0);
    a.nebulosity = r.number("nebulosity", 0.0, 1e4, 0.0);
    a.gradient = r.number("gradient", -1e4, 1e4, 0.0);
    a.saturation = r.number("saturation", 0.0, 35.0, 0.0);
    a.spikes = r.number("spikes", 0.0, 0.5, 0.0);
    a.spikeAngle = r.number("spike_angle", -360.0, 360.0, a.spikeAngle);
    a.tracking = r.number("tracking", 0.0, 200.0, 0.0);
    a.masked = r.boolean("masked", false);
    a.any = !r.keys().isEmpty();
    return a;
}

void addSkyArtefacts(const Artefacts& a, const ArtefactBand& band, const std::vector<Galaxy>& objects, Random& random,
                     Random scene, cv::Mat& image, cv::Mat& mask) {
    if (a.spikes > 0.0) addSpikes(a, band, objects, image, mask);
    if (a.tracking > 0.0) {
        const double angle = kPi * scene.uniform();
        const int half = std::max(1, static_cast<int>(std::ceil(0.5 * a.tracking)));
        cv::Mat kernel = cv::Mat::zeros(2 * half + 1, 2 * half + 1, CV_32F);
        constexpr int kSteps = 200;
        for (int i = 0; i < kSteps; ++i) {
            const double s = a.tracking * ((i + 0.5) / kSteps - 0.5);
            const double x = half + s * std::cos(angle), y = half + s * std::sin(angle);
            const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
            for (int dy = 0; dy < 2; ++dy) {
                for (int dx = 0; dx < 2; ++dx) {
                    const double part = (dx ? x - x0 : 1.0 - x + x0) * (dy ? y - y0 : 1.0 - y + y0);
                    if (x0 + dx <= 2 * half && y0 + dy <= 2 * half) {
                        kernel.at<float>(y0 + dy, x0 + dx) += static_cast<float>(part / kSteps);
                    }
                }
            }
        }
        cv::filter2D(image, image, CV_32F, kernel, {-1, -1}, 0.0, cv::BORDER_REFLECT);
        cv::bitwise_or(mask, cv::Scalar(1 << Artefacts::Tracking), mask);
    }
    if (a.nebulosity > 0.0) {
        cv::Mat light = clouds(image.size(), scene);
        light = (light + 1.5) * (a.nebulosity * band.sigma);
        cv::max(light, 0.0, light);
        image += light;
        mark(mask, light, kSeen * band.sigma, Artefacts::Nebula);
    }
    if (a.fringes > 0.0 && band.wavelength > 700.0) {
        cv::Mat light = clouds(image.size(), random);
        const double period = random.uniform(18.0, 45.0), angle = kPi * random.uniform();
        const double kx = 2.0 * kPi / period * std::cos(angle), ky = 2.0 * kPi / period * std::sin(angle);
        for (int y = 0; y < light.rows; ++y) {
            float* row = light.ptr<float>(y);
            for (int x = 0; x < light.cols; ++x) {
                row[x] = static_cast<float>(a.fringes * band.sigma * std::sin(kx * x + ky * y + 4.0 * double(row[x])));
            }
        }
        image += light;
        mark(mask, light, kSeen * band.sigma, Artefacts::Fringe);
    }
    if (a.gradient != 0.0) {
        const double angle = 2.0 * kPi * random.uniform(), bend = random.uniform(-0.5, 0.5);
        cv::Mat light(image.size(), CV_32F);
        for (int y = 0; y < light.rows; ++y) {
            float* row = light.ptr<float>(y);
            for (int x = 0; x < light.cols; ++x) {
                const double u = (x + 0.5) / light.cols - 0.5, v = (y + 0.5) / light.rows - 0.5;
                const double t = u * std::cos(angle) + v * std::sin(angle);
                row[x] = static_cast<float>(a.gradient * band.sigma * (t + bend * (u * u + v * v)));
            }
        }
        image += light;
        mark(mask, light, kSeen * band.sigma, Artefacts::Background);
    }
    addTrails(a, band, random, image, mask);
}

void addDetectorArtefacts(const Artefacts& a, const ArtefactBand& band, Random& random, cv::Mat& image, cv::Mat& mask) {
    const double mega = 1e-6 * static_cast<double>(image.total());
    if (a.saturation > 0.0) saturate(band, image, mask);
    addCosmicRays(random.poisson(a.cosmicRays * mega), band, random, image, mask);
    const auto place = [&] { return cv::Point(random.integer(0, image.cols - 1), random.integer(0, image.rows - 1)); };
    for (long long i = random.poisson(a.hotPixels * mega); i > 0; --i) {
        const cv::Point p = place();
        image.at<float>(p) += static_cast<float>(band.sigma * 10.0 * std::pow(100.0, random.uniform()));
        mask.at<int>(p) |= 1 << Artefacts::HotPixel | 1 << Artefacts::Bad;
    }
    for (long long i = random.poisson(a.deadPixels * mega); i > 0; --i) {
        const cv::Point p = place();
        image.at<float>(p) = static_cast<float>(-band.sky);
        mask.at<int>(p) |= 1 << Artefacts::DeadPixel | 1 << Artefacts::Bad;
    }
    const auto columns = [&](double expected, bool hot) {
        for (long long i = random.poisson(expected); i > 0; --i) {
            const int x = random.integer(0, image.cols - 1);
            // Half of them begin at a trap and go on to the edge.
            const int from = random.uniform() < 0.5 ? 0 : random.integer(0, image.rows - 1);
            const double more = band.sigma * 4.0 * std::pow(20.0, random.uniform());
            for (int y = from; y < image.rows; ++y) {
                float& v = image.at<float>(y, x);
                v = static_cast<float>(hot ? double(v) + more * (0.9 + 0.2 * random.uniform()) : -band.sky);
                mask.at<int>(y, x) |= 1 << (hot ? Artefacts::HotColumn : Artefacts::DeadColumn) | 1 << Artefacts::Bad;
            }
        }
    };
    columns(a.hotColumns, true);
    columns(a.deadColumns, false);
}

} // namespace blendscope
