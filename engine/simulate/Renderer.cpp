#include "simulate/Renderer.h"

#include "core/Error.h"
#include "core/LogGamma.h"
#include "simulate/FourierImage.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kFaintestSigma = 0.02; // surface brightness at which an object ends, in sky sigmas a pixel
constexpr int kLeastSide = 32;
constexpr double kMostK = 24.0 * kPi;  // radian per pixel: what narrower PSFs have beyond, the pixels wash out
constexpr double kMostWaves = 3072.0;  // across a box: bounds the work
constexpr double kLeastWidening = 1.5; // of a PSF against that which a picture carries already
constexpr double kSersicMostK = 1e5;   // radian per half-light radius

double sinc(double half) {
    return std::abs(half) < 1e-6 ? 1.0 - half * half / 6.0 : std::sin(half) / half;
}

/// Radius at which `brightness` falls below `limit` for good, at most `most`.
template <typename Brightness>
double outermost(Brightness brightness, double start, double limit, double most) {
    double r = start;
    while (r < most && brightness(r) > limit) {
        r *= 1.15;
    }
    return r;
}

/// Where a map's light ends, in its own pixels from its centre.
double mapReach(const LightMap& map, double flux, double limit) {
    double most = 0.0;
    for (int y = 0; y < map.pixels.rows; ++y) {
        const float* row = map.pixels.ptr<float>(y);
        const double dy = y - map.centre.y;
        for (int x = 0; x < map.pixels.cols; ++x) {
            if (flux * std::abs(row[x]) > limit) {
                const double dx = x - map.centre.x;
                most = std::max(most, dx * dx + dy * dy);
            }
        }
    }
    return std::sqrt(most);
}

} // namespace

SersicBank::SersicBank(const std::vector<double>& indices) {
    for (const double n : indices) {
        if (m_entries.contains(n)) continue;
        const SersicTransform transform(n);
        Entry entry;
        entry.transform = RadialTable(transform, kSersicMostK);
        entry.b = sersicB(n);
        entry.logNorm = 2.0 * n * std::log(entry.b) - std::log(2.0 * kPi * n) - logGamma(2.0 * n);
        m_entries.emplace(n, std::move(entry));
    }
}

const SersicBank::Entry& SersicBank::at(double n) const {
    const auto it = m_entries.find(n);
    if (it == m_entries.end()) throw UsageError(QStringLiteral("Sersic index %1 was not announced").arg(n));
    return it->second;
}

Renderer::Renderer(double pixelScaleArcsec, std::vector<PsfModel> psfs, const std::vector<double>& indices,
                   std::vector<double> sigma)
    : Renderer(pixelScaleArcsec, std::move(psfs), std::make_shared<SersicBank>(indices), std::move(sigma)) {}

Renderer::Renderer(double pixelScaleArcsec, std::vector<PsfModel> psfs, std::shared_ptr<const SersicBank> bank,
                   std::vector<double> sigma, Optics optics)
    : m_scale(pixelScaleArcsec), m_psf(std::move(psfs)), m_bank(std::move(bank)), m_sigma(std::move(sigma)),
      m_optics(std::move(optics)) {
    if (!(m_scale > 0.0)) throw UsageError(QStringLiteral("a pixel scale is %1").arg(m_scale));
    if (m_sigma.size() != m_psf.size()) {
        throw UsageError(QStringLiteral("%1 PSFs but %2 noise levels").arg(m_psf.size()).arg(m_sigma.size()));
    }
    if (!m_optics.offsets.empty() && m_optics.offsets.size() != m_psf.size()) {
        throw UsageError(QStringLiteral("%1 PSFs but %2 offsets").arg(m_psf.size()).arg(m_optics.offsets.size()));
    }
}

