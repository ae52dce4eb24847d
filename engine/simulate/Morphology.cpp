#include "simulate/Morphology.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kScales = 1.6783469900166605; // scale lengths of an exponential in a half-light radius
constexpr double kEdge = 4.6;                  // where disks end
constexpr double kFrame = 5.4;                 // half side of a map
constexpr int kMostSide = 512;
constexpr double kBlueNm = 365.0, kRedNm = 980.0;

double tauAt(double wavelengthNm) {
    return std::pow(wavelengthNm / 550.0, -0.7);
}

double smoothStep(double low, double high, double x) {
    const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

/// Waves in random directions: a smooth random field of mean 0 and variance 1, cheap on a grid.
class Clouds {
public:
    Clouds(Random& random, double least, double most, int waves) {
        for (int i = 0; i < waves; ++i) {
            const double k = least * std::pow(most / least, random.uniform());
            const double angle = 2.0 * kPi * random.uniform();
            m_waves.push_back({k * std::cos(angle), k * std::sin(angle), 2.0 * kPi * random.uniform()});
        }
    }
    [[nodiscard]] double operator()(double x, double y) const {
        double sum = 0.0;
        for (const auto& w : m_waves) {
            sum += std::cos(w[0] * x + w[1] * y + w[2]);
        }
        return sum * std::sqrt(2.0 / static_cast<double>(m_waves.size()));
    }

private:
    std::vector<std::array<double, 3>> m_waves;
};

/// A round Gaussian onto a map, `flux` in all.
void addBlob(cv::Mat& map, double x, double y, double sigma, double flux) {
    const int reach = static_cast<int>(std::ceil(4.0 * sigma)) + 1;
    const int cx = static_cast<int>(std::lround(x)), cy = static_cast<int>(std::lround(y));
    const cv::Rect box = cv::Rect(cx - reach, cy - reach, 2 * reach + 1, 2 * reach + 1) & cv::Rect({}, map.size());
    const double norm = flux / (2.0 * kPi * sigma * sigma), scale = -0.5 / (sigma * sigma);
    for (int j = box.y; j < box.y + box.height; ++j) {
        auto* row = map.ptr<float>(j);
        const double down = norm * std::exp(scale * (j - y) * (j - y));
        for (int i = box.x; i < box.x + box.width; ++i) {
            row[i] += static_cast<float>(down * std::exp(scale * (i - x) * (i - x)));
        }
    }
}

double halfLight(const cv::Mat& map, cv::Point2d centre, double axisRatio, double angle) {
    const double c = std::cos(angle), s = std::sin(angle);
    std::vector<double> rings(static_cast<size_t>(map.cols), 0.0);
    double sum = 0.0;
    for (int y = 0; y < map.rows; ++y) {
        const float* row = map.ptr<float>(y);
        for (int x = 0; x < map.cols; ++x) {
            const double dx = x - centre.x, dy = y - centre.y;
            const double u = dx * c + dy * s, v = (dy * c - dx * s) / axisRatio;
            const auto ring = static_cast<size_t>(std::hypot(u, v) * std::sqrt(axisRatio));
            sum += row[x];
            if (ring < rings.size()) rings[ring] += row[x];
        }
    }
    double inside = 0.0;
    for (size_t i = 0; i < rings.size(); ++i) {
        if (inside + rings[i] >= 0.5 * sum) {
            return static_cast<double>(i) + (rings[i] > 0.0 ? (0.5 * sum - inside) / rings[i] : 0.5);
        }
        inside += rings[i];
    }
    return static_cast<double>(map.cols) / 4.0;
}

} // namespace

QString Morphology::name(double axisRatio) const {
    QString text = axisRatio < kEdgeOn ? QStringLiteral("edge-on")
                   : arms == 0         ? QStringLiteral("clumpy")
                   : flocculence > 0.4 ? QStringLiteral("flocculent")
                                       : QStringLiteral("spiral");
    if (tails > 0 || shells > 0) text += QStringLiteral("+tidal");
    return text;
}

