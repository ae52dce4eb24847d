#include "neural/TrainingData.h"

#include "core/Error.h"
#include "io/SceneReader.h"
#include "neural/Augmentation.h"
#include "neural/TrainerOptions.h"
#include "simulate/Simulator.h"
#include "simulate/TruthTable.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr std::uint64_t kStampKey = 0x7a1u, kSourceKey = 0x50cu;

/// Numbers of stamps end at 2^31: half of them are for training, a quarter for each of the other sets. A training that
/// goes on beyond sees its first ones again.
int stampNumber(Split split, std::int64_t index) {
    constexpr std::int64_t quarter = std::int64_t(1) << 29;
    switch (split) {
    case Split::Validation:
        return static_cast<int>(2 * quarter + index % quarter);
    case Split::Test:
        return static_cast<int>(3 * quarter + index % quarter);
    case Split::Training:
        break;
    }
    return static_cast<int>(index % (2 * quarter));
}

/// Which set a scene of a folder belongs to: by its name, so that adding scenes moves none.
Split splitOf(const QString& id) {
    const QByteArray hash = QCryptographicHash::hash(id.toUtf8(), QCryptographicHash::Sha1);
    const int tenth = static_cast<unsigned char>(hash[0]) * 10 / 256;
    return tenth == 0 ? Split::Test : tenth == 1 ? Split::Validation : Split::Training;
}

QJsonObject recipeFrom(const QJsonValue& value, int size) {
    QJsonObject recipe = value.isObject() ? value.toObject() : loadRecipe(value.toString());
    if (size > 0) recipe[QStringLiteral("size")] = QJsonArray{size, size};
    return recipe;
}

} // namespace

struct TrainingData::Source {
    double weight = 1.0;
    std::unique_ptr<StampStream> stream;
    MaskPlaneNames maskNames;
};

TrainingData::~TrainingData() = default;

TrainingData::TrainingData(const QJsonObject& data, std::uint64_t seed) : m_seed(seed) {
    static const QStringList known{QStringLiteral("simulate"), QStringLiteral("size"), QStringLiteral("folders"),
                                   QStringLiteral("folder_share"), QStringLiteral("augment")};
    checkRecipeKeys(data, QStringLiteral("data"), known);
    m_size = data.value(QStringLiteral("size")).toInt();
    if (m_size < 0 || m_size > 4096) throw UsageError(QStringLiteral("data: size must be from 0 to 4096 pixels"));
    m_augment = data.value(QStringLiteral("augment")).toObject();
    checkAugmentation(m_augment);

    const QJsonValue simulate = data.value(QStringLiteral("simulate"));
    const QJsonArray entries = simulate.isArray()       ? simulate.toArray()
                               : simulate.isUndefined() ? QJsonArray()
                                                        : QJsonArray{QJsonObject{{QStringLiteral("recipe"), simulate}}};
    for (const QJsonValue entry : entries) {
        auto source = std::make_unique<Source>();
        source->weight = entry.toObject().value(QStringLiteral("weight")).toDouble(1.0);
        if (!(source->weight > 0.0)) throw UsageError(QStringLiteral("data: a recipe's weight must be positive"));
        const QJsonObject recipe = recipeFrom(entry.toObject().value(QStringLiteral("recipe")), m_size);
        source->stream = std::make_unique<StampStream>(recipe, Random(seed, kSourceKey, m_sources.size())());
        source->maskNames = source->stream->recipe().artefacts.maskNames();
        m_sources.push_back(std::move(source));
    }

    QStringList folders;
    for (const QJsonValue folder : data.value(QStringLiteral("folders")).toArray()) {
        folders << folder.toString();
    }
    int scenes = 0;
    if (!folders.isEmpty()) {
        for (const ScenePtr& scene : openScenes(folders)) {
            if (!scene->truth || scene->truth->objects.empty()) continue;
            m_scenes[static_cast<int>(splitOf(scene->id))].push_back(scene);
            ++scenes;
        }
        if (scenes == 0) throw UsageError(QStringLiteral("data: no scene of the folders comes with truth"));
        if (m_size == 0) throw UsageError(QStringLiteral("data: folders need a size of stamps"));
        for (const auto& set : m_scenes) {
            if (set.empty() && m_sources.empty())
                throw UsageError(QStringLiteral("data: %1 scenes with truth are too few to have training, validation "
                                                "and test sets of their own: give more, or a recipe to simulate")
                                     .arg(scenes));
        }
    }
    if (m_sources.empty() && scenes == 0)
        throw UsageError(QStringLiteral("data: give \"simulate\" or \"folders\", otherwise there is nothing to learn"));
    m_folderShare = scenes == 0         ? 0.0
                    : m_sources.empty() ? 1.0
                                        : data.value(QStringLiteral("folder_share")).toDouble(0.5);
}

TrainingStamp TrainingData::stamp(Split split, std::int64_t index) const {
    Random random(m_seed, kStampKey, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(index));
    const double folder = random.uniform();
    TrainingStamp out;
    if (folder < m_folderShare && !m_scenes[static_cast<int>(split)].empty()) {
        out = fromScene(split, random);
        out.source = -1;
    } else {
        double total = 0.0;
        for (const auto& source : m_sources) {
            total += source->weight;
        }
        double at = random.uniform() * total;
        std::size_t chosen = 0;
        while (chosen + 1 < m_sources.size() && at >= m_sources[chosen]->weight) {
            at -= m_sources[chosen++]->weight;
        }
        out = simulated(*m_sources[chosen], split, index);
        out.source = static_cast<int>(chosen);
    }
    // The fixed sets are what they are: only their orientation would change.
    if (split == Split::Training) augment(out, m_augment, random);
    return out;
}

