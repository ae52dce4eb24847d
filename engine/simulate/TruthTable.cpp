#include "simulate/TruthTable.h"

#include <QHash>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

/// Flux-averaged shape as truth tables give it.
void putShape(const Galaxy& g, size_t band, QMap<QString, double>& columns) {
    double sum = 0.0, hlr = 0.0, ellip = 0.0, bulge = 0.0;
    std::vector<SersicComponent> components = g.components;
    if (!g.maps.empty()) components.insert(components.begin(), g.mapDisk);
    for (const SersicComponent& c : components) {
        const double f = c.flux[band];
        sum += f;
        hlr += f * std::sqrt(c.aArcsec * c.bArcsec);
        ellip += f * (c.aArcsec - c.bArcsec) / (c.aArcsec + c.bArcsec);
        const bool isBulge = c.n > 2.0;
        if (isBulge) bulge += f;
        const QString part = isBulge ? QStringLiteral("b") : QStringLiteral("d");
        columns[QStringLiteral("a_") + part] = c.aArcsec;
        columns[QStringLiteral("b_") + part] = c.bArcsec;
        columns[isBulge ? QStringLiteral("pa_bulge") : QStringLiteral("pa_disk")] = c.angle;
    }
    for (const char* key : {"a_d", "b_d", "a_b", "b_b", "pa_disk", "pa_bulge"}) {
        if (!columns.contains(QLatin1String(key))) columns[QLatin1String(key)] = 0.0;
    }
    columns[QStringLiteral("hlr")] = sum > 0.0 ? hlr / sum : 0.0;
    columns[QStringLiteral("ellip")] = sum > 0.0 ? ellip / sum : 0.0;
    columns[QStringLiteral("btfrac")] = sum > 0.0 ? bulge / sum : 0.0;
    if (std::isfinite(g.hlrArcsec) && sum > 0.0) {
        // What the maps hold is no exponential any more.
        const double own = g.mapDisk.flux[band];
        columns[QStringLiteral("hlr")] =
            (hlr + own * (g.hlrArcsec - std::sqrt(g.mapDisk.aArcsec * g.mapDisk.bArcsec))) / sum;
    }
    columns[QStringLiteral("irregular")] = g.maps.empty() ? 0.0 : 1.0;
    columns[QStringLiteral("pa")] = components.empty() ? 0.0 : components.front().angle;
    const double point = band < g.pointFlux.size() ? g.pointFlux[band] : 0.0, all = sum + point;
    columns[QStringLiteral("fluxnorm_bulge")] = all > 0.0 ? bulge / all : 0.0;
    columns[QStringLiteral("fluxnorm_disk")] = all > 0.0 ? (sum - bulge) / all : 0.0;
    columns[QStringLiteral("fluxnorm_agn")] = all > 0.0 ? point / all : 0.0;
}

double bulgeShare(const Galaxy& g, size_t band) {
    double bulge = 0.0;
    for (const SersicComponent& c : g.components) {
        if (c.n > 2.0) bulge += c.flux[band];
    }
    const double total = g.totalFlux(band);
    return total > 0.0 ? bulge / total : 0.0;
}

} // namespace

double detectionSnr(const Survey& survey, const std::vector<double>& squares, const std::vector<double>& sigma) {
    double chosen = 0.0, all = 0.0;
    for (size_t b = 0; b < squares.size(); ++b) {
        const double snr2 = squares[b] / (sigma[b] * sigma[b]);
        all += snr2;
        if (QStringLiteral("gri").contains(survey.bands[b].name.toLower())) chosen += snr2;
    }
    return std::sqrt(chosen > 0.0 ? chosen : all);
}

size_t referenceBand(const Survey& survey) {
    size_t best = 0;
    for (size_t b = 1; b < survey.bands.size(); ++b) {
        if (std::abs(survey.bands[b].wavelength - 756.0) < std::abs(survey.bands[best].wavelength - 756.0)) best = b;
    }
    return best;
}

TruthObject truthOf(const Galaxy& galaxy, int id, const Survey& survey, const Wcs& wcs,
                    const std::vector<double>& squares, const std::vector<double>& sigma) {
    TruthObject t;
    t.id = id;
    t.kind = galaxy.star ? QStringLiteral("star") : QStringLiteral("gal");
    t.x = galaxy.x;
    t.y = galaxy.y;
    QMap<QString, double>& c = t.columns;
    putShape(galaxy, referenceBand(survey), c);
    t.hlrArcsec = c.value(QStringLiteral("hlr"));
    c[QStringLiteral("obj_id")] = id;
    c[QStringLiteral("x")] = galaxy.x;
    c[QStringLiteral("y")] = galaxy.y;
    c[QStringLiteral("z")] = galaxy.redshift;
    if (const auto position = wcs.toSky(galaxy.x, galaxy.y)) {
        c[QStringLiteral("ra")] = position->ra;
        c[QStringLiteral("dec")] = position->dec;
    }
    for (size_t b = 0; b < survey.bands.size(); ++b) {
        const QString& name = survey.bands[b].name;
        t.flux.push_back(galaxy.totalFlux(b));
        c[QStringLiteral("flux_") + name] = t.flux.back();
        c[QStringLiteral("mag_") + name] = galaxy.magnitude[b];
        c[QStringLiteral("btfrac_") + name] = bulgeShare(galaxy, b);
        c[QStringLiteral("snr_") + name] = std::sqrt(squares[b]) / sigma[b];
    }
    c[QStringLiteral("snr_det")] = detectionSnr(survey, squares, sigma);
    for (auto it = galaxy.notes.begin(); it != galaxy.notes.end(); ++it) {
        c[it.key()] = *it;
    }
    return t;
}

std::vector<double> nearestArcsec(const std::vector<PixelPosition>& positions, double pixelScale) {
    constexpr double kFar = 99.0;
    const double cell = std::max(4.0, 3.0 / pixelScale);
    const auto key = [&](double x, double y) {
        return std::pair(static_cast<int>(std::floor(x / cell)), static_cast<int>(std::floor(y / cell)));
    };
    QHash<std::pair<int, int>, std::vector<size_t>> cells;
    for (size_t i = 0; i < positions.size(); ++i) {
        cells[key(positions[i].x, positions[i].y)].push_back(i);
    }
    const int farthest = static_cast<int>(std::ceil(kFar / pixelScale / cell));
    std::vector<double> out(positions.size(), kFar);
    if (positions.size() < 2) return out;
    for (size_t i = 0; i < positions.size(); ++i) {
        const auto [cx, cy] = key(positions[i].x, positions[i].y);
        double best = kFar / pixelScale;
        for (int ring = 0; ring <= farthest && (ring - 1) * cell < best; ++ring) {
            for (int y = cy - ring; y <= cy + ring; ++y) {
                const int step = ring == 0 || y == cy - ring || y == cy + ring ? 1 : 2 * ring;
                for (int x = cx - ring; x <= cx + ring; x += step) {
                    const auto it = cells.constFind({x, y});
                    if (it == cells.constEnd()) continue;
                    for (const size_t j : *it) {
                        if (j == i) continue;
                        best = std::min(best,
                                        std::hypot(positions[i].x - positions[j].x, positions[i].y - positions[j].y));
                    }
                }
            }
        }
        out[i] = std::min(kFar, best * pixelScale);
    }
    return out;
}

} // namespace blendscope
