#include "simulate/Renderer.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kFaintestSigma = 0.02; // surface brightness at which an object ends, in sky sigmas a pixel
constexpr int kLeastSide = 32;

double sinc(double half) {
    return std::abs(half) < 1e-6 ? 1.0 - half * half / 6.0 : std::sin(half) / half;
}

} // namespace

Renderer::Renderer(double pixelScaleArcsec, std::vector<MoffatTransform> psfPixels, const std::vector<double>& indices,
                   std::vector<double> sigma)
    : m_scale(pixelScaleArcsec), m_psf(std::move(psfPixels)), m_sigma(std::move(sigma)) {
    if (!(m_scale > 0.0)) throw UsageError(QStringLiteral("a pixel scale is %1").arg(m_scale));
    if (m_sigma.size() != m_psf.size()) {
        throw UsageError(QStringLiteral("%1 PSFs but %2 noise levels").arg(m_psf.size()).arg(m_sigma.size()));
    }
    for (const double n : indices) {
        m_transforms.try_emplace(n, n);
        m_b.try_emplace(n, sersicB(n));
    }
}

const SersicTransform& Renderer::transform(double n) const {
    const auto it = m_transforms.find(n);
    if (it == m_transforms.end()) throw UsageError(QStringLiteral("Sersic index %1 was not announced").arg(n));
    return it->second;
}

int Renderer::sideFor(const Galaxy& galaxy, int most) const {
    double reach = 0.0;
    for (size_t band = 0; band < m_psf.size(); ++band) {
        const MoffatTransform& psf = m_psf[band];
        const double limit = kFaintestSigma * std::max(m_sigma[band], 1e-30);
        reach = std::max(reach, 2.5 * psf.fwhm());
        // Far out the wings are those of the PSF around all the light, or those of the profile itself.
        const double total = galaxy.totalFlux(band);
        const auto outermost = [&](auto brightness, double start) {
            double r = start;
            while (r < most && brightness(r) > limit) {
                r *= 1.15;
            }
            return r;
        };
        reach = std::max(reach, outermost([&](double r) { return total * psf.value(r); }, psf.fwhm()));
        for (const SersicComponent& c : galaxy.components) {
            const double a = c.aArcsec / m_scale, b = std::max(c.bArcsec / m_scale, 0.05 * a);
            if (!(a > 0.0) || !(c.flux[band] > 0.0)) continue;
            const double bn = m_b.at(c.n);
            const double logNorm =
                2.0 * c.n * std::log(bn) - std::log(2.0 * kPi * c.n * a * b) - std::lgamma(2.0 * c.n);
            reach = std::max(reach, 2.0 * a + psf.fwhm());
            reach = std::max(reach, outermost(
                                        [&](double r) {
                                            const double s = std::max(0.0, r - psf.fwhm()) / a;
                                            return c.flux[band] * std::exp(logNorm - bn * std::pow(s, 1.0 / c.n));
                                        },
                                        a));
        }
    }
    const int side =
        cv::getOptimalDFTSize(std::clamp(static_cast<int>(2.0 * reach) + 2, kLeastSide, std::max(most, kLeastSide)));
    return side + side % 2;
}

