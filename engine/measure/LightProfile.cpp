#include "measure/LightProfile.h"

#include "core/Lanes.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <vector>

namespace blendscope {

namespace {

struct Gaussian {
    double sigma; ///< in half-light radii
    double light;
};

// Unit flux, half-light radius 1. Least-squares fits to the exact profiles: enclosed light good to 0.25 %.
constexpr Gaussian kDisk[] = {{0.06000, 0.000245}, {0.10500, 0.004038}, {0.18375, 0.008360}, {0.32156, 0.068133},
                              {0.56273, 0.229613}, {0.98479, 0.523893}, {1.72337, 0.165719}};
constexpr Gaussian kBulge[] = {{0.01000, 0.004077}, {0.02400, 0.009561}, {0.05760, 0.034785},
                               {0.13824, 0.090331}, {0.33178, 0.184007}, {0.79626, 0.264006},
                               {1.91103, 0.247001}, {4.58647, 0.128848}, {11.00753, 0.037384}};

constexpr double kRing = 0.7;        ///< width of an annulus, pixel
constexpr double kModelError = 0.01; ///< of each annulus: true galaxies are not of this family, PSFs not exact
constexpr double kGrid = 1.35;       ///< ratio of neighbouring radii
constexpr double kFaintest = 2e-4;   ///< pairs of Gaussians with less light are left out
constexpr double kWideRing = 7.0;    ///< pixel; beyond, annuli widen by kRingGrowth
constexpr double kRingGrowth = 1.1;
constexpr double kNarrow = 0.01; ///< of the PSF's least variance: narrower Gaussians of a galaxy look alike through it
constexpr double kSmallest = 0.08; ///< smallest radius that is tried, in PSF half-light radii
constexpr int kBulgeSteps = 5;     ///< bulge fractions 0, 1/4, ... 1
// Priors of the star-galaxy odds: one point source to nine galaxies, radii log-normal about half the PSF's.
// Most galaxies that deep images blend are disks (Sersic index near 1): the bulge's share falls exponentially.
constexpr double kTypicalBulge = 0.15;
constexpr double kStarOdds = 1.0 / 9.0;
constexpr double kTypicalRadius = 0.6; ///< of a galaxy, in PSF half-light radii
constexpr double kPointLike = 0.16; ///< PSF half-light radii; what is smaller cannot be told from an error of the PSF
constexpr double kRadiusScatter = 0.8; ///< natural logarithm

/// Exponentially scaled modified Bessel function exp(-x) I0(x), x >= 0 (Abramowitz & Stegun 9.8.1, 9.8.2).
Lanes scaledBessel(Lanes x) {
    const auto polynomial = [](Lanes t, std::initializer_list<float> falling) {
        Lanes p = lanes(0.0f);
        for (const float c : falling) {
            p = p * t + lanes(c);
        }
        return p;
    };
    const LaneInts isSmall = x < lanes(3.75f);
    const Lanes low = isSmall ? x : lanes(3.75f), high = isSmall ? lanes(3.75f) : x;
    const Lanes s = low * low * lanes(1.0f / (3.75f * 3.75f)), t = lanes(3.75f) / high;
    const Lanes series = polynomial(s, {0.0045813f, 0.0360768f, 0.2659732f, 1.2067492f, 3.0899424f, 3.5156229f, 1.0f});
    const Lanes asymptotic = polynomial(t, {0.00392377f, -0.01647633f, 0.02635537f, -0.02057706f, 0.00916281f,
                                            -0.00157565f, 0.00225319f, 0.01328592f, 0.39894228f});
    return isSmall ? expNegative(-low) * series : asymptotic / squareRoot(high);
}

/// Variances of one Gaussian of the galaxy through one of the PSF, along both axes of the annuli, in coordinates in
/// which the annuli are circles.
struct Spread {
    double major, minor;
    Spread(const LightProfile::Shape& shape, double galaxy, double psf)
        : major((galaxy * shape.galaxy + psf) / shape.annulus), minor((galaxy / shape.galaxy + psf) * shape.annulus) {}
};

/// Light of a unit Gaussian within a circle: the radial integral in closed form, the angle by the trapezoidal rule,
/// which converges fast for a periodic integrand.
double lightInCircle(const Spread& s, double radius) {
    if (std::abs(s.major - s.minor) < 0.02 * s.major) {
        return -std::expm1(-0.5 * radius * radius / std::sqrt(s.major * s.minor));
    }
    // Squared cosines of eight angles in the middle of equal parts of a quarter turn.
    constexpr Lanes kCosine2 = {0.99039264f, 0.91573481f, 0.77778512f, 0.59754516f,
                                0.40245484f, 0.22221488f, 0.08426519f, 0.00960736f};
    const double p = 1.0 / s.major, q = 1.0 / s.minor;
    const Lanes slope = lanes(float(q)) + kCosine2 * lanes(float(p - q));
    const Lanes part = (lanes(1.0f) - expNegative(lanes(float(-0.5 * radius * radius)) * slope)) / slope;
    return double(sum(part)) / kLanes * std::sqrt(p * q);
}

/// A galaxy profile of this half-light radius, as variances and light. What is far narrower than the PSF looks alike
/// and is put together.
struct Parts {
    int count = 0;
    double variance[9] = {}, light[9] = {};