Morphology Morphology::draw(Random& random, const Wish& wish, double axisRatio) {
    // Everything is drawn, wished for or not, so that a wish changes nothing else.
    const double sort = random.uniform(), a = random.uniform(), b = random.uniform(), c = random.uniform(),
                 d = random.uniform(), e = random.uniform(), tidal = random.uniform(), f = random.uniform(),
                 g = random.uniform();
    const bool edgeOn = axisRatio < kEdgeOn;
    QString kind = wish.kind;
    if (kind.isEmpty()) {
        kind = sort < 0.4    ? QStringLiteral("spiral")
               : sort < 0.65 ? QStringLiteral("flocculent")
                             : QStringLiteral("clumpy");
    }
    Morphology m;
    const bool clumpy = kind == QLatin1String("clumpy"), flocculent = kind == QLatin1String("flocculent");
    if (clumpy) {
        m.youngShare = 0.35 + 0.3 * a;
        m.knots = 3 + static_cast<int>(8.0 * b);
        m.knotShare = 0.12 + 0.25 * c;
        m.knotSize = 0.18 + 0.22 * d;
        m.lopsided = 0.15 + 0.5 * e;
        m.dust = 0.6 * f;
    } else {
        m.arms = flocculent ? 3 + static_cast<int>(3.0 * a) : 2;
        m.pitchDegrees = 10.0 + 20.0 * b;
        m.armContrast = 3.0 + 5.0 * c;
        m.flocculence = flocculent ? 0.6 + 0.4 * d : 0.15 + 0.15 * d;
        m.youngShare = 0.35 + 0.25 * e;
        m.knots = 12 + static_cast<int>(40.0 * f);
        m.knotShare = 0.05 + 0.13 * g;
        m.knotSize = 0.07 + 0.08 * a;
        m.bar = !flocculent && d < 0.35 ? 0.08 + 0.1 * c : 0.0;
        m.lopsided = 0.2 * c;
        m.dust = 0.5 + 1.3 * g;
    }
    if (edgeOn) {
        m.arms = 0;
        m.bar = 0.0;
        m.lopsided = 0.0;
        m.dust = 1.2 + 2.0 * g;
        m.knotShare *= 0.6;
    }
    if (tidal < 0.17) {
        if (f < 0.7) {
            m.tails = g < 0.5 ? 1 : 2;
            m.tailShare = 0.04 + 0.1 * b;
        } else {
            m.shells = 2 + static_cast<int>(3.0 * g);
            m.shellShare = 0.04 + 0.06 * b;
        }
    }
    if (!wish.knots) m.knots = 0;
    if (!wish.arms) {
        m.arms = 0;
        m.armContrast = 1.0;
        m.bar = 0.0;
    }
    if (!wish.dust) m.dust = 0.0;
    if (!wish.tides) m.tails = m.shells = 0;
    return m;
}

double MorphologyMaps::blueness(double wavelengthNm) {
    return std::clamp((tauAt(wavelengthNm) - tauAt(kRedNm)) / (tauAt(kBlueNm) - tauAt(kRedNm)), 0.0, 1.0);
}

