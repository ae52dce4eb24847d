#include "neural/DetectedStamps.h"

#include "core/Error.h"
#include "core/Random.h"
#include "jobs/Progress.h"
#include "simulate/Streams.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

constexpr std::uint64_t kChoices = 0x64657473; ///< key of the stream of choices, apart from the simulator's own
constexpr std::uint64_t kAddedNoise = 0x6e6f6973;
constexpr size_t kKept = 4; ///< stamps

double number(const QJsonObject& json, const char* key, double otherwise, double low, double high) {
    const QJsonValue value = json.value(QLatin1String(key));
    if (value.isUndefined()) return otherwise;
    if (!value.isDouble() || value.toDouble() < low || value.toDouble() > high) {
        throw UsageError(QStringLiteral("\"%1\" of the training data is no number from %2 to %3")
                             .arg(QLatin1String(key))
                             .arg(low)
                             .arg(high));
    }
    return value.toDouble();
}

} // namespace

DetectedStamps::DetectedStamps(const QJsonObject& settings, std::uint64_t seed) : m_seed(seed) {
    const QJsonArray mixture = settings.value(QStringLiteral("mixture")).toArray();
    if (mixture.isEmpty()) throw UsageError(QStringLiteral("the training data have no \"mixture\" of recipes"));
    for (const QJsonValue value : mixture) {
        const QJsonObject part = value.toObject();
        // Each part of the mixture has its own random numbers: the same galaxies must not return in another seeing.
        Part p{number(part, "share", 1.0, 0.0, 1e6),
               StampStream(part.value(QStringLiteral("recipe")).toObject(), seed + 7919 * m_parts.size())};
        const Recipe& recipe = p.stream.recipe();
        const cv::Size size(recipe.width, recipe.height);
        if (!m_parts.empty() && size != m_size) {
            throw UsageError(QStringLiteral("the recipes of \"mixture\" have different sizes"));
        }
        m_size = size;
        m_parts.push_back(std::move(p));
    }
    const QJsonObject bands = settings.value(QStringLiteral("bands")).toObject();
    if (!bands.isEmpty()) {
        m_all = number(bands, "all", 0.0, 0.0, 1.0);
        m_several = number(bands, "several", 0.0, 0.0, 1.0);
        m_single = number(bands, "single", 0.0, 0.0, 1.0);
        if (!(m_all + m_several + m_single > 0.0))
            throw UsageError(QStringLiteral("\"bands\" of the training data are all 0"));
    }
    const QJsonArray noise = settings.value(QStringLiteral("noise")).toArray();
    if (!noise.isEmpty()) {
        m_noiseLow = noise.at(0).toDouble();
        m_noiseHigh = noise.at(1).toDouble();
        if (!(m_noiseLow >= 1.0) || !(m_noiseHigh >= m_noiseLow)) {
            throw UsageError(
                QStringLiteral("\"noise\" of the training data is not [least, most] with 1 <= least <= most"));
        }
    }
    m_noiseShare = number(settings, "noise_share", 0.5, 0.0, 1.0);
    m_detector.sky = DetectorOptions::Sky::None;
    m_detector.threshold = number(settings, "threshold", 5.0, 0.5, 1000.0);
    m_detector.edge = number(settings, "edge", 2.5, 0.1, 1000.0);
    m_detector.sharpen = settings.value(QStringLiteral("sharpen")).toBool(true);
    m_detector.threads = 1;
}

std::vector<size_t> DetectedStamps::chooseBands(Random& random, size_t bands) const {
    std::vector<size_t> all(bands);
    std::iota(all.begin(), all.end(), size_t(0));
    const double u = random.uniform() * (m_all + m_several + m_single);
    size_t keep = bands;
    if (u >= m_all) keep = u < m_all + m_several && bands > 1 ? size_t(random.integer(2, int(bands))) : 1;
    while (all.size() > keep) {
        all.erase(all.begin() + random.integer(0, int(all.size()) - 1));
    }
    return all;
}

std::shared_ptr<const DetectedStamp> DetectedStamps::stamp(int index) const {
    {
        const std::lock_guard lock(m_mutex);
        for (const auto& [number, stamp] : m_last) {
            if (number == index) return stamp;
        }
    }
    auto made = std::make_shared<const DetectedStamp>(make(index));
    const std::lock_guard lock(m_mutex);
    m_last.emplace_back(index, made);
    if (m_last.size() > kKept) m_last.pop_front();
    return made;
}

DetectedStamp DetectedStamps::make(int index) const {
    Random random(m_seed, kChoices, std::uint64_t(index));
    double total = 0.0;
    for (const Part& p : m_parts) {
        total += p.share;
    }
    double u = random.uniform() * total;
    size_t which = 0;
    while (which + 1 < m_parts.size() && u >= m_parts[which].share) {
        u -= m_parts[which++].share;
    }
    const StampStream& stream = m_parts[which].stream;
    const Survey& survey = stream.recipe().survey;
    StampStream::Stamp drawn = stream.stamp(index, {true, true});
    const std::vector<size_t> bands = chooseBands(random, survey.bands.size());
    const double factor =
        random.uniform() < m_noiseShare ? std::exp(random.uniform(std::log(m_noiseLow), std::log(m_noiseHigh))) : 1.0;

    DetectedStamp out;
    Scene& scene = out.scene;
    scene.id = QString::number(index);
    scene.size = m_size;
    scene.pixelScale = survey.pixelScale;
    out.objects.resize(drawn.objects.size());
    std::vector<double> square(drawn.objects.size(), 0.0);
    for (const size_t b : bands) {
        const SurveyBand& from = survey.bands[b];
        cv::Mat image = drawn.image[b];
        float sigma = drawn.sigma[b];
        if (factor > 1.0) {
            Random noise(m_seed, kAddedNoise, std::uint64_t(index), b);
            const double added = double(sigma) * std::sqrt(factor * factor - 1.0);
            for (int y = 0; y < image.rows; ++y) {
                float* row = image.ptr<float>(y);
                for (int x = 0; x < image.cols; ++x) {
                    row[x] += static_cast<float>(noise.normal(0.0, added));
                }
            }
            sigma *= static_cast<float>(factor);
        }
        Band band;
        band.name = from.name;
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<ConstantPlane>(m_size, sigma * sigma);
        band.psf = Psf::fromImage(drawn.psf[b], Psf::Origin::Given);
        band.zeroPoint = survey.countZeroPoint(from);
        band.gain = survey.gain;
        band.varianceIsSkyOnly = true;
        band.skySubtracted = true;
        band.wavelength = from.wavelength;
        scene.bands.push_back(std::move(band));
        out.noiseless.push_back(drawn.noiseless[b]);
        out.sigma.push_back(sigma);
        for (size_t k = 0; k < drawn.objects.size(); ++k) {
            const cv::Mat& light = drawn.isolated[b][k];
            square[k] += light.dot(light) / (double(sigma) * double(sigma));
            out.objects[k].flux.push_back(drawn.objects[k].totalFlux(b));
            out.objects[k].light.push_back(light);
        }
    }
    for (size_t k = 0; k < drawn.objects.size(); ++k) {
        out.objects[k].x = drawn.objects[k].x;
        out.objects[k].y = drawn.objects[k].y;
        out.objects[k].star = drawn.objects[k].star;
        out.objects[k].snr = std::sqrt(square[k]);
    }
    Progress progress;
    out.detections.sceneId = scene.id;
    out.detections.bands = scene.bandNames();
    Detector(m_detector).run(scene, out.detections, progress, {});
    return out;
}

} // namespace blendscope
