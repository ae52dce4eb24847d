#include "neural/Preprocessing.h"

#include "core/Error.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr const char* kScales[] = {"asinh_noise", "linear_noise", "pull", "asinh_pull"};
constexpr double kReferenceFwhm = 4.0; // pixel
constexpr double kAnyBandNm = 750.0;   // what "*" looks for
constexpr double kSameBand = 0.12;     // of the wavelength

bool isPull(Preprocessing::Scale scale) {
    return scale == Preprocessing::Scale::Pull || scale == Preprocessing::Scale::AsinhPull;
}

bool isAsinh(Preprocessing::Scale scale) {
    return scale == Preprocessing::Scale::AsinhNoise || scale == Preprocessing::Scale::AsinhPull;
}

/// sqrt(weight) per pixel or 1 / sigma, times 1 / softening: what counts are multiplied with.
cv::Mat factor(Preprocessing::Scale scale, double softening, const Patch& patch, std::size_t band) {
    cv::Mat out(patch.box.size(), CV_32F);
    if (isPull(scale)) {
        cv::sqrt(patch.weight[band], out);
        return out / softening;
    }
    const float sigma = patch.sigma[band];
    out.setTo(sigma > 0.0f ? 1.0 / (softening * sigma) : 0.0);
    return out;
}

} // namespace

Preprocessing Preprocessing::fromJson(const QJsonObject& json) {
    Preprocessing p;
    for (const QString& key : json.keys()) {
        static const QStringList known{QStringLiteral("bands"),     QStringLiteral("scale"),
                                       QStringLiteral("softening"), QStringLiteral("inverse_variance"),
                                       QStringLiteral("psf_width"), QStringLiteral("presence")};
        if (!known.contains(key))
            throw UsageError(QStringLiteral("preprocessing: no key \"%1\"; there are %2")
                                 .arg(key, known.join(QStringLiteral(", "))));
    }
    for (const QJsonValue band : json.value(QStringLiteral("bands")).toArray()) {
        p.bands << band.toString();
    }
    if (p.bands.isEmpty() || p.bands.contains(QString()))
        throw UsageError(QStringLiteral("preprocessing: bands must be names, as [\"g\", \"r\"]"));
    const QString scale = json.value(QStringLiteral("scale")).toString(QLatin1String(kScales[0]));
    const auto* known = std::find_if(std::begin(kScales), std::end(kScales),
                                     [&](const char* name) { return scale == QLatin1String(name); });
    if (known == std::end(kScales))
        throw UsageError(QStringLiteral("preprocessing: no scale \"%1\"; there are asinh_noise, linear_noise, pull, "
                                        "asinh_pull")
                             .arg(scale));
    p.scale = static_cast<Scale>(known - std::begin(kScales));
    const QJsonValue softening = json.value(QStringLiteral("softening"));
    if (softening.isArray()) {
        for (const QJsonValue value : softening.toArray()) {
            p.softening.push_back(value.toDouble());
        }
    } else {
        p.softening.assign(static_cast<std::size_t>(p.bandCount()),
                           softening.toDouble(softening.isUndefined() ? 1 : 0));
    }
    if (static_cast<int>(p.softening.size()) != p.bandCount() ||
        std::any_of(p.softening.begin(), p.softening.end(), [](double s) { return !(s > 0.0); }))
        throw UsageError(QStringLiteral("preprocessing: softening must be a positive number, or one per band"));
    p.inverseVariance = json.value(QStringLiteral("inverse_variance")).toBool();
    p.psfWidth = json.value(QStringLiteral("psf_width")).toBool();
    p.presence = json.value(QStringLiteral("presence")).toBool();
    return p;
}

QJsonObject Preprocessing::toJson() const {
    QJsonArray soft;
    for (const double s : softening) {
        soft.append(s);
    }
    return {{QStringLiteral("bands"), QJsonArray::fromStringList(bands)},
            {QStringLiteral("scale"), QLatin1String(kScales[static_cast<int>(scale)])},
            {QStringLiteral("softening"), soft},
            {QStringLiteral("inverse_variance"), inverseVariance},
            {QStringLiteral("psf_width"), psfWidth},
            {QStringLiteral("presence"), presence}};
}

std::vector<int> Preprocessing::match(const QStringList& names, const std::vector<double>& wavelengths) const {
    std::vector<int> matched(static_cast<std::size_t>(bandCount()), -1);
    std::vector<bool> used(static_cast<std::size_t>(names.size()), false);
    const auto take = [&](std::size_t band, qsizetype index) {
        matched[band] = static_cast<int>(index);
        used[static_cast<std::size_t>(index)] = true;
    };
    for (std::size_t b = 0; b < matched.size(); ++b) {
        const qsizetype index = names.indexOf(bands[static_cast<qsizetype>(b)]);
        if (index >= 0 && !used[static_cast<std::size_t>(index)]) take(b, index);
    }
    for (std::size_t b = 0; b < matched.size(); ++b) {
        const QString& name = bands[static_cast<qsizetype>(b)];
        const bool any = name == QLatin1String("*");
        const double wanted = any ? kAnyBandNm : filterWavelength(name);
        if (matched[b] >= 0 || wanted <= 0.0) continue;
        double best = any ? std::numeric_limits<double>::infinity() : kSameBand;
        qsizetype found = -1;
        for (qsizetype i = 0; i < names.size(); ++i) {
            const auto k = static_cast<std::size_t>(i);
            if (used[k]) continue;
            const double nm =
                k < wavelengths.size() && wavelengths[k] > 0.0 ? wavelengths[k] : filterWavelength(names[i]);
            const double off = nm > 0.0 ? std::abs(std::log(nm / wanted)) : any ? 1e6 : 1e9;
            if (off < best) {
                best = off;
                found = i;
            }
        }
        if (found >= 0) take(b, found);
    }
    if (std::all_of(matched.begin(), matched.end(), [](int i) { return i < 0; }))
        throw UsageError(QStringLiteral("the model knows the bands %1, and the scene has %2")
                             .arg(bands.join(QStringLiteral(", ")), names.join(QStringLiteral(", "))));
    return matched;
}