MorphologyMaps drawMorphology(const Morphology& m, Random& random, const SersicComponent& disk, double pitchArcsec) {
    const double re = std::max(disk.aArcsec, 1e-4);
    const double q = std::clamp(disk.bArcsec / re, 0.05, 1.0);
    const double pitch = std::max(pitchArcsec, 2.0 * kFrame * re / kMostSide);
    const int half = std::max(8, static_cast<int>(std::ceil(kFrame * re / pitch)));
    const int side = 2 * half + 1;
    const double angle = disk.angle * kPi / 180.0, cosine = std::cos(angle), sine = std::sin(angle);
    const double unit = re / pitch; // map pixels in a half-light radius
    const bool edgeOn = q < Morphology::kEdgeOn;

    const double winding = random.uniform() < 0.5 ? 1.0 : -1.0;
    const double tangent = winding * std::tan(m.pitchDegrees * kPi / 180.0);
    const double armAngle = 2.0 * kPi * random.uniform(), lopsidedAngle = 2.0 * kPi * random.uniform();
    const double nearSide = random.uniform() < 0.5 ? 1.0 : -1.0;
    const Clouds bends(random, 1.0, 4.0, 6), patches(random, 3.0, 10.0, 8), dustClouds(random, 3.0, 14.0, 8);
    const double barLength = random.uniform(0.45, 0.8);
    // The arms leave the ends of the bar.
    const double barAngle = std::fmod(armAngle / std::max(m.arms, 1) + std::log(barLength / 0.3) / tangent, 2.0 * kPi);

    const double outermostKnot = m.arms > 0 ? 2.4 : 1.7;
    const auto armPhase = [&](double r, double phi, double bend) {
        return m.arms * (phi - std::log(std::max(r, 0.05) / 0.3) / tangent) - armAngle + 1.1 * m.flocculence * bend;
    };
    const auto ridge = [&](double phase, double sharpness) { return std::exp(sharpness * (std::cos(phase) - 1.0)); };

    cv::Mat young = cv::Mat::zeros(side, side, CV_32F), old = young.clone(), depth = young.clone();
    double diskSum = 0.0, barSum = 0.0;
    cv::Mat bar = young.clone();
    for (int y = 0; y < side; ++y) {
        auto *youngRow = young.ptr<float>(y), *oldRow = old.ptr<float>(y), *depthRow = depth.ptr<float>(y),
             *barRow = bar.ptr<float>(y);
        for (int x = 0; x < side; ++x) {
            const double dx = (x - half) / unit, dy = (y - half) / unit;
            const double u = dx * cosine + dy * sine, v = (dy * cosine - dx * sine) / q;
            // Softened by a map pixel, so that the centre is a mean and no spike.
            const double r = std::sqrt(u * u + v * v + 0.1 / (unit * unit));
            if (r > kEdge + 0.2) continue;
            const double phi = std::atan2(v, u);
            double light = std::exp(-kScales * r) * (1.0 - smoothStep(kEdge - 0.8, kEdge, r));
            light *= std::max(0.1, 1.0 + m.lopsided * std::min(r, 1.0) * std::cos(phi - lopsidedAngle));
            const double inArms = smoothStep(0.25, 0.6, r);
            double modulation = 1.0, modulationOld = 1.0, lane = 0.0;
            if (m.arms > 0) {
                const double bend = m.flocculence > 0.0 ? bends(u, v) : 0.0;
                const double phase = armPhase(r, phi, bend);
                const double torn =
                    m.flocculence > 0.0 ? std::max(0.0, 1.0 + 0.7 * m.flocculence * patches(u, v)) : 1.0;
                const double arm = ridge(phase, 2.2) * torn;
                modulation = 1.0 + inArms * (m.armContrast - 1.0) * arm;
                modulationOld = 1.0 + 0.15 * inArms * (m.armContrast - 1.0) * ridge(phase, 1.2);
                // Dust where the gas runs into the arm.
                lane = inArms * ridge(phase + winding * 0.9, 5.0);
            } else if (m.dust > 0.0 && !edgeOn) {
                lane = std::max(0.0, 0.5 * patches(u, v) - 0.2);
            }
            if (m.arms == 0 && m.lopsided > 0.0) modulation = std::max(0.05, 1.0 + 0.8 * bends(u, v));
            youngRow[x] = static_cast<float>(light * modulation);
            oldRow[x] = static_cast<float>(light * modulationOld);
            diskSum += light * modulationOld;
            if (m.dust > 0.0) {
                const double cloudy = std::max(0.0, 1.0 + 0.6 * dustClouds(u, v));
                if (edgeOn) {
                    const double flat = v * q; // off the plane, in half-light radii
                    const double height = std::max(0.22 * q, 0.35 / unit), centre = 0.15 * q * nearSide;
                    depthRow[x] =
                        static_cast<float>(std::exp(-0.5 * (flat - centre) * (flat - centre) / height / height) *
                                           std::exp(-std::abs(u) / 1.1) * (0.6 + 0.4 * cloudy));
                } else {
                    const double front = 1.0 + 0.5 * (1.0 - q) * nearSide * std::sin(phi);
                    depthRow[x] = static_cast<float>(front * std::exp(-r / 1.4) * (0.25 + 0.9 * lane) * cloudy);
                }
            }
            if (m.bar > 0.0) {
                const double along = u * std::cos(barAngle) + v * std::sin(barAngle);
                const double across = v * std::cos(barAngle) - u * std::sin(barAngle);
                const double inside =
                    1.0 - along * along / (barLength * barLength) - across * across / (0.08 * barLength * barLength);
                if (inside > 0.0) barRow[x] = static_cast<float>(inside * inside);
                barSum += barRow[x];
            }
        }
    }
    old *= (1.0 - m.bar) / std::max(diskSum, 1e-30);
    if (barSum > 0.0) old += bar * (m.bar / barSum);

    // Tails and shells are of the disk's old stars, thrown out.
    const double thrown = (m.tails > 0 ? m.tailShare : 0.0) + (m.shells > 0 ? m.shellShare : 0.0);
    old *= 1.0 - thrown;
    const double thick = std::max(q, 0.45);
    const auto toMap = [&](double r, double phi, double flattening) {
        const double u = r * std::cos(phi), v = r * std::sin(phi) * flattening;
        return cv::Point2d(half + unit * (u * cosine - v * sine), half + unit * (u * sine + v * cosine));
    };
    for (int t = 0; t < m.tails; ++t) {
        const double start = armAngle + kPi * t + 0.4 * random.normal(), sweep = winding * random.uniform(0.9, 2.0);
        const double length = random.uniform(1.6, 2.7), width = random.uniform(0.12, 0.22);
        constexpr int kPieces = 80;
        double sum = 0.0;
        for (int i = 0; i < kPieces; ++i) {
            sum += 1.0 - 0.8 * i / kPieces;
        }
        for (int i = 0; i < kPieces; ++i) {
            const double s = static_cast<double>(i) / kPieces;
            const cv::Point2d p = toMap(1.5 + length * s, start + sweep * s, thick);
            addBlob(old, p.x, p.y, std::max(0.7, unit * width * (1.0 + 0.8 * s)),
                    m.tailShare / m.tails * (1.0 - 0.8 * s) / sum);
        }
    }
    for (int t = 0; t < m.shells; ++t) {
        const double middle = armAngle + kPi * t + 0.3 * random.normal(), r = 1.6 + 0.7 * t + 0.3 * random.uniform();
        constexpr int kPieces = 60;
        for (int i = 0; i < kPieces; ++i) {
            const double s = 2.0 * (i + 0.5) / kPieces - 1.0;
            const cv::Point2d p = toMap(std::min(r, 4.4), middle + 0.75 * s, thick);
            addBlob(old, p.x, p.y, std::max(0.7, 0.17 * unit), m.shellShare / m.shells / kPieces);
        }
    }

    young *= 1.0 / std::max(cv::sum(young)[0], 1e-30);
    if (m.knots > 0 && m.youngShare > 0.0) {
        const double share = std::clamp(m.knotShare / m.youngShare, 0.0, 0.9);
        young *= 1.0 - share;
        std::vector<double> light(static_cast<size_t>(m.knots));
        double sum = 0.0, largest = 0.0;
        for (double& l : light) {
            l = 1.0 / (1.0 - (1.0 - 1.0 / 25.0) * random.uniform()); // N(L) ~ L^-2 over a factor of 25
            sum += l;
            largest = std::max(largest, l);
        }
        for (const double l : light) {
            double r = 0.0, phi = 0.0;
            for (int attempt = 0; attempt < 60; ++attempt) {
                r = (random.exponential() + random.exponential()) / kScales;
                phi = 2.0 * kPi * random.uniform();
                double wanted = r < 0.2 ? 0.1 : 0.6;
                if (m.arms > 0) {
                    const double u = r * std::cos(phi), v = r * std::sin(phi);
                    wanted = r < 0.3 ? 0.05 : ridge(armPhase(r, phi, m.flocculence > 0.0 ? bends(u, v) : 0.0), 4.0);
                } else if (m.lopsided > 0.0) {
                    wanted *= 0.5 + 0.5 * (1.0 + m.lopsided * std::cos(phi - lopsidedAngle)) / (1.0 + m.lopsided);
                }
                if (r < outermostKnot && random.uniform() < wanted) break;
            }
            const cv::Point2d p = toMap(std::min(r, outermostKnot), phi, q);
            const double fwhm = m.knotSize * std::cbrt(l / largest) * unit;
            addBlob(young, p.x, p.y, std::max(0.7, fwhm / 2.3548), share * l / sum);
        }
    }

    const auto behind = [&](double wavelength, double& passed) {
        cv::Mat out = old;
        if (m.dust > 0.0) {
            cv::Mat veil;
            cv::exp(depth * (-m.dust * tauAt(wavelength)), veil);
            out = old.mul(veil);
        }
        const double sum = cv::sum(out)[0];
        passed = sum / std::max(cv::sum(old)[0], 1e-30);
        return cv::Mat(out * (1.0 / std::max(sum, 1e-30)));
    };
    if (m.dust > 0.0) {
        // Young stars lie in front of half of the dust.
        cv::Mat veil;
        cv::exp(depth * (-0.5 * m.dust), veil);
        young = young.mul(veil);
    }
    MorphologyMaps out;
    const auto finish = [&](LightMap& map, const cv::Mat& pixels) {
        map.pixels = pixels * (1.0 / std::max(cv::sum(pixels)[0], 1e-30));
        map.pitchArcsec = pitch;
        map.centre = {static_cast<double>(half), static_cast<double>(half)};
    };
    finish(out.young, young);
    finish(out.oldBlue, behind(kBlueNm, out.passedBlue));
    finish(out.oldRed, behind(kRedNm, out.passedRed));
    const cv::Mat both = out.young.pixels * m.youngShare + out.oldRed.pixels * (1.0 - m.youngShare);
    out.hlrArcsec = pitch * halfLight(both, out.young.centre, q, angle);
    return out;
}

} // namespace blendscope
