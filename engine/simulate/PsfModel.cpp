#include "simulate/PsfModel.h"

#include "core/Error.h"
#include "simulate/FourierImage.h"

#include <algorithm>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kEnd = 1e-6;     // of a transform: what is below has no effect on a pixel
constexpr double kMostK = 4000.0; // radian per FWHM
constexpr int kRadii = 25;

double radius(int i) {
    return std::exp2(0.5 * i - 2.0);
}

void checkWidth(double width) {
    if (!(width > 0.0) || !std::isfinite(width)) throw UsageError(QStringLiteral("a PSF's FWHM is %1").arg(width));
}

/// Area that two circles of radius a and b share at a distance d.
double lens(double a, double b, double d) {
    if (d >= a + b) return 0.0;
    const double small = std::min(a, b);
    if (d <= std::abs(a - b)) return kPi * small * small;
    const double ca = std::clamp((d * d + a * a - b * b) / (2.0 * d * a), -1.0, 1.0);
    const double cb = std::clamp((d * d + b * b - a * a) / (2.0 * d * b), -1.0, 1.0);
    const double s = (a + b - d) * (d + a - b) * (d - a + b) * (d + a + b);
    return a * a * std::acos(ca) + b * b * std::acos(cb) - 0.5 * std::sqrt(std::max(0.0, s));
}

} // namespace

double PsfModel::Radial::surface(double r) const {
    const double place = 2.0 * (std::log2(std::max(r, 1e-3)) + 2.0);
    if (place <= 0.0) return std::exp(logSurface.front());
    const auto i = static_cast<size_t>(std::min(place, static_cast<double>(logSurface.size()) - 2.0));
    const double t = place - static_cast<double>(i);
    return std::exp(std::max(-600.0, logSurface[i] + t * (logSurface[i + 1] - logSurface[i])));
}

double PsfModel::Radial::beyond(double r) const {
    double sum = 0.0;
    // Octave by octave the wings are power laws.
    for (double at = std::max(r, 0.05); at < 4000.0; at *= 1.25) {
        const double middle = at * std::sqrt(1.25);
        sum += 2.0 * kPi * middle * surface(middle) * 0.25 * at;
    }
    return std::min(sum, 1.0);
}

std::shared_ptr<const PsfModel::Radial> PsfModel::tabulate(const std::function<double(double)>& transform,
                                                           const std::function<double(double)>& surface) {
    auto out = std::make_shared<Radial>();
    double end = 1.0;
    while (end < kMostK && (std::abs(transform(end)) > kEnd || std::abs(transform(end * 0.97)) > kEnd)) {
        end *= 1.03;
    }
    out->cutoff = end;
    out->transform = RadialTable(transform, end);
    for (int i = 0; i < kRadii; ++i) {
        out->logSurface.push_back(std::log(std::max(surface(radius(i)), 1e-300)));
    }
    return out;
}

PsfModel PsfModel::of(std::shared_ptr<const Radial> radial, double scale) {
    PsfModel model;
    Part part;
    part.radial = std::move(radial);
    part.a = part.d = scale;
    model.m_parts.push_back(std::move(part));
    return model;
}

PsfModel::PsfModel(const MoffatTransform& moffat) {
    const double w = moffat.fwhm();
    *this =
        of(tabulate([&](double k) { return moffat(k / w); }, [&](double r) { return moffat.value(r * w) * w * w; }), w);
}

PsfModel PsfModel::moffat(double fwhm, double beta) {
    checkWidth(fwhm);
    return PsfModel(MoffatTransform(1.0, beta)).scaled(fwhm);
}

PsfModel PsfModel::gaussian(double fwhm) {
    checkWidth(fwhm);
    const double s2 = 1.0 / (8.0 * std::numbers::ln2);
    return of(tabulate([&](double k) { return std::exp(-0.5 * k * k * s2); },
                       [&](double r) { return std::exp(-0.5 * r * r / s2) / (2.0 * kPi * s2); }),
              fwhm);
}