std::vector<int> Preprocessing::matchOrAssume(const QStringList& names, const std::vector<double>& wavelengths,
                                              QString& assumed) const {
    const auto isKnown = [&](qsizetype i) {
        const auto k = static_cast<std::size_t>(i);
        return filterWavelength(names[i]) > 0.0 || (k < wavelengths.size() && wavelengths[k] > 0.0);
    };
    bool known = names.isEmpty();
    for (qsizetype i = 0; i < names.size(); ++i) {
        known = known || isKnown(i) || bands.contains(names[i]);
    }
    if (known) return match(names, wavelengths);
    qsizetype first = names.size() >= bands.size() ? 0 : (bands.size() - names.size()) / 2;
    if (names.size() == 1) {
        double best = std::numeric_limits<double>::infinity();
        for (qsizetype i = 0; i < bands.size(); ++i) {
            const double nm = filterWavelength(bands[i]);
            const double off = nm > 0.0 ? std::abs(std::log(nm / kAnyBandNm)) : 1e6;
            if (off < best) {
                best = off;
                first = i;
            }
        }
    }
    std::vector<int> matched(static_cast<std::size_t>(bandCount()), -1);
    QStringList taken;
    for (qsizetype i = 0; i < names.size() && first + i < bands.size(); ++i) {
        matched[static_cast<std::size_t>(first + i)] = static_cast<int>(i);
        taken << QStringLiteral("%1 for %2").arg(names[i], bands[first + i]);
    }
    assumed = QStringLiteral("the wavelengths of the bands are unknown; the network takes %1")
                  .arg(taken.join(QStringLiteral(", ")));
    return matched;
}

torch::Tensor Preprocessing::encodeCounts(const std::vector<cv::Mat>& counts, const Patch& patch,
                                          const std::vector<int>& matched) const {
    torch::Tensor out = torch::zeros({bandCount(), patch.box.height, patch.box.width}, torch::kFloat32);
    for (int b = 0; b < bandCount(); ++b) {
        const int i = matched[static_cast<std::size_t>(b)];
        if (i < 0) continue;
        const auto k = static_cast<std::size_t>(i);
        const cv::Mat scaled = counts[k].mul(factor(scale, softening[static_cast<std::size_t>(b)], patch, k));
        const torch::Tensor plane = toTensor(scaled);
        out[b].copy_(isAsinh(scale) ? torch::asinh(plane) : plane);
    }
    return out;
}

std::vector<cv::Mat> Preprocessing::decodeCounts(const torch::Tensor& scaled, const Patch& patch,
                                                 const std::vector<int>& matched) const {
    std::vector<cv::Mat> out(static_cast<std::size_t>(patch.bands.size()));
    for (int b = 0; b < bandCount(); ++b) {
        const int i = matched[static_cast<std::size_t>(b)];
        if (i < 0) continue;
        const auto k = static_cast<std::size_t>(i);
        const torch::Tensor plane = isAsinh(scale) ? torch::sinh(scaled[b]) : scaled[b];
        const cv::Mat by = factor(scale, softening[static_cast<std::size_t>(b)], patch, k);
        cv::divide(toMat(plane), by, out[k]);
        out[k].setTo(0.0f, by == 0.0f);
    }
    return out;
}

torch::Tensor Preprocessing::encode(const Patch& patch, const std::vector<int>& matched) const {
    const int n = bandCount();
    torch::Tensor out = torch::zeros({channels(), patch.box.height, patch.box.width}, torch::kFloat32);
    out.slice(0, 0, n).copy_(encodeCounts(patch.image, patch, matched));
    int channel = n;
    const auto eachBand = [&](const auto& fill) {
        for (int b = 0; b < n; ++b, ++channel) {
            const int i = matched[static_cast<std::size_t>(b)];
            if (i >= 0) fill(out[channel], static_cast<std::size_t>(i));
        }
    };
    if (inverseVariance) {
        eachBand([&](const torch::Tensor& plane, std::size_t i) {
            plane.copy_(toTensor(patch.weight[i]) * (patch.sigma[i] * patch.sigma[i]));
        });
    }
    if (psfWidth) {
        eachBand([&](const torch::Tensor& plane, std::size_t i) {
            if (patch.fwhm[i] > 0.0) plane.fill_(std::log2(patch.fwhm[i] / kReferenceFwhm));
        });
    }
    if (presence) {
        eachBand([](const torch::Tensor& plane, std::size_t) { plane.fill_(1.0); });
    }
    return out;
}

std::vector<float> Preprocessing::sigmas(const Patch& patch, const std::vector<int>& matched) const {
    std::vector<float> out;
    for (const int i : matched) {
        out.push_back(i < 0 ? 0.0f : patch.sigma[static_cast<std::size_t>(i)]);
    }
    return out;
}

} // namespace blendscope