std::vector<cv::Mat> Renderer::render(const Galaxy& galaxy, double x, double y, int side,
                                      const std::vector<size_t>& bands) const {
    using Complex = std::complex<double>;
    double cutoff = 0.0;
    for (const size_t band : bands) {
        cutoff = std::max(cutoff, m_psf[band].cutoff());
    }
    // The pixel's own transform ends a PSF that is narrower than the pixels.
    cutoff = std::min(cutoff, 24.0 * kPi);
    const int folds = static_cast<int>((cutoff + kPi) / (2.0 * kPi));

    struct Shape {
        const SersicTransform* transform;
        double cosine, sine, a, b;
    };
    std::vector<Shape> shapes;
    for (const SersicComponent& c : galaxy.components) {
        const double angle = c.angle * kPi / 180.0;
        shapes.push_back({&transform(c.n), std::cos(angle), std::sin(angle), c.aArcsec / m_scale, c.bArcsec / m_scale});
    }

    // Frequencies of one axis with the folds side by side, their phases and pixel responses.
    struct Axis {
        std::vector<double> k, response;
        std::vector<Complex> phase;
    };
    const auto axisFor = [&](double centre) {
        Axis axis;
        for (int fold = -folds; fold <= folds; ++fold) {
            for (int j = 0; j < side; ++j) {
                const int signedJ = j < side / 2 ? j : j - side;
                const double k = 2.0 * kPi * (static_cast<double>(signedJ) / side + fold);
                axis.k.push_back(k);
                axis.response.push_back(sinc(0.5 * k));
                axis.phase.push_back(std::polar(1.0, -k * centre));
            }
        }
        return axis;
    };
    const Axis ax = axisFor(x), ay = axisFor(y);

    // Two bands share one transform: one becomes its real part, the other its imaginary part.
    const size_t pairs = (bands.size() + 1) / 2;
    std::vector<cv::Mat> sums(pairs);
    for (cv::Mat& m : sums) {
        m = cv::Mat::zeros(side, side, CV_64FC2);
    }
    std::vector<double> amplitude(bands.size());
    const int span = side * (2 * folds + 1);
    for (int v = 0; v < span; ++v) {
        const double ky = ay.k[static_cast<size_t>(v)];
        if (std::abs(ky) > cutoff) continue;
        for (int u = 0; u < span; ++u) {
            const double kx = ax.k[static_cast<size_t>(u)];
            const double k = std::hypot(kx, ky);
            if (k > cutoff) continue;
            for (size_t i = 0; i < bands.size(); ++i) {
                amplitude[i] = galaxy.pointFlux.empty() ? 0.0 : galaxy.pointFlux[bands[i]];
            }
            for (size_t s = 0; s < shapes.size(); ++s) {
                const Shape& shape = shapes[s];
                const double p = (kx * shape.cosine + ky * shape.sine) * shape.a;
                const double q = (ky * shape.cosine - kx * shape.sine) * shape.b;
                const double value = (*shape.transform)(std::sqrt(p * p + q * q));
                for (size_t i = 0; i < bands.size(); ++i) {
                    amplitude[i] += value * galaxy.components[s].flux[bands[i]];
                }
            }
            const Complex phase = ax.phase[static_cast<size_t>(u)] * ay.phase[static_cast<size_t>(v)] *
                                  (ax.response[static_cast<size_t>(u)] * ay.response[static_cast<size_t>(v)]);
            for (size_t pair = 0; pair < pairs; ++pair) {
                const size_t i = 2 * pair;
                const double re = amplitude[i] * m_psf[bands[i]](k);
                const double im = i + 1 < bands.size() ? amplitude[i + 1] * m_psf[bands[i + 1]](k) : 0.0;
                sums[pair].ptr<Complex>(v % side)[u % side] += phase * Complex(re, im);
            }
        }
    }
    std::vector<cv::Mat> out;
    for (size_t pair = 0; pair < pairs; ++pair) {
        cv::dft(sums[pair], sums[pair], cv::DFT_INVERSE | cv::DFT_SCALE);
        std::vector<cv::Mat> parts;
        cv::split(sums[pair], parts);
        for (size_t i = 2 * pair; i < std::min(bands.size(), 2 * pair + 2); ++i) {
            cv::Mat image;
            parts[i % 2].convertTo(image, CV_32F);
            out.push_back(image);
        }
    }
    return out;
}

Renderer::Drawing Renderer::draw(const Galaxy& galaxy, int mostPixels) const {
    const int side = sideFor(galaxy, mostPixels);
    Drawing drawing;
    drawing.box = {static_cast<int>(std::floor(galaxy.x + 0.5)) - side / 2,
                   static_cast<int>(std::floor(galaxy.y + 0.5)) - side / 2, side, side};
    std::vector<size_t> bands(m_psf.size());
    for (size_t b = 0; b < bands.size(); ++b) {
        bands[b] = b;
    }
    drawing.bands = render(galaxy, galaxy.x - drawing.box.x0, galaxy.y - drawing.box.y0, side, bands);
    return drawing;
}

Psf Renderer::psf(int band, int most) const {
    const MoffatTransform& moffat = m_psf.at(static_cast<size_t>(band));
    int size = 15;
    while (size + 2 <= most && moffat.fluxBeyond(0.5 * size) > 5e-4) {
        size += 2;
    }
    Galaxy star;
    star.pointFlux.assign(m_psf.size(), 1.0);
    // Room around it, so that wings that fold back stay outside.
    const int side = cv::getOptimalDFTSize(4 * size) / 2 * 2;
    const int centre = side / 2;
    cv::Mat image = render(star, centre, centre, side, {static_cast<size_t>(band)}).front();
    image = image(cv::Rect(centre - size / 2, centre - size / 2, size, size)).clone();
    cv::max(image, 0.0, image);
    image *= 1.0 / cv::sum(image)[0];
    Psf out;
    out.image = image;
    out.fwhmPixels = moffat.fwhm();
    out.origin = Psf::Origin::Given;
    return out;
}

} // namespace blendscope