    template <size_t N>
    Parts(const Gaussian (&profile)[N], double scale, const PsfMixture& psf) {
        static_assert(N <= 9);
        const double narrow = kNarrow * psf.terms().front().variance;
        double moment = 0.0, alike = 0.0;
        for (const Gaussian& g : profile) {
            const double v = g.sigma * g.sigma * scale * scale;
            if (v < narrow) {
                moment += v * g.light;
                alike += g.light;
            } else {
                add(v, g.light);
            }
        }
        if (alike > 0.0) add(moment / alike, alike);
    }
    void add(double v, double l) {
        variance[count] = v;
        light[count++] = l;
    }
};

/// Light within an elliptical aperture of a unit-flux profile convolved with the PSF.
template <size_t N>
double enclosedLight(const Gaussian (&profile)[N], double scale, const LightProfile::Shape& shape,
                     const PsfMixture& psf, double radius) {
    double sum = 0.0, total = 0.0;
    const Parts parts(profile, scale, psf);
    for (int i = 0; i < parts.count; ++i) {
        for (const PsfMixture::Term& term : psf.terms()) {
            const double weight = parts.light[i] * term.weight;
            if (weight < kFaintest) continue;
            // Whole pixels are summed: the aperture sees the image smeared by one more pixel (variance 1/12).
            const Spread spread(shape, parts.variance[i], term.variance + 1.0 / 12.0);
            total += weight;
            sum += weight * lightInCircle(spread, radius);
        }
    }
    return total > 0.0 ? sum / total : 1.0;
}

struct Ring {
    double radius2 = 0.0;
    double value = 0.0; ///< mean of its pixels
    double variance = 0.0;
    int pixels = 0;
};

size_t ringOf(double radius) {
    if (radius < kWideRing) return static_cast<size_t>(radius / kRing);
    return static_cast<size_t>(kWideRing / kRing + std::log(radius / kWideRing) / std::log(kRingGrowth));
}

/// Values on annuli, eight side by side; what is beyond their number is never used.
using RingValues = LaneVector;

/// Mean surface brightness on the annuli of a unit-flux profile convolved with the PSF.
template <size_t N>
void brightness(const Gaussian (&profile)[N], double scale, const LightProfile::Shape& shape, const PsfMixture& psf,
                const RingValues& radius2, RingValues& out) {
    out.assign(radius2.size(), lanes(0.0f));
    const Parts parts(profile, scale, psf);
    for (int i = 0; i < parts.count; ++i) {
        for (const PsfMixture::Term& term : psf.terms()) {
            const double weight = parts.light[i] * term.weight;
            if (weight < kFaintest) continue;
            const Spread s(shape, parts.variance[i], term.variance);
            const Lanes height = lanes(float(weight / (2.0 * std::numbers::pi * std::sqrt(s.major * s.minor))));
            // Azimuthal mean of a Gaussian: exp(-r^2 (p + q) / 4) I0(r^2 (q - p) / 4) with p, q the inverse variances;
            // with the scaled I0 the larger variance is left in the exponent.
            const Lanes slope = lanes(float(-0.5 / std::max(s.major, s.minor)));
            const Lanes bend = lanes(float(0.25 * std::abs(1.0 / s.minor - 1.0 / s.major)));
            for (size_t k = 0; k < radius2.size(); ++k) {
                out[k] += height * expNegative(slope * radius2[k]) * scaledBessel(bend * radius2[k]);
            }
        }
    }
}

constexpr Gaussian kPoint[] = {{0.0, 1.0}};

/// Sums of the least-squares problem of two templates.
struct Normal {
    double ee = 0.0, ed = 0.0, dd = 0.0, ey = 0.0, dy = 0.0;
};

/// Variance of the round Gaussian that fits the PSF as adaptive moments would.
double adaptiveVariance(const PsfMixture& psf) {
    double v = psf.terms()[psf.terms().size() / 2].variance;
    for (int round = 0; round < 100; ++round) {
        double light = 0.0, second = 0.0;
        for (const PsfMixture::Term& term : psf.terms()) {
            const double w = term.weight / (v + term.variance);
            light += w;
            second += w * v * term.variance / (v + term.variance);
        }
        const double next = light > 0.0 ? 2.0 * second / light : v;
        if (std::abs(next - v) < 1e-6 * v) return next;
        v = next;
    }
    return v;
}

double psfHalfLight(const PsfMixture& psf) {
    double low = 0.0, high = 100.0;
    for (int i = 0; i < 20; ++i) {
        const double mid = 0.5 * (low + high);
        (enclosedLight(kPoint, 0.0, {}, psf, mid) < 0.5 ? low : high) = mid;
    }
    return std::max(0.1, 0.5 * (low + high));
}

} // namespace

LightProfile::LightProfile(const cv::Mat& image, const cv::Mat& variance, const Moments& moments, const PsfMixture& psf,
                           double reach) {
    m_point = m_halfLight = std::numeric_limits<double>::quiet_NaN();
    const double det = moments.determinant();
    if (image.empty() || !(det > 0.0) || !(reach > 0.0)) return;
    // The galaxy before the PSF: what the moments leave after the PSF's own, on the same axes.
    const double psfVariance = adaptiveVariance(psf);
    const double major = moments.a() * moments.a(), minor = moments.b() * moments.b();
    const double galaxyMajor = std::max(major - psfVariance, 0.05 * psfVariance);
    const double galaxyMinor = std::max({minor - psfVariance, 0.02 * galaxyMajor, 0.02 * psfVariance});
    m_shape.annulus = std::sqrt(major / minor);
    m_shape.galaxy = std::max(1.0, std::sqrt(galaxyMajor / galaxyMinor));
    const double norm = std::sqrt(det); // unit-area shape: radii keep their meaning
    const double ixx = moments.yy / norm, iyy = moments.xx / norm, ixy = -moments.xy / norm;
    std::vector<Ring> rings(ringOf(reach) + 1);
    const double stretch = std::sqrt(std::max(moments.xx, moments.yy) / norm);
    const int left = static_cast<int>(std::max(0.0, std::ceil(moments.x - reach * stretch)));
    const int right = static_cast<int>(std::min(image.cols - 1.0, std::floor(moments.x + reach * stretch)));
    const int top = static_cast<int>(std::max(0.0, std::ceil(moments.y - reach * stretch)));
    const int bottom = static_cast<int>(std::min(image.rows - 1.0, std::floor(moments.y + reach * stretch)));
    for (int y = top; y <= bottom; ++y) {
        const float* row = image.ptr<float>(y);
        const float* var = variance.ptr<float>(y);
        const double dy = y - moments.y;
        for (int x = left; x <= right; ++x) {
            if (!(var[x] > 0.0f)) continue;
            const double dx = x - moments.x;
            const double r2 = ixx * dx * dx + 2.0 * ixy * dx * dy + iyy * dy * dy;
            const size_t i = ringOf(std::sqrt(r2));
            if (i >= rings.size()) continue;
            rings[i].radius2 += r2;
            rings[i].value += row[x];
            rings[i].variance += var[x];
            ++rings[i].pixels;
        }
    }
    std::erase_if(rings, [](const Ring& r) { return r.pixels == 0 || !(r.variance > 0.0); });
    if (rings.size() < 4) return;
    double least = std::numeric_limits<double>::infinity();
    for (Ring& r : rings) {
        r.radius2 /= r.pixels;
        r.value /= r.pixels;
        r.variance /= double(r.pixels) * r.pixels;
        least = std::min(least, r.variance);
    }
    for (Ring& r : rings) {
        r.variance += kModelError * kModelError * r.value * r.value + 1e-12 * least;
    }

    const RingValues radius2 = [&] {
        RingValues out((rings.size() + kLanes - 1) / kLanes, lanes(0.0f));
        for (size_t i = 0; i < rings.size(); ++i) {
            out[i / kLanes][i % kLanes] = float(rings[i].radius2);
        }
        return out;
    }();

    // chi^2 of a template set with non-negative amplitude, relative to no light.
    RingValues disk, bulge;
    const auto normal = [&](const RingValues& first, const RingValues& second) {
        Normal n;
        for (size_t i = 0; i < rings.size(); ++i) {
            const double w = 1.0 / rings[i].variance;
            const double e = double(first[i / kLanes][i % kLanes]), d = double(second[i / kLanes][i % kLanes]);
            n.ee += e * e * w;
            n.ed += e * d * w;
            n.dd += d * d * w;
            n.ey += e * rings[i].value * w;
            n.dy += d * rings[i].value * w;
        }
        return n;
    };
    const double psfRadius = psfHalfLight(psf);
    brightness(kPoint, 0.0, m_shape, psf, radius2, disk);
    const Normal point = normal(disk, disk);
    if (!(point.ey > 0.0)) return;
    double pointGain = point.ey * point.ey / point.ee; // fall of chi^2

    // Gain of chi^2 for each radius and bulge fraction, the total flux being free.
    struct Node {
        double radius, bulge, gain;
    };
    std::vector<Node> nodes;
    const auto tryRadius = [&](double radius) {
        brightness(kDisk, radius, m_shape, psf, radius2, disk);
        brightness(kBulge, radius, m_shape, psf, radius2, bulge);
        const Normal n = normal(disk, bulge);
        double best = -1.0;
        for (int s = 0; s < kBulgeSteps; ++s) {
            const double f = double(s) / (kBulgeSteps - 1), g = 1.0 - f;
            const double tt = g * g * n.ee + 2.0 * f * g * n.ed + f * f * n.dd, ty = g * n.ey + f * n.dy;
            const double gain = ty > 0.0 && tt > 0.0 ? ty * ty / tt : 0.0;
            nodes.push_back({radius, f, gain});
            best = std::max(best, gain);
        }
        return best;
    };
    const double largest = std::max(1.5 * reach, 2.0 * psfRadius);
    std::vector<std::pair<double, double>> curve; // ln radius, gain
    for (double radius = kSmallest * psfRadius; radius < largest; radius *= kGrid) {
        curve.emplace_back(std::log(radius), tryRadius(radius));
        // Past the best radius gains only fall.
        double top2 = 0.0;
        for (const auto& c : curve) {
            top2 = std::max(top2, c.second);
        }
        if (curve.back().second < top2 - 60.0) break;
    }
    double best = 0.0;
    for (const auto& c : curve) {
        best = std::max(best, c.second);
    }

    // Evidence: the flux is free in both, so only radius and bulge fraction carry a prior.
    const auto prior = [&](double radius) {
        const double z = (std::log(radius / (kTypicalRadius * psfRadius))) / kRadiusScatter;
        return std::exp(-0.5 * z * z);
    };
    const auto bulgePrior = [](double f) { return std::exp(-f / kTypicalBulge); };
    for (const Node& node : nodes) {
        if (node.radius < kPointLike * psfRadius && node.bulge == 0.0) pointGain = std::max(pointGain, node.gain);
    }
    const double ceiling = std::max(best, pointGain);
    double extended = 0.0, priors = 0.0;
    for (const Node& node : nodes) {
        if (node.radius < kPointLike * psfRadius) continue;
        const double p = prior(node.radius) * bulgePrior(node.bulge);
        priors += p;
        extended += p * std::exp(0.5 * (node.gain - ceiling));
    }
    extended /= std::max(priors, 1e-300);
    const double star = kStarOdds * std::exp(0.5 * (pointGain - ceiling));
    m_point = std::clamp(star / std::max(star + extended, 1e-300), 0.0, 1.0);

    // Where the likelihood is narrower than the grid, refine about its top.
    for (int level = 0; level < 4; ++level) {
        const auto at = std::max_element(curve.begin(), curve.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
        const size_t i = static_cast<size_t>(at - curve.begin());
        if (i == 0 || i + 1 >= curve.size()) break;
        if (curve[i].second - std::max(curve[i - 1].second, curve[i + 1].second) < 1.0) break;
        const double a = 0.5 * (curve[i - 1].first + curve[i].first), b = 0.5 * (curve[i].first + curve[i + 1].first);
        curve.emplace_back(a, tryRadius(std::exp(a)));
        curve.emplace_back(b, tryRadius(std::exp(b)));
        std::sort(curve.begin(), curve.end());
    }
    best = 0.0;
    for (const Node& node : nodes) {
        best = std::max(best, node.gain);
    }
    // Nodes lie unevenly in ln radius: each stands for the interval around it.
    const auto width = [&](double radius) {
        const double x = std::log(radius);
        const auto at = std::lower_bound(curve.begin(), curve.end(), std::make_pair(x - 1e-9, -1.0));
        const size_t i = std::min(curve.size() - 1, static_cast<size_t>(at - curve.begin()));
        const double l = i > 0 ? curve[i].first - curve[i - 1].first : std::log(kGrid);
        const double r = i + 1 < curve.size() ? curve[i + 1].first - curve[i].first : std::log(kGrid);
        return 0.5 * (l + r);
    };
    double sum = 0.0, logRadius = 0.0, bulgeSum = 0.0;
    for (const Node& node : nodes) {
        const double w =
            std::exp(0.5 * (node.gain - best)) * prior(node.radius) * bulgePrior(node.bulge) * width(node.radius);
        if (!(w > 0.0)) continue;
        m_samples.push_back({node.radius, node.bulge, w});
        sum += w;
        logRadius += w * std::log(node.radius);
        bulgeSum += w * node.bulge;
    }
    if (!(sum > 0.0) || !std::isfinite(sum)) return;
    // Members that hardly count are left out of what is asked later.
    double kept = 0.0;
    std::erase_if(m_samples, [&](const Sample& m) { return m.weight < 3e-3 * sum; });
    for (const Sample& m : m_samples) {
        kept += m.weight;
    }
    for (Sample& m : m_samples) {
        m.weight *= (1.0 - m_point) / kept;
    }
    if (m_point > 3e-3) m_samples.push_back({0.0, 0.0, m_point});
    m_halfLight = std::exp(logRadius / sum);
    m_bulge = bulgeSum / sum;
    m_valid = true;
}

LightProfile::Part LightProfile::enclosed(double radius, const PsfMixture& psf) const {
    if (!m_valid) return {};
    double sum = 0.0, squares = 0.0, last = -1.0, disk = 0.0, bulge = 0.0;
    for (const Sample& s : m_samples) {
        if (s.radius != last) {
            disk = enclosedLight(kDisk, s.radius, m_shape, psf, radius);
            bulge = enclosedLight(kBulge, s.radius, m_shape, psf, radius);
            last = s.radius;
        }
        const double part = (1.0 - s.bulge) * disk + s.bulge * bulge;
        sum += s.weight * part;
        squares += s.weight * part * part;
    }
    return {std::clamp(sum, 0.05, 1.0), std::sqrt(std::max(0.0, squares - sum * sum))};
}

} // namespace blendscope