PsfModel PsfModel::kolmogorov(double fwhm) {
    checkWidth(fwhm);
    // exp(-k^(5/3)) is a profile of this FWHM; found from its own Hankel transform, once.
    static const std::shared_ptr<const Radial> unit = [] {
        const auto raw = [](double k) { return std::exp(-std::pow(k, 5.0 / 3.0)); };
        const auto brightness = [&](double r) {
            double sum = 0.0;
            const int steps = 20000;
            const double dk = 8.0 / steps;
            for (int i = 0; i < steps; ++i) {
                const double k = (i + 0.5) * dk;
                sum += k * raw(k) * ::j0(k * r) * dk;
            }
            return sum / (2.0 * kPi);
        };
        const double half = 0.5 * brightness(0.0);
        double low = 0.5, high = 4.0;
        for (int i = 0; i < 50; ++i) {
            const double middle = 0.5 * (low + high);
            (brightness(middle) > half ? low : high) = middle;
        }
        const double width = 2.0 * low;
        // Beyond a few widths the profile falls as r^(-11/3), and the integral only shows its own noise.
        constexpr double kFar = 8.0;
        const double far = brightness(kFar * width) * width * width;
        return tabulate([&](double k) { return raw(k / width); },
                        [&](double r) {
                            return r < kFar ? brightness(r * width) * width * width
                                            : far * std::pow(r / kFar, -11.0 / 3.0);
                        });
    }();
    return of(unit, fwhm);
}

PsfModel PsfModel::airy(double lambdaOverDiameter, double obscuration) {
    checkWidth(lambdaOverDiameter);
    if (!(obscuration >= 0.0 && obscuration < 0.95)) {
        throw UsageError(QStringLiteral("an obscuration of %1 of the mirror's diameter").arg(obscuration));
    }
    const double o = obscuration;
    const auto overlap = [&](double k) {
        const double d = k / kPi; // shift of the pupil in units of its radius 1, k in radian per lambda / D
        const double open = kPi * (1.0 - o * o);
        return (lens(1.0, 1.0, d) - 2.0 * lens(1.0, o, d) + lens(o, o, d)) / open;
    };
    const auto brightness = [&](double r) {
        if (r > 3.0) return 0.2026 / ((1.0 - o) * 2.0 * kPi * r * r * r); // the rings' mean
        const double x = kPi * r;
        const auto jinc = [](double t) { return t < 1e-6 ? 1.0 : 2.0 * ::j1(t) / t; };
        const double amplitude = jinc(x) - o * o * jinc(o * x);
        return std::max(0.25 * kPi * amplitude * amplitude / (1.0 - o * o), 1e-3 / (1.0 + r * r * r));
    };
    return of(tabulate(overlap, brightness), lambdaOverDiameter);
}

PsfModel PsfModel::image(const Psf& psf) {
    if (!psf.known()) throw UsageError(QStringLiteral("a PSF image is empty"));
    PsfModel model;
    model.m_image = psf.image;
    model.m_imageFwhm = psf.fwhmPixels > 0.0 ? psf.fwhmPixels : measureFwhm(psf.image);
    return model;
}

PsfModel PsfModel::convolved(const PsfModel& other) const {
    if (!m_image.empty() && !other.m_image.empty()) {
        throw UsageError(QStringLiteral("two PSF images cannot be convolved with each other"));
    }
    PsfModel out = *this;
    if (m_image.empty()) {
        out.m_image = other.m_image;
        out.m_imageScale = other.m_imageScale;
        out.m_imageFwhm = other.m_imageFwhm;
    }
    out.m_parts.insert(out.m_parts.end(), other.m_parts.begin(), other.m_parts.end());
    return out;
}

PsfModel PsfModel::scaled(double factor) const {
    checkWidth(factor);
    PsfModel out = *this;
    for (Part& p : out.m_parts) {
        p.a *= factor;
        p.b *= factor;
        p.d *= factor;
    }
    out.m_imageScale *= factor;
    return out;
}

