#include "simulate/Profile.h"

#include "core/Error.h"
#include "core/LogGamma.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kLogStep = 0.05;       // of the tables of k
constexpr int kSubsteps = 5;            // integration steps a table step
constexpr double kLogFirst = -12.0;     // below: 1 to 1e-8 even for n = 8
constexpr int kTableSize = 481;         // up to ln k = 12
constexpr double kFlatExponent = 700.0; // exp underflows beyond

/// Regularised lower incomplete gamma function, by its series; fine for x < a + 30.
double gammaP(double a, double x) {
    double term = 1.0 / a, sum = term;
    for (int i = 1; i < 500 && term > 1e-16 * sum; ++i) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * std::exp(-x + a * std::log(x) - logGamma(a));
}

/// The cubic through four values at -1, 0, 1, 2, at 0 <= t <= 1.
double cubic(double p0, double p1, double p2, double p3, double t) {
    const double a = t + 1.0, b = t - 1.0, c = t - 2.0;
    return -p0 * t * b * c / 6.0 + p1 * a * b * c / 2.0 - p2 * a * t * c / 2.0 + p3 * a * t * b / 6.0;
}

} // namespace

double sersicB(double n) {
    if (!(n >= 0.3 && n <= 10.0)) throw UsageError(QStringLiteral("Sersic index %1 is not in 0.3..10").arg(n));
    // Start from Ciotti & Bertin 1999, A&A 352, 447, eq. 18; two or three Newton steps finish it.
    const double a = 2.0 * n;
    double b = std::max(0.05, a - 1.0 / 3.0 + 4.0 / (405.0 * n) + 46.0 / (25515.0 * n * n));
    for (int i = 0; i < 20; ++i) {
        const double slope = std::exp(-b + (a - 1.0) * std::log(b) - logGamma(a));
        const double step = (gammaP(a, b) - 0.5) / slope;
        b -= step;
        if (std::abs(step) < 1e-12 * b) break;
    }
    return b;
}

double sersicValue(double n, double r) {
    const double b = sersicB(n);
    const double logNorm = 2.0 * n * std::log(b) - std::log(2.0 * std::numbers::pi * n) - logGamma(2.0 * n);
    return std::exp(logNorm - b * std::pow(r, 1.0 / n));
}

SersicTransform::SersicTransform(double n) : m_n(n) {
    if (!(n >= 0.5 && n <= 8.0)) throw UsageError(QStringLiteral("Sersic index %1 is not in 0.5..8").arg(n));
    if (n == 1.0 || n == 0.5) return;
    const double b = sersicB(n);
    const double h = kLogStep / kSubsteps;
    const double norm = std::exp(2.0 * n * std::log(b) - std::log(n) - logGamma(2.0 * n));
    const double sine = std::sin(std::numbers::pi / (2.0 * n)), cosine = std::cos(std::numbers::pi / (2.0 * n));

    // Trapezoids in s = ln r on one grid for the table, the profile and the Bessel functions: K0 and J0 are needed at
    // ln k + s alone.
    const double first = -24.0;
    const int steps = static_cast<int>(std::lround(46.0 / h));
    std::vector<double> direct(static_cast<size_t>(steps)), rotated(static_cast<size_t>(steps));
    for (int i = 0; i < steps; ++i) {
        const double s = first + i * h;
        const double p = b * std::exp(s / n);
        direct[static_cast<size_t>(i)] = p < kFlatExponent ? norm * std::exp(2.0 * s - p) * h : 0.0;
        const double decay = p * cosine;
        rotated[static_cast<size_t>(i)] =
            decay < kFlatExponent && n > 1.0
                ? norm * (2.0 / std::numbers::pi) * std::exp(2.0 * s - decay) * std::sin(p * sine) * h
                : 0.0;
    }
    const int sums = steps + kSubsteps * kTableSize;
    const double switchLog = n > 1.0 ? std::log(0.3) : 1e9;
    std::vector<double> bessel(static_cast<size_t>(sums), 0.0), decaying(static_cast<size_t>(sums), 0.0);
    for (int j = 0; j < sums; ++j) {
        const double x = std::exp(first + kLogFirst + j * h);
        decaying[static_cast<size_t>(j)] = x < 600.0 ? std::cyl_bessel_k(0.0, x) : 0.0;
        // j0, since std::cyl_bessel_j writes the global sign of lgamma.
        bessel[static_cast<size_t>(j)] = x < 1e-4 ? 1.0 - 0.25 * x * x : x < 1e4 ? ::j0(x) : 0.0;
    }
    m_table.resize(kTableSize);
    double last = 1.0;
    for (int i = 0; i < kTableSize; ++i) {
        const double logK = kLogFirst + i * kLogStep;
        const bool turn = logK > switchLog;
        double sum = 0.0;
        if (n < 1.0 && logK > 0.0) {
            // Compact and smooth in r, but oscillating: even steps in r resolve J0 to the end of the profile.
            const double k = std::exp(logK);
            const double reach = std::pow(36.0 / b, n);
            const int parts = static_cast<int>(std::clamp(reach * (k + 20.0) * 8.0, 400.0, 20000.0));
            if (last != 0.0 && k < 200.0) {
                const double dr = reach / parts;
                for (int j = 1; j < parts; ++j) {
                    const double r = j * dr;
                    sum += norm * r * std::exp(-b * std::pow(r, 1.0 / n)) * ::j0(k * r) * dr;
                }
                // Euler-Maclaurin: the derivative at r = 0 of r I(r) is the profile's centre.
                sum += norm * dr * dr / 12.0;
            }
        } else {
            const std::vector<double>& weight = turn ? rotated : direct;
            const std::vector<double>& values = turn ? decaying : bessel;
            for (int j = 0; j < steps; ++j) {
                sum += weight[static_cast<size_t>(j)] * values[static_cast<size_t>(i * kSubsteps + j)];
            }
        }
        m_table[static_cast<size_t>(i)] = sum;
        last = std::abs(sum) < 1e-9 ? 0.0 : sum;
    }
}

