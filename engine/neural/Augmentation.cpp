#include "neural/Augmentation.h"

#include "core/Error.h"
#include "neural/TrainerOptions.h"

#include <QJsonArray>
#include <cmath>

namespace blendscope {

namespace {

template <class Visit>
void eachPlane(TrainingStamp& stamp, const Visit& visit) {
    for (std::vector<cv::Mat>* planes : {&stamp.patch.image, &stamp.patch.weight, &stamp.noiseless}) {
        for (cv::Mat& plane : *planes) {
            visit(plane);
        }
    }
    for (std::vector<cv::Mat>& band : stamp.isolated) {
        for (cv::Mat& plane : band) {
            visit(plane);
        }
    }
    for (cv::Mat& plane : stamp.psf) {
        visit(plane);
    }
}

template <class Item>
void removeAt(std::vector<Item>& items, int index) {
    if (index < static_cast<int>(items.size())) items.erase(items.begin() + index);
}

std::pair<double, double> range(const QJsonObject& wishes, const char* key, double least) {
    const QJsonValue value = wishes.value(QLatin1String(key));
    if (value.isUndefined()) return {1.0, 1.0};
    const QJsonArray pair = value.toArray();
    const double low = pair.at(0).toDouble(), high = pair.at(1).toDouble();
    if (pair.size() != 2 || !(low >= least && low > 0.0 && high >= low))
        throw UsageError(
            QStringLiteral("augment: %1 must be [least, most] with least >= %2").arg(QLatin1String(key)).arg(least));
    return {low, high};
}

double drawn(const std::pair<double, double>& range, Random& random) {
    return std::exp(random.uniform(std::log(range.first), std::log(range.second)));
}

} // namespace

void turnStamp(TrainingStamp& stamp, int turns, bool mirror) {
    const int side = stamp.patch.box.width;
    if (side != stamp.patch.box.height) throw UsageError(QStringLiteral("only square stamps can be turned"));
    const int quarter = ((turns % 4) + 4) % 4;
    eachPlane(stamp, [&](cv::Mat& plane) {
        if (plane.empty()) return;
        cv::Mat out = plane.clone();
        if (mirror) cv::flip(out.clone(), out, 1);
        // Rows are y: what turns counterclockwise with y upwards turns clockwise on a screen of rows downwards.
        if (quarter == 1) cv::rotate(out.clone(), out, cv::ROTATE_90_CLOCKWISE);
        if (quarter == 2) cv::rotate(out.clone(), out, cv::ROTATE_180);
        if (quarter == 3) cv::rotate(out.clone(), out, cv::ROTATE_90_COUNTERCLOCKWISE);
        plane = out;
    });
    for (TruthObject& object : stamp.objects) {
        if (mirror) object.x = side - 1 - object.x;
        for (int i = 0; i < quarter; ++i) {
            const double x = object.x;
            object.x = side - 1 - object.y;
            object.y = x;
        }
        for (const char* angle : {"pa", "pa_disk", "pa_bulge"}) {
            const auto it = object.columns.find(QLatin1String(angle));
            if (it == object.columns.end()) continue;
            *it = std::remainder((mirror ? 180.0 - *it : *it) + 90.0 * quarter, 180.0);
        }
        object.columns[QStringLiteral("x")] = object.x;
        object.columns[QStringLiteral("y")] = object.y;
    }
}

void raiseNoise(TrainingStamp& stamp, double factor, Random& random) {
    if (!(factor > 1.0)) return;
    for (std::size_t b = 0; b < stamp.patch.image.size(); ++b) {
        const double more = std::sqrt(factor * factor - 1.0);
        cv::Mat image = stamp.patch.image[b].clone(), weight = stamp.patch.weight[b].clone();
        for (int y = 0; y < image.rows; ++y) {
            float* i = image.ptr<float>(y);
            float* w = weight.ptr<float>(y);
            for (int x = 0; x < image.cols; ++x) {
                const double draw = random.normal();
                if (w[x] <= 0.0f) continue;
                i[x] += static_cast<float>(draw * more / std::sqrt(double(w[x])));
                w[x] = static_cast<float>(w[x] / (factor * factor));
            }
        }
        stamp.patch.image[b] = image;
        stamp.patch.weight[b] = weight;
        stamp.patch.sigma[b] = static_cast<float>(stamp.patch.sigma[b] * factor);
    }
    for (TruthObject& object : stamp.objects) {
        for (auto it = object.columns.begin(); it != object.columns.end(); ++it) {
            if (it.key().startsWith(QLatin1String("snr_"))) *it /= factor;
        }
    }
}

void raisePhotonNoise(TrainingStamp& stamp, double factor, Random& random) {
    if (!(factor > 1.0) || stamp.noiseless.size() != stamp.patch.image.size()) return;
    for (std::size_t b = 0; b < stamp.patch.image.size(); ++b) {
        const double gain = b < stamp.patch.gain.size() ? stamp.patch.gain[b] : 0.0;
        if (!(gain > 0.0)) continue;
        cv::Mat image = stamp.patch.image[b].clone();
        for (int y = 0; y < image.rows; ++y) {
            float* i = image.ptr<float>(y);
            const float* light = stamp.noiseless[b].ptr<float>(y);
            const float* w = stamp.patch.weight[b].ptr<float>(y);
            for (int x = 0; x < image.cols; ++x) {
                const double draw = random.normal();
                if (w[x] <= 0.0f) continue;
                i[x] += static_cast<float>(draw * std::sqrt((factor - 1.0) * std::max(0.0, double(light[x])) / gain));
            }
        }
        stamp.patch.image[b] = image;
    }
}

void scaleCounts(TrainingStamp& stamp, double factor) {
    for (std::vector<cv::Mat>* planes : {&stamp.patch.image, &stamp.noiseless}) {
        for (cv::Mat& plane : *planes) {
            plane = cv::Mat(plane * factor); // a new one: others may share the old
        }
    }
    for (std::vector<cv::Mat>& band : stamp.isolated) {
        for (cv::Mat& plane : band) {
            plane = cv::Mat(plane * factor); // a new one: others may share the old
        }
    }
    for (cv::Mat& weight : stamp.patch.weight) {
        weight = cv::Mat(weight / (factor * factor));
    }
    for (float& sigma : stamp.patch.sigma) {
        sigma = static_cast<float>(sigma * factor);
    }
    for (double& gain : stamp.patch.gain) {
        gain /= factor;
    }
    for (double& zeroPoint : stamp.patch.zeroPoint) {
        zeroPoint += 2.5 * std::log10(factor);
    }
    for (TruthObject& object : stamp.objects) {
        for (double& flux : object.flux) {
            flux *= factor;
        }
        for (auto it = object.columns.begin(); it != object.columns.end(); ++it) {
            if (it.key().startsWith(QLatin1String("flux_"))) *it *= factor;
        }
    }
}

void dropBand(TrainingStamp& stamp, int band) {
    stamp.patch.bands.removeAt(band);
    removeAt(stamp.patch.wavelength, band);
    removeAt(stamp.patch.image, band);
    removeAt(stamp.patch.weight, band);
    removeAt(stamp.patch.sigma, band);
    removeAt(stamp.patch.fwhm, band);
    removeAt(stamp.patch.zeroPoint, band);
    removeAt(stamp.noiseless, band);
    removeAt(stamp.isolated, band);
    removeAt(stamp.psf, band);
    removeAt(stamp.patch.gain, band);
    for (TruthObject& object : stamp.objects) {
        removeAt(object.flux, band);
    }
}

void checkAugmentation(const QJsonObject& wishes) {
    static const QStringList known{QStringLiteral("rotate"),  QStringLiteral("noise"),
                                   QStringLiteral("depth"),   QStringLiteral("drop_bands"),
                                   QStringLiteral("photons"), QStringLiteral("unknown_gain")};
    checkRecipeKeys(wishes, QStringLiteral("augment"), known);
    (void)range(wishes, "noise", 1.0);
    (void)range(wishes, "depth", 0.0);
    (void)range(wishes, "photons", 1.0);
    for (const char* key : {"drop_bands", "unknown_gain"}) {
        const double share = wishes.value(QLatin1String(key)).toDouble();
        if (!(share >= 0.0 && share < 1.0))
            throw UsageError(QStringLiteral("augment: %1 must be from 0 to below 1").arg(QLatin1String(key)));
    }
}

void augment(TrainingStamp& stamp, const QJsonObject& wishes, Random& random) {
    // Every number is drawn whether it is used or not, so that one switch does not change the others' draws.
    const int turns = random.integer(0, 3);
    const bool mirror = random.integer(0, 1) == 1;
    const double noise = drawn(range(wishes, "noise", 1.0), random), depth = drawn(range(wishes, "depth", 0.0), random);
    const double drop = wishes.value(QStringLiteral("drop_bands")).toDouble();
    const int bands = static_cast<int>(stamp.patch.bands.size());
    const int kept = random.integer(0, std::max(0, bands - 1));
    std::vector<bool> dropped;
    for (int b = 0; b < bands; ++b) {
        dropped.push_back(random.uniform() < drop && b != kept);
    }
    const double photons = drawn(range(wishes, "photons", 1.0), random);
    const bool gainless = random.uniform() < wishes.value(QStringLiteral("unknown_gain")).toDouble();
    if (wishes.value(QStringLiteral("rotate")).toBool()) turnStamp(stamp, turns, mirror);
    if (noise > 1.0) raiseNoise(stamp, noise, random);
    if (photons > 1.0) raisePhotonNoise(stamp, photons, random);
    if (depth != 1.0) scaleCounts(stamp, depth);
    if (gainless) std::fill(stamp.patch.gain.begin(), stamp.patch.gain.end(), 0.0);
    for (int b = bands - 1; b >= 0; --b) {
        if (dropped[static_cast<std::size_t>(b)]) dropBand(stamp, b);
    }
}

} // namespace blendscope
