#include "judge/Recovery.h"

#include <QJsonArray>
#include <QMap>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

double medianOf(std::vector<double> v) {
    if (v.empty()) return kNan;
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    if (v.size() % 2) return *middle;
    return 0.5 * (*middle + *std::max_element(v.begin(), middle));
}

/// 1.4826 MAD; needs three values to mean anything.
double scatterOf(const std::vector<double>& v, double centre) {
    if (v.size() < 3 || !std::isfinite(centre)) return kNan;
    std::vector<double> deviations;
    for (const double x : v) {
        deviations.push_back(std::abs(x - centre));
    }
    const double mad = 1.4826 * medianOf(deviations);
    return std::isfinite(mad) ? mad : kNan;
}

/// Worse than any measured flux: fluxes that are not positive have no magnitude but count in medians.
double magnitudeError(double flux, double truth) {
    return flux > 0.0 ? -2.5 * std::log10(flux / truth) : std::numeric_limits<double>::infinity();
}

struct Sample {
    double trueMagnitude, trueFlux, flux, fluxErr;
    bool recovered;
};

RecoveryStatistics statisticsOf(const std::vector<Sample>& samples, double bright, double faint) {
    RecoveryStatistics s;
    s.bright = bright;
    s.faint = faint;
    std::vector<double> errors, pulls;
    int close = 0;
    for (const Sample& x : samples) {
        if (std::isfinite(bright) && !(x.trueMagnitude >= bright && x.trueMagnitude < faint)) continue;
        ++s.truths;
        if (!x.recovered) continue;
        ++s.recovered;
        if (!std::isfinite(x.flux)) continue;
        errors.push_back(magnitudeError(x.flux, x.trueFlux));
        close += std::abs(x.flux / x.trueFlux - 1.0) <= 0.2;
        if (x.fluxErr > 0.0) pulls.push_back((x.flux - x.trueFlux) / x.fluxErr);
    }
    const double bias = medianOf(errors);
    s.bias = std::isfinite(bias) ? bias : kNan;
    s.scatter = scatterOf(errors, bias);
    if (s.truths > 0) s.within20 = double(close) / s.truths;
    s.pullBias = medianOf(pulls);
    s.pull = scatterOf(pulls, s.pullBias);
    return s;
}

bool usable(const Scene& scene, double x, double y) {
    if (!std::isfinite(x) || !std::isfinite(y)) return false;
    const double px = std::floor(x + 0.5), py = std::floor(y + 0.5);
    if (px < 0.0 || py < 0.0 || px >= scene.size.width || py >= scene.size.height) return false;
    if (!scene.footprintMask) return true;
    return scene.footprintMask->read({int(px), int(py), 1, 1}).at<int>(0, 0) == 0;
}

QJsonValue numberOrNull(double v) {
    return std::isfinite(v) ? QJsonValue(v) : QJsonValue();
}

QJsonObject toJson(const RecoveryStatistics& s) {
    QJsonObject json{{QStringLiteral("truths"), s.truths},
                     {QStringLiteral("recovered"), s.recovered},
                     {QStringLiteral("bias"), numberOrNull(s.bias)},
                     {QStringLiteral("scatter"), numberOrNull(s.scatter)},
                     {QStringLiteral("within_20_percent"), numberOrNull(s.within20)},
                     {QStringLiteral("pull_bias"), numberOrNull(s.pullBias)},
                     {QStringLiteral("pull_scatter"), numberOrNull(s.pull)}};
    if (std::isfinite(s.bright)) {
        json.insert(QStringLiteral("bright"), s.bright);
        json.insert(QStringLiteral("faint"), s.faint);
    }
    return json;
}

} // namespace

double matchRadiusPixels(const Scene& scene, const RecoveryOptions& options) {
    std::vector<double> widths;
    for (const Band& band : scene.bands) {
        if (band.psf.known() && band.psf.fwhmPixels > 0.0) widths.push_back(band.psf.fwhmPixels);
    }
    const double byPsf = widths.empty() ? 0.0 : options.radiusFwhm * medianOf(widths);
    const double bySky = scene.pixelScale > 0.0 ? options.radiusArcsec / scene.pixelScale : 0.0;
    const double radius = std::max(byPsf, bySky);
    return radius > 0.0 ? radius : 2.0;
}