double SersicTransform::operator()(double k) const {
    if (m_n == 1.0) {
        constexpr double kScale = 1.0 / 1.6783469900166605; // exponential scale length in r_e
        const double x = 1.0 + k * k * kScale * kScale;
        return 1.0 / (x * std::sqrt(x));
    }
    if (m_n == 0.5) return std::exp(-0.25 * k * k / std::numbers::ln2);
    if (!(k > 0.0)) return 1.0;
    const double place = (std::log(k) - kLogFirst) / kLogStep;
    if (place < 1.0) return 1.0;
    const auto i = static_cast<size_t>(place);
    if (i + 2 >= m_table.size()) return 0.0;
    return cubic(m_table[i - 1], m_table[i], m_table[i + 1], m_table[i + 2], place - static_cast<double>(i));
}

MoffatTransform::MoffatTransform(double fwhm, double beta) : m_fwhm(fwhm), m_beta(beta) {
    if (!(fwhm > 0.0) || !std::isfinite(fwhm)) throw UsageError(QStringLiteral("a PSF's FWHM is %1").arg(fwhm));
    if (!(beta > 1.0) || beta > 100.0) throw UsageError(QStringLiteral("a Moffat exponent is %1").arg(beta));
    m_alpha = fwhm / (2.0 * std::sqrt(std::pow(2.0, 1.0 / beta) - 1.0));
    const double order = beta - 1.0;
    const auto exact = [&](double x) {
        if (x < 1e-9) return 1.0;
        const double log = std::log(2.0) - logGamma(order) + order * std::log(0.5 * x);
        return x > 650.0 ? 0.0 : std::exp(log) * std::cyl_bessel_k(order, x);
    };
    double end = 1.0;
    while (exact(end) > 1e-7 && end < 600.0) {
        end *= 1.1;
    }
    m_cutoff = end / m_alpha;
    constexpr int kSize = 4000;
    m_step = m_cutoff / kSize;
    m_table.resize(kSize + 3);
    for (size_t i = 0; i < m_table.size(); ++i) {
        m_table[i] = exact(static_cast<double>(i) * m_step * m_alpha);
    }
}

double MoffatTransform::operator()(double k) const {
    const double place = std::abs(k) / m_step;
    if (place >= static_cast<double>(m_table.size() - 2)) return 0.0;
    const auto i = static_cast<size_t>(place);
    const double t = place - static_cast<double>(i);
    return (1.0 - t) * m_table[i] + t * m_table[i + 1];
}

double MoffatTransform::value(double r) const {
    const double x = r / m_alpha;
    return (m_beta - 1.0) / (std::numbers::pi * m_alpha * m_alpha) * std::pow(1.0 + x * x, -m_beta);
}

double MoffatTransform::fluxBeyond(double r) const {
    const double x = r / m_alpha;
    return std::pow(1.0 + x * x, 1.0 - m_beta);
}

} // namespace blendscope