TrainingStamp TrainingData::simulated(const Source& source, Split split, std::int64_t index) const {
    const StampStream& stream = *source.stream;
    StampStream::Options options;
    options.psfs = true;
    StampStream::Stamp stamp = stream.stamp(stampNumber(split, index), options);
    const Survey& survey = stream.recipe().survey;
    TrainingStamp out;
    out.patch.box = Box::of(stamp.image.front().size());
    out.patch.pixelScale = survey.pixelScale;
    out.patch.sigma = stamp.sigma;
    Band named;
    named.maskNames = source.maskNames;
    const int unusable = named.unusableBits();
    for (std::size_t b = 0; b < survey.bands.size(); ++b) {
        out.patch.bands << survey.bands[b].name;
        out.patch.wavelength.push_back(survey.bands[b].wavelength);
        out.patch.zeroPoint.push_back(survey.countZeroPoint(survey.bands[b]));
        out.patch.fwhm.push_back(measureFwhm(stamp.psf[b]));
        cv::Mat weight(stamp.image[b].size(), CV_32F, cv::Scalar(1.0 / (double(stamp.sigma[b]) * stamp.sigma[b])));
        if (b < stamp.mask.size() && unusable != 0) {
            const cv::Mat bad = (stamp.mask[b] & unusable) != 0;
            weight.setTo(0.0f, bad);
            stamp.image[b].setTo(0.0f, bad);
        }
        out.patch.image.push_back(stamp.image[b]);
        out.patch.weight.push_back(weight);
    }
    const std::vector<double> sigma(stamp.sigma.begin(), stamp.sigma.end());
    for (std::size_t i = 0; i < stamp.objects.size(); ++i) {
        std::vector<double> squares;
        for (const std::vector<cv::Mat>& band : stamp.isolated) {
            squares.push_back(band[i].dot(band[i]));
        }
        out.objects.push_back(truthOf(stamp.objects[i], static_cast<int>(i) + 1, survey, Wcs(), squares, sigma));
    }
    out.noiseless = std::move(stamp.noiseless);
    out.isolated = std::move(stamp.isolated);
    out.psf = std::move(stamp.psf);
    out.patch.gain.assign(survey.bands.size(), survey.gain);
    return out;
}

TrainingStamp TrainingData::fromScene(Split split, Random& random) const {
    const std::vector<ScenePtr>& scenes = m_scenes[static_cast<int>(split)];
    const Scene& scene = *scenes[static_cast<std::size_t>(random.integer(0, static_cast<int>(scenes.size()) - 1))];
    const Truth& truth = *scene.truth;
    const int count = static_cast<int>(truth.objects.size());
    const TruthObject& middle = truth.objects[static_cast<std::size_t>(random.integer(0, count - 1))];
    const int shift = m_size / 8;
    const Box box{static_cast<int>(std::lround(middle.x)) - m_size / 2 + random.integer(-shift, shift),
                  static_cast<int>(std::lround(middle.y)) - m_size / 2 + random.integer(-shift, shift), m_size, m_size};
    const PatchReader reader(scene);
    TrainingStamp out;
    out.patch = reader.read(box);
    const Box in = box.intersected(scene.box());
    const auto read = [&](const PlanePtr& plane) {
        cv::Mat pixels = cv::Mat::zeros(box.size(), CV_32F);
        if (plane && !in.empty()) plane->read(in).copyTo(pixels(in.shifted(-box.x0, -box.y0).rect()));
        return pixels;
    };
    std::vector<std::size_t> inside;
    for (std::size_t i = 0; i < truth.objects.size(); ++i) {
        TruthObject object = truth.objects[i];
        object.x -= box.x0;
        object.y -= box.y0;
        if (object.x < -0.5 || object.y < -0.5 || object.x > m_size - 0.5 || object.y > m_size - 0.5) continue;
        out.objects.push_back(object);
        inside.push_back(i);
    }
    const std::size_t bands = scene.bands.size();
    for (const Band& band : scene.bands) {
        out.psf.push_back(band.psf.image);
    }
    if (truth.noiseless.size() == bands &&
        std::all_of(truth.noiseless.begin(), truth.noiseless.end(), [](const PlanePtr& p) { return p != nullptr; })) {
        for (const PlanePtr& plane : truth.noiseless) {
            out.noiseless.push_back(read(plane));
        }
    }
    if (truth.isolated.size() == bands &&
        std::all_of(truth.isolated.begin(), truth.isolated.end(),
                    [&](const std::vector<PlanePtr>& band) { return band.size() == truth.objects.size(); })) {
        for (const std::vector<PlanePtr>& band : truth.isolated) {
            std::vector<cv::Mat> planes;
            for (const std::size_t i : inside) {
                planes.push_back(read(band[i]));
            }
            out.isolated.push_back(std::move(planes));
        }
    }
    return out;
}

} // namespace blendscope
