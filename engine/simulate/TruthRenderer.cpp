#include "simulate/TruthRenderer.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "jobs/TaskPool.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

double column(const TruthObject& object, const QString& name, double otherwise = kNoValue) {
    const auto it = object.columns.constFind(name);
    return it != object.columns.constEnd() && std::isfinite(*it) ? *it : otherwise;
}

double column(const TruthObject& object, const char* name, double otherwise = kNoValue) {
    return column(object, QString::fromLatin1(name), otherwise);
}

bool isStar(const TruthObject& object) {
    return object.kind.startsWith(QLatin1String("star"), Qt::CaseInsensitive) ||
           object.kind.startsWith(QLatin1String("point"), Qt::CaseInsensitive);
}

double index(double value) {
    // Tables are rounded: a hundredth keeps the number of transforms small.
    return std::round(100.0 * std::clamp(value, 0.5, 8.0)) / 100.0;
}

/// Whether the row's angles run from east towards north: tables of LSST's injection of CatSim galaxies, known by their
/// radii. Its pixels say so (tests/engine/tst_TruthRenderer.cpp).
bool anglesOnSky(const TruthObject& object) {
    for (auto it = object.columns.begin(); it != object.columns.end(); ++it) {
        if (it.key().compare(QLatin1String("DiskHalfLightRadius"), Qt::CaseInsensitive) == 0) return true;
    }
    return false;
}

/// Deg from +x towards +y for one from east towards north at the object; without a WCS north is up, east left.
double pixelAngle(double angle, const TruthObject& object, const Wcs& wcs) {
    const double east = wcs.isValid() ? wcs.eastAngle(object.x, object.y) : 180.0;
    const double north = wcs.isValid() ? wcs.northAngle(object.x, object.y) : 90.0;
    const bool mirrored = std::sin((north - east) * CV_PI / 180.0) < 0.0;
    return std::fmod(east + (mirrored ? -angle : angle) + 720.0, 180.0);
}

/// A component of a truth row with its share of the flux.
struct Part {
    double n, a, b, angle;
};

struct Shape {
    std::vector<Part> parts; ///< disk, bulge
    double bulge = 0.0, agn = 0.0;
    bool hasBulge = false;
};

std::optional<Shape> shapeOf(const TruthObject& o) {
    Shape out;
    const double ad = column(o, "a_d", 0.0), ab = column(o, "a_b", 0.0);
    if (ad > 0.0 || ab > 0.0) {
        const auto minor = [](double b, double a) { return b > 0.0 ? std::min(b, a) : a; };
        const double disk = column(o, "fluxnorm_disk"), bulge = column(o, "fluxnorm_bulge"),
                     agn = column(o, "fluxnorm_agn", 0.0);
        double share = kNoValue;
        const double sum = std::max(disk, 0.0) + std::max(bulge, 0.0) + std::max(agn, 0.0);
        if (disk >= 0.0 && bulge >= 0.0 && sum > 0.0) {
            share = bulge / sum;
            out.agn = std::max(agn, 0.0) / sum;
        } else if (const double fraction = column(o, "btfrac"); std::isfinite(fraction)) {
            share = std::clamp(fraction, 0.0, 1.0);
        } else if (bulge > 0.0 && std::isfinite(column(o, "mag_i"))) {
            // The median of CatSim: -2.5 log10(fluxnorm) = i + 18.2.
            share = std::clamp(bulge / std::pow(10.0, -0.4 * (column(o, "mag_i") + 18.22)), 0.0, 1.0);
        } else {
            share = ad > 0.0 && ab > 0.0 && bulge > 0.0 ? 0.5 : bulge > 0.0 ? 1.0 : 0.0;
        }
        if (!(ad > 0.0)) share = 1.0 - out.agn;
        if (!(ab > 0.0)) share = 0.0;
        if (ad > 0.0) {
            out.parts.push_back(
                {index(column(o, "disk_n", 1.0)), ad, minor(column(o, "b_d", ad), ad), column(o, "pa_disk", 0.0)});
        }
        if (ab > 0.0 && share > 0.0) {
            out.parts.push_back(
                {index(column(o, "bulge_n", 4.0)), ab, minor(column(o, "b_b", ab), ab), column(o, "pa_bulge", 0.0)});
            out.hasBulge = true;
        }
        out.bulge = share;
        return out;
    }
    const double hlr = o.hlrArcsec > 0.0 ? o.hlrArcsec : column(o, "hlr", 0.0);
    if (!(hlr > 0.0)) return std::nullopt;
    const double e = std::clamp(column(o, "ellip", 0.0), 0.0, 0.95), root = std::sqrt((1.0 - e) / (1.0 + e));
    const double n = index(column(o, "sersic_n", column(o, "n", 1.0)));
    out.parts.push_back({n, hlr / std::sqrt(root), hlr * std::sqrt(root), column(o, "pa", 0.0)});
    return out;
}

} // namespace