PsfModel PsfModel::sheared(double g1, double g2) const {
    const double g = g1 * g1 + g2 * g2;
    if (!(g < 0.81)) throw UsageError(QStringLiteral("a PSF cannot be sheared by %1").arg(std::sqrt(g)));
    const double norm = 1.0 / std::sqrt(1.0 - g);
    PsfModel out = *this;
    for (Part& p : out.m_parts) {
        // Shear after what is there already; small shears of sheared profiles commute well enough to stay symmetric.
        const double a = norm * (1.0 + g1), b = norm * g2, d = norm * (1.0 - g1);
        const Part old = p;
        p.a = a * old.a + b * old.b;
        p.b = 0.5 * (a * old.b + b * old.d + b * old.a + d * old.b);
        p.d = b * old.b + d * old.d;
    }
    return out;
}

double PsfModel::cutoff() const {
    double least = m_image.empty() ? 1e30 : kPi / m_imageScale;
    for (const Part& p : m_parts) {
        const double middle = 0.5 * (p.a + p.d);
        const double half = std::hypot(0.5 * (p.a - p.d), p.b);
        least = std::min(least, p.radial->cutoff / std::max(std::abs(middle) - half, 1e-9));
    }
    return least;
}

double PsfModel::fwhm() const {
    double sum = m_imageFwhm * m_imageScale * m_imageFwhm * m_imageScale;
    for (const Part& p : m_parts) {
        sum += p.length() * p.length();
    }
    return std::sqrt(sum);
}

double PsfModel::surface(double r) const {
    double sum = 0.0;
    for (const Part& p : m_parts) {
        const double s = p.length();
        sum += p.radial->surface(r / s) / (s * s);
    }
    if (!m_image.empty()) {
        const int c = m_image.cols / 2;
        const int at = static_cast<int>(std::lround(r / m_imageScale));
        if (at <= c) {
            const float* row = m_image.ptr<float>(m_image.rows / 2);
            const double value = std::max({row[c + at], row[c - at], 0.0f});
            sum += value / (m_imageScale * m_imageScale);
        }
    }
    return sum;
}

double PsfModel::fluxBeyond(double r) const {
    double sum = 0.0;
    for (const Part& p : m_parts) {
        sum += p.radial->beyond(r / p.length());
    }
    if (!m_image.empty() && 0.5 * m_image.cols * m_imageScale > r) {
        cv::Mat inside = m_image;
        const int half = std::min(static_cast<int>(r / m_imageScale), m_image.cols / 2);
        const int cx = m_image.cols / 2, cy = m_image.rows / 2, hy = std::min(half, m_image.rows / 2);
        inside = m_image(cv::Rect(cx - half, cy - hy, 2 * half + 1, 2 * hy + 1));
        sum += std::max(0.0, 1.0 - cv::sum(inside)[0]);
    }
    return std::min(sum, 1.0);
}

void PsfModel::row(const float* kx, int count, float ky, float* out) const {
    std::fill(out, out + count, 1.0f);
    for (const Part& p : m_parts) {
        const RadialTable& table = p.radial->transform;
        const auto a = static_cast<float>(p.a), b = static_cast<float>(p.b), d = static_cast<float>(p.d);
        for (int i = 0; i < count; ++i) {
            const float u = a * kx[i] + b * ky, v = b * kx[i] + d * ky;
            out[i] *= table(u * u + v * v);
        }
    }
}

cv::Mat PsfModel::imageTransform(const std::vector<double>& kx, const std::vector<double>& ky) const {
    if (m_image.empty()) return {};
    cv::Mat out = fourierImage(m_image, m_imageScale, {0.5 * (m_image.cols - 1), 0.5 * (m_image.rows - 1)}, kx, ky);
    const double end = kPi / m_imageScale * (1.0 - 1e-9);
    for (int v = 0; v < out.rows; ++v) {
        auto* row = out.ptr<cv::Vec2f>(v);
        const bool beyond = std::abs(ky[static_cast<size_t>(v)]) >= end;
        for (int u = 0; u < out.cols; ++u) {
            if (beyond || std::abs(kx[static_cast<size_t>(u)]) >= end) row[u] = {0.0f, 0.0f};
        }
    }
    return out;
}

} // namespace blendscope