std::vector<RecoveryMatch> matchTruth(const Scene& scene, const Result& result, const RecoveryOptions& options) {
    std::vector<RecoveryMatch> matches;
    if (!scene.truth) return matches;
    const std::vector<TruthObject>& truths = scene.truth->objects;
    std::vector<const Object*> partner(truths.size(), nullptr);
    if (options.byPosition) {
        for (const Object& object : result.objects) {
            if (object.position < 0 || object.position >= static_cast<int>(truths.size())) continue;
            if (object.flags & (FlagNotDetected | FlagOutside | FlagNoFlux)) continue;
            partner[static_cast<size_t>(object.position)] = &object;
        }
    } else {
        struct Pair {
            double distance;
            size_t truth, object;
        };
        const double radius = matchRadiusPixels(scene, options);
        std::vector<Pair> pairs;
        for (size_t t = 0; t < truths.size(); ++t) {
            for (size_t o = 0; o < result.objects.size(); ++o) {
                const double d = std::hypot(truths[t].x - result.objects[o].x, truths[t].y - result.objects[o].y);
                if (d <= radius) pairs.push_back({d, t, o});
            }
        }
        std::stable_sort(pairs.begin(), pairs.end(),
                         [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
        std::vector<char> taken(result.objects.size(), 0);
        for (const Pair& p : pairs) {
            if (partner[p.truth] || taken[p.object]) continue;
            partner[p.truth] = &result.objects[p.object];
            taken[p.object] = 1;
        }
    }
    // The result's bands may be in another order than the scene's.
    std::vector<qsizetype> place;
    for (const Band& band : scene.bands) {
        place.push_back(result.bands.indexOf(band.name));
    }
    for (size_t t = 0; t < truths.size(); ++t) {
        const TruthObject& truth = truths[t];
        if (!usable(scene, truth.x, truth.y)) continue;
        const double snr = truth.columns.value(QStringLiteral("snr_det"), std::numeric_limits<double>::infinity());
        if (options.leastSnr > 0.0 && !(snr >= options.leastSnr)) continue;
        RecoveryMatch m;
        m.sceneId = scene.id;
        m.truthId = truth.id;
        m.kind = truth.kind;
        m.x = truth.x;
        m.y = truth.y;
        const Object* object = partner[t];
        if (object) {
            m.objectId = object->id;
            m.distancePixels = std::hypot(truth.x - object->x, truth.y - object->y);
            m.flags = object->flags;
        }
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            RecoveryMatch::BandValue v;
            const double zero = scene.bands[b].zeroPoint;
            v.trueFlux = b < truth.flux.size() ? truth.flux[b] : kNan;
            if (v.trueFlux > 0.0) v.trueMagnitude = zero - 2.5 * std::log10(v.trueFlux);
            if (object && place[b] >= 0 && static_cast<size_t>(place[b]) < object->bands.size()) {
                const BandFlux& f = object->bands[static_cast<size_t>(place[b])];
                v.flux = f.flux;
                v.fluxErr = f.fluxErr;
                if (v.flux > 0.0) v.magnitude = zero - 2.5 * std::log10(v.flux);
            }
            m.bands.push_back(v);
        }
        matches.push_back(std::move(m));
    }
    return matches;
}

void RecoveryTally::add(const Scene& scene, const Result& result) {
    std::vector<RecoveryMatch> found = matchTruth(scene, result, m_options);
    m_detections += static_cast<int>(result.objects.size());
    m_bandsOf.push_back(scene.bandNames());
    for (RecoveryMatch& m : found) {
        m_matches.push_back(std::move(m));
        m_sceneOf.push_back(m_bandsOf.size() - 1);
    }
}

RecoverySummary RecoveryTally::summary() const {
    RecoverySummary out;
    out.scenes = static_cast<int>(m_bandsOf.size());
    out.truths = static_cast<int>(m_matches.size());
    out.detections = m_detections;
    std::vector<double> distances;
    QStringList order;
    QMap<QString, std::vector<Sample>> samples;
    for (size_t i = 0; i < m_matches.size(); ++i) {
        const RecoveryMatch& m = m_matches[i];
        if (m.objectId > 0) {
            ++out.recovered;
            distances.push_back(m.distancePixels);
        }
        for (size_t b = 0; b < m.bands.size(); ++b) {
            const RecoveryMatch::BandValue& v = m.bands[b];
            if (!(v.trueFlux > 0.0)) continue;
            const QString& name = bandsOf(i).at(static_cast<qsizetype>(b));
            if (!samples.contains(name)) order << name;
            samples[name].push_back({v.trueMagnitude, v.trueFlux, v.flux, v.fluxErr, m.objectId > 0});
        }
    }
    out.medianDistancePixels = medianOf(distances);
    const double width = m_options.binMagnitudes > 0.0 ? m_options.binMagnitudes : 1.0;
    for (const QString& name : order) {
        RecoveryBand band;
        band.band = name;
        const std::vector<Sample>& own = samples[name];
        band.all = statisticsOf(own, kNan, kNan);
        QMap<long long, int> bins;
        for (const Sample& s : own) {
            if (std::isfinite(s.trueMagnitude)) ++bins[std::llround(std::floor(s.trueMagnitude / width))];
        }
        for (auto it = bins.begin(); it != bins.end(); ++it) {
            const double bright = static_cast<double>(it.key()) * width;
            band.bins.push_back(statisticsOf(own, bright, bright + width));
        }
        out.bands.push_back(std::move(band));
    }
    return out;
}

QJsonObject toJson(const RecoverySummary& summary) {
    QJsonArray bands;
    for (const RecoveryBand& band : summary.bands) {
        QJsonArray bins;
        for (const RecoveryStatistics& s : band.bins) {
            bins.append(toJson(s));
        }
        QJsonObject json = toJson(band.all);
        json.insert(QStringLiteral("band"), band.band);
        json.insert(QStringLiteral("bins"), bins);
        bands.append(json);
    }
    return {{QStringLiteral("scenes"), summary.scenes},
            {QStringLiteral("truths"), summary.truths},
            {QStringLiteral("recovered"), summary.recovered},
            {QStringLiteral("detections"), summary.detections},
            {QStringLiteral("median_distance_pixels"), numberOrNull(summary.medianDistancePixels)},
            {QStringLiteral("bands"), bands}};
}

} // namespace blendscope