TruthRenderer::TruthRenderer(const Scene& scene) : m_size(scene.size), m_scale(scene.pixelScale) {
    if (!scene.truth) throw UsageError(QStringLiteral("the scene has no truth to draw"));
    if (!(m_scale > 0.0)) {
        throw UsageError(QStringLiteral("the scene's pixel scale is unknown: sizes in arcsec cannot be drawn"));
    }
    m_objects = scene.truth->objects;
    m_wcs = scene.wcs;
    std::vector<PsfModel> psfs;
    std::vector<double> sigma;
    for (const Band& band : scene.bands) {
        m_bandNames.push_back(band.name);
        m_rendered.push_back(band.psf.known() ? static_cast<int>(psfs.size()) : -1);
        if (!band.psf.known()) continue;
        psfs.push_back(PsfModel::image(band.psf));
        // The least noise of a coarse grid decides how far out objects are drawn.
        double least = 0.0;
        if (band.variance) {
            const int step = std::max({1, m_size.width / 8, m_size.height / 8});
            const cv::Mat some = band.variance->readSampled(scene.box(), step);
            for (int y = 0; y < some.rows; ++y) {
                for (int x = 0; x < some.cols; ++x) {
                    const double v = some.at<float>(y, x);
                    if (v > 0.0 && std::isfinite(v) && (least == 0.0 || v < least)) least = v;
                }
            }
        }
        sigma.push_back(least > 0.0 ? std::sqrt(least) : 1e-3);
    }
    std::vector<double> indices;
    for (const TruthObject& o : m_objects) {
        if (const auto shape = shapeOf(o)) {
            for (const Part& p : shape->parts) {
                indices.push_back(p.n);
            }
        }
    }
    if (!psfs.empty()) m_renderer.emplace(m_scale, std::move(psfs), indices, std::move(sigma));
}

QString TruthRenderer::problem(const TruthObject& object) const {
    if (!m_renderer) return QStringLiteral("no band of the scene has a PSF");
    if (!std::isfinite(object.x) || !std::isfinite(object.y)) return QStringLiteral("the object has no position");
    if (column(object, "irregular", 0.0) > 0.0) {
        return QStringLiteral("object %1 is irregular: its row does not say where its light is").arg(object.id);
    }
    if (!isStar(object) && !shapeOf(object)) {
        return QStringLiteral("object %1 has no size in the truth table").arg(object.id);
    }
    bool any = false;
    for (size_t b = 0; b < m_rendered.size(); ++b) {
        any = any || (m_rendered[b] >= 0 && b < object.flux.size() && std::isfinite(object.flux[b]));
    }
    if (!any) return QStringLiteral("object %1 has no flux in a band with a PSF").arg(object.id);
    return {};
}

std::optional<Galaxy> TruthRenderer::galaxy(const TruthObject& object) const {
    if (!problem(object).isEmpty()) return std::nullopt;
    Galaxy g;
    g.star = isStar(object);
    g.x = object.x;
    g.y = object.y;
    const std::optional<Shape> shape = g.star ? std::nullopt : shapeOf(object);
    if (shape) {
        for (const Part& p : shape->parts) {
            SersicComponent c;
            c.n = p.n;
            c.aArcsec = p.a;
            c.bArcsec = p.b;
            c.angle = anglesOnSky(object) ? pixelAngle(p.angle, object, m_wcs) : p.angle;
            g.components.push_back(c);
        }
    }
    for (size_t b = 0; b < m_rendered.size(); ++b) {
        if (m_rendered[b] < 0) continue;
        const double given = b < object.flux.size() ? object.flux[b] : kNoValue;
        const double flux = std::isfinite(given) ? given : 0.0;
        if (!shape) {
            g.pointFlux.push_back(flux);
            continue;
        }
        const double bulge = shape->hasBulge
                                 ? std::clamp(column(object, QStringLiteral("btfrac_") + m_bandNames[b], shape->bulge),
                                              0.0, 1.0 - shape->agn)
                                 : 0.0;
        if (shape->agn > 0.0) g.pointFlux.push_back(flux * shape->agn);
        if (g.components.size() == 1) {
            g.components[0].flux.push_back(flux * (1.0 - shape->agn));
        } else {
            g.components[0].flux.push_back(flux * (1.0 - shape->agn - bulge));
            g.components[1].flux.push_back(flux * bulge);
        }
    }
    return g;
}

Renderer::Drawing TruthRenderer::draw(const TruthObject& object, int mostPixels) const {
    const std::optional<Galaxy> g = galaxy(object);
    if (!g) throw UsageError(problem(object));
    const Renderer::Drawing drawn = m_renderer->draw(*g, mostPixels);
    Renderer::Drawing out;
    out.box = drawn.box;
    for (size_t b = 0; b < m_rendered.size(); ++b) {
        const bool has = m_rendered[b] >= 0 && b < object.flux.size() && std::isfinite(object.flux[b]);
        out.bands.push_back(has ? drawn.bands[static_cast<size_t>(m_rendered[b])] : cv::Mat());
    }
    return out;
}

std::vector<std::vector<PlanePtr>> TruthRenderer::isolated(int threads) const {
    std::vector<std::vector<PlanePtr>> out(m_rendered.size(), std::vector<PlanePtr>(m_objects.size()));
    TaskPool::shared().parallelFor(
        static_cast<int>(m_objects.size()),
        [&](int k) {
            const auto i = static_cast<size_t>(k);
            if (!problem(m_objects[i]).isEmpty()) return;
            const Renderer::Drawing drawing = draw(m_objects[i]);
            for (size_t b = 0; b < drawing.bands.size(); ++b) {
                if (drawing.bands[b].empty()) continue;
                out[b][i] = std::make_shared<CutoutPlane>(m_size, drawing.bands[b], drawing.box.x0, drawing.box.y0);
            }
        },
        threads);
    return out;
}

} // namespace blendscope