int Renderer::sideFor(const Galaxy& galaxy, int most) const {
    double reach = 0.0;
    for (size_t band = 0; band < m_psf.size(); ++band) {
        const PsfModel& psf = m_psf[band];
        const double fwhm = psf.fwhm();
        const double limit = kFaintestSigma * std::max(m_sigma[band], 1e-30);
        reach = std::max(reach, 2.5 * fwhm);
        // Far out the wings are those of the PSF around all the light, or those of the profile itself.
        const double total = galaxy.totalFlux(band);
        reach = std::max(reach, outermost([&](double r) { return total * psf.surface(r); }, fwhm, limit, most));
        for (const SersicComponent& c : galaxy.components) {
            const double a = c.aArcsec / m_scale, b = std::max(c.bArcsec / m_scale, 0.05 * a);
            if (!(a > 0.0) || !(c.flux[band] > 0.0)) continue;
            const SersicBank::Entry& sersic = m_bank->at(c.n);
            const double logNorm = sersic.logNorm - std::log(a * b);
            const auto brightness = [&](double r) {
                const double s = std::max(0.0, r - fwhm) / a;
                return c.flux[band] * std::exp(logNorm - sersic.b * std::pow(s, 1.0 / c.n));
            };
            reach = std::max({reach, 2.0 * a + fwhm, outermost(brightness, a, limit, most)});
        }
        for (const LightMap& m : galaxy.maps) {
            if (m.flux[band] == 0.0) continue;
            const double pitch = m.pitchArcsec / m_scale;
            reach = std::max(reach, mapReach(m, m.flux[band], limit * pitch * pitch) * pitch + fwhm);
        }
    }
    const int side =
        cv::getOptimalDFTSize(std::clamp(static_cast<int>(2.0 * reach) + 2, kLeastSide, std::max(most, kLeastSide)));
    return side + side % 2;
}

std::vector<cv::Mat> Renderer::render(const Galaxy& galaxy, double x, double y, int side,
                                      const std::vector<size_t>& bands, const std::vector<PsfModel>& psfs) const {
    using Complex = std::complex<float>;
    double cutoff = 0.0;
    for (const size_t band : bands) {
        cutoff = std::max(cutoff, psfs[band].cutoff());
    }
    // A large box is there for a large object, which has next to nothing at the highest frequencies.
    cutoff = std::min({cutoff, kMostK, 2.0 * kPi * kMostWaves / side});

    // An image is real: half of the plane of frequencies, kx >= 0, tells all.
    const int most = static_cast<int>(cutoff * side / (2.0 * kPi));
    const int nx = most + 1, ny = 2 * most + 1;
    std::vector<double> kx(static_cast<size_t>(nx)), ky(static_cast<size_t>(ny));
    std::vector<float> kxf(kx.size()), responseX(kx.size());
    std::vector<Complex> phaseX(kx.size());
    for (int u = 0; u < nx; ++u) {
        const auto i = static_cast<size_t>(u);
        kx[i] = 2.0 * kPi * u / side;
        kxf[i] = static_cast<float>(kx[i]);
        responseX[i] = static_cast<float>(sinc(0.5 * kx[i]));
        phaseX[i] = Complex(std::polar(1.0, -kx[i] * x));
    }
    for (int v = -most; v <= most; ++v) {
        ky[static_cast<size_t>(v + most)] = 2.0 * kPi * v / side;
    }

    struct Shape {
        const RadialTable* table;
        float xx, xy, yx, yy; ///< k in half-light radii along the axes
    };
    std::vector<Shape> shapes;
    for (const SersicComponent& c : galaxy.components) {
        const double angle = c.angle * kPi / 180.0, a = c.aArcsec / m_scale, b = c.bArcsec / m_scale;
        shapes.push_back({&m_bank->at(c.n).transform, static_cast<float>(a * std::cos(angle)),
                          static_cast<float>(a * std::sin(angle)), static_cast<float>(-b * std::sin(angle)),
                          static_cast<float>(b * std::cos(angle))});
    }
    std::vector<cv::Mat> maps;
    for (const LightMap& m : galaxy.maps) {
        maps.push_back(fourierImage(m.pixels, m.pitchArcsec / m_scale, m.centre, kx, ky));
        if (!m.seen) continue;
        const PsfModel seen = m.seen->scaled(1.0 / m_scale);
        for (const size_t band : bands) {
            if (psfs[band].fwhm() >= kLeastWidening * seen.fwhm()) continue;
            throw UsageError(QStringLiteral("a picture of a galaxy was seen with %1 arcsec: a PSF of %2 arcsec is too "
                                            "sharp for it")
                                 .arg(seen.fwhm() * m_scale, 0, 'g', 3)
                                 .arg(psfs[band].fwhm() * m_scale, 0, 'g', 3));
        }
        std::vector<float> transform(kxf.size());
        for (int v = 0; v < ny; ++v) {
            seen.row(kxf.data(), nx, static_cast<float>(ky[static_cast<size_t>(v)]), transform.data());
            auto* row = maps.back().ptr<cv::Vec2f>(v);
            for (int u = 0; u < nx; ++u) {
                // Beyond what the picture resolves there is only its noise.
                const float t = transform[static_cast<size_t>(u)];
                row[u] *= t > 0.1f ? 1.0f / t : 0.0f;
            }
        }
    }
    std::vector<cv::Mat> psfImages;
    for (const size_t band : bands) {
        psfImages.push_back(psfs[band].imageTransform(kx, ky));
    }
    std::vector<std::vector<Complex>> offsetX(bands.size());
    for (size_t i = 0; i < bands.size() && !m_optics.offsets.empty(); ++i) {
        for (const double k : kx) {
            offsetX[i].push_back(Complex(std::polar(1.0, -k * m_optics.offsets[bands[i]].x)));
        }
    }

    // Two bands share one transform: one becomes its real part, the other its imaginary part.
    const size_t pairs = (bands.size() + 1) / 2;
    std::vector<cv::Mat> sums(pairs);
    for (cv::Mat& m : sums) {
        m = cv::Mat::zeros(side, side, CV_32FC2);
    }
    const auto width = static_cast<size_t>(nx);
    std::vector<float> psfRow(width), profileRow(width);
    std::vector<std::vector<float>> smooth(bands.size(), std::vector<float>(width));
    std::vector<std::vector<Complex>> row(bands.size(), std::vector<Complex>(width));
    for (int v = 0; v < ny; ++v) {
        const double k = ky[static_cast<size_t>(v)];
        const auto kf = static_cast<float>(k);
        const double rest = cutoff * cutoff - k * k;
        if (rest < 0.0) continue;
        const int count = std::min(nx, static_cast<int>(std::sqrt(rest) * side / (2.0 * kPi)) + 1);

        for (size_t i = 0; i < bands.size(); ++i) {
            const auto point = static_cast<float>(galaxy.pointFlux.empty() ? 0.0 : galaxy.pointFlux[bands[i]]);
            std::fill(smooth[i].begin(), smooth[i].begin() + count, point);
        }
        for (size_t s = 0; s < shapes.size(); ++s) {
            const Shape& shape = shapes[s];
            for (int u = 0; u < count; ++u) {
                const float p = shape.xx * kxf[static_cast<size_t>(u)] + shape.xy * kf;
                const float q = shape.yx * kxf[static_cast<size_t>(u)] + shape.yy * kf;
                profileRow[static_cast<size_t>(u)] = (*shape.table)(p * p + q * q);
            }
            for (size_t i = 0; i < bands.size(); ++i) {
                const auto flux = static_cast<float>(galaxy.components[s].flux[bands[i]]);
                float* to = smooth[i].data();
                for (int u = 0; u < count; ++u) {
                    to[u] += flux * profileRow[static_cast<size_t>(u)];
                }
            }
        }
        const Complex phaseY(std::polar(1.0, -k * y));
        const auto responseY = static_cast<float>(sinc(0.5 * k));
        for (size_t i = 0; i < bands.size(); ++i) {
            const PsfModel& psf = psfs[bands[i]];
            psf.row(kxf.data(), count, kf, psfRow.data());
            if (!psf.includesPixel()) {
                for (int u = 0; u < count; ++u) {
                    psfRow[static_cast<size_t>(u)] *= responseX[static_cast<size_t>(u)] * responseY;
                }
            }
            Complex* to = row[i].data();
            if (maps.empty()) {
                for (int u = 0; u < count; ++u) {
                    to[u] = phaseX[static_cast<size_t>(u)] *
                            (smooth[i][static_cast<size_t>(u)] * psfRow[static_cast<size_t>(u)]);
                }
            } else {
                for (int u = 0; u < count; ++u) {
                    to[u] = smooth[i][static_cast<size_t>(u)];
                }
                for (size_t m = 0; m < maps.size(); ++m) {
                    const auto flux = static_cast<float>(galaxy.maps[m].flux[bands[i]]);
                    const auto* from = maps[m].ptr<Complex>(v);
                    for (int u = 0; u < count; ++u) {
                        to[u] += flux * from[u];
                    }
                }
                for (int u = 0; u < count; ++u) {
                    to[u] *= phaseX[static_cast<size_t>(u)] * psfRow[static_cast<size_t>(u)];
                }
            }
            if (!psfImages[i].empty()) {
                const auto* from = psfImages[i].ptr<Complex>(v);
                for (int u = 0; u < count; ++u) {
                    to[u] *= from[u];
                }
            }
            if (!offsetX[i].empty()) {
                const Complex shift(std::polar(1.0, -k * m_optics.offsets[bands[i]].y));
                for (int u = 0; u < count; ++u) {
                    to[u] *= offsetX[i][static_cast<size_t>(u)] * shift;
                }
            }
            for (int u = 0; u < count; ++u) {
                to[u] *= phaseY;
            }
        }
        // a + i b at k, conj(a) + i conj(b) at -k; frequencies beyond Nyquist fold back.
        const int signedV = v - most;
        const int here = ((signedV % side) + side) % side, there = (side - here) % side;
        for (size_t pair = 0; pair < pairs; ++pair) {
            const size_t i = 2 * pair;
            const Complex* a = row[i].data();
            const Complex* b = i + 1 < bands.size() ? row[i + 1].data() : nullptr;
            auto* to = sums[pair].ptr<cv::Vec2f>(here);
            auto* mirror = sums[pair].ptr<cv::Vec2f>(there);
            for (int u = 0; u < count; ++u) {
                const Complex p = a[u], q = b ? b[u] : Complex();
                const int column = u % side;
                to[column] += cv::Vec2f(p.real() - q.imag(), p.imag() + q.real());
                if (u > 0) {
                    mirror[(side - column) % side] += cv::Vec2f(p.real() + q.imag(), q.real() - p.imag());
                }
            }
        }
    }
    std::vector<cv::Mat> out;
    for (size_t pair = 0; pair < pairs; ++pair) {
        cv::dft(sums[pair], sums[pair], cv::DFT_INVERSE | cv::DFT_SCALE);
        std::vector<cv::Mat> parts;
        cv::split(sums[pair], parts);
        for (size_t i = 2 * pair; i < std::min(bands.size(), 2 * pair + 2); ++i) {
            out.push_back(parts[i % 2]);
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
    const double x = galaxy.x - drawing.box.x0, y = galaxy.y - drawing.box.y0;
    if (!m_optics.vary) {
        drawing.bands = render(galaxy, x, y, side, bands, m_psf);
    } else {
        std::vector<PsfModel> here;
        for (const size_t b : bands) {
            here.push_back(m_optics.vary(b, galaxy.x, galaxy.y, m_psf[b]));
        }
        drawing.bands = render(galaxy, x, y, side, bands, here);
    }
    return drawing;
}

Psf Renderer::psfOf(const PsfModel& model, int most) const {
    int size = 15;
    while (size + 2 <= most && model.fluxBeyond(0.5 * size) > 5e-4) {
        size += 2;
    }
    Galaxy star;
    star.pointFlux.assign(1, 1.0);
    // Room around it, so that wings that fold back stay outside.
    const int side = cv::getOptimalDFTSize(4 * size) / 2 * 2;
    const int centre = side / 2;
    const Renderer alone(m_scale, {model}, m_bank, {1.0});
    cv::Mat image = alone.render(star, centre, centre, side, {0}, alone.m_psf).front();
    image = image(cv::Rect(centre - size / 2, centre - size / 2, size, size)).clone();
    cv::max(image, 0.0, image);
    image *= 1.0 / cv::sum(image)[0];
    Psf out;
    out.image = image;
    out.fwhmPixels = measureFwhm(image);
    out.origin = Psf::Origin::Given;
    return out;
}

Psf Renderer::psf(int band, int most) const {
    return psfOf(m_psf.at(static_cast<size_t>(band)), most);
}

Psf Renderer::psfAt(int band, double x, double y, int most) const {
    const auto b = static_cast<size_t>(band);
    return psfOf(m_optics.vary ? m_optics.vary(b, x, y, m_psf.at(b)) : m_psf.at(b), most);
}

} // namespace blendscope
