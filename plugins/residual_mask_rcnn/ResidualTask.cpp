#include "ResidualTask.h"

#include "FirstPass.h"
#include "Recipe.h"
#include "ResidualInput.h"
#include "core/Error.h"
#include "core/Random.h"
#include "method/Training.h"
#include "neural/RegionSearch.h"
#include "neural/Trainer.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr std::uint64_t kHideKey = 0x68696465ull;
constexpr double kFoundWithin = 2.5; ///< pixel: a peak so close to an object, one to one, has found it

/// Takes one peak out of a footprint that has several.
void hideOne(Result& result, Random& random) {
    std::vector<Footprint*> blends;
    for (Footprint& f : result.footprints) {
        if (f.peaks.size() > 1) blends.push_back(&f);
    }
    if (blends.empty()) return;
    Footprint& f = *blends[static_cast<std::size_t>(random.integer(0, static_cast<int>(blends.size()) - 1))];
    f.peaks.erase(f.peaks.begin() + random.integer(0, static_cast<int>(f.peaks.size()) - 1));
}

/// Objects (columns of RegionSample) that no peak has found, nearest pairs first.
std::vector<bool> missed(const torch::Tensor& objects, const std::vector<Peak>& peaks) {
    const auto o = objects.accessor<float, 2>();
    struct Pair {
        double distance;
        std::int64_t object;
        std::size_t peak;
    };
    std::vector<Pair> pairs;
    for (std::int64_t k = 0; k < objects.size(0); ++k) {
        for (std::size_t i = 0; i < peaks.size(); ++i) {
            const double d = std::hypot(double(o[k][CentreX]) - peaks[i].x, double(o[k][CentreY]) - peaks[i].y);
            if (d < kFoundWithin) pairs.push_back({d, k, i});
        }
    }
    // Objects that are asked for take their peaks before those that are too faint.
    std::sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) {
        const bool first = o[a.object][Wanted] > 0.5f, second = o[b.object][Wanted] > 0.5f;
        return first != second ? first : a.distance < b.distance;
    });
    std::vector<bool> out(static_cast<std::size_t>(objects.size(0)), true), taken(peaks.size(), false);
    for (const Pair& p : pairs) {
        if (!out[static_cast<std::size_t>(p.object)] || taken[p.peak]) continue;
        out[static_cast<std::size_t>(p.object)] = false;
        taken[p.peak] = true;
    }
    return out;
}

} // namespace

Scene sceneOf(const TrainingStamp& stamp) {
    const Patch& patch = stamp.patch;
    Scene scene;
    scene.id = QStringLiteral("stamp");
    scene.size = patch.box.size();
    scene.pixelScale = patch.pixelScale;
    for (std::size_t b = 0; b < patch.image.size(); ++b) {
        Band band;
        band.name = patch.bands[static_cast<qsizetype>(b)];
        band.wavelength = patch.wavelength[b];
        band.image = std::make_shared<MemoryPlane>(patch.image[b]);
        cv::Mat variance;
        cv::divide(1.0, patch.weight[b], variance);
        variance.setTo(0.0f, patch.weight[b] <= 0.0f);
        band.variance = std::make_shared<MemoryPlane>(variance);
        if (b < stamp.psf.size() && !stamp.psf[b].empty()) {
            band.psf = Psf::fromImage(stamp.psf[b], Psf::Origin::Given);
        } else if (patch.fwhm[b] > 0.0) {
            band.psf = Psf::moffat(patch.fwhm[b]);
        }
        band.zeroPoint = patch.zeroPoint[b];
        band.gain = b < patch.gain.size() ? patch.gain[b] : 0.0;
        band.varianceIsSkyOnly = true;
        band.skySubtracted = true;
        scene.bands.push_back(std::move(band));
    }
    return scene;
}

RegionNet buildResidualNet(const QJsonObject& network) {
    checkRecipeKeys(network, QStringLiteral("network"), {QStringLiteral("features")});
    RegionNetOptions options;
    options.imageSets = 2;
    options.planes = 1;
    options.masks = false;
    options.features = channelsOf(network, "features", options.features);
    return RegionNet(options);
}

ResidualTask::ResidualTask(const QJsonObject& recipe)
    : RegionTask(recipe, {QStringLiteral("first_pass")}, {QStringLiteral("least_snr")}) {
    const QJsonObject first = recipe.value(QStringLiteral("first_pass")).toObject();
    checkRecipeKeys(first, QStringLiteral("first_pass"),
                    {QStringLiteral("detector"), QStringLiteral("deblender"), QStringLiteral("hide")});
    m_detector = first.value(QStringLiteral("detector")).toString(QStringLiteral("threshold"));
    m_deblender = first.value(QStringLiteral("deblender")).toString(QStringLiteral("factorize"));
    m_hide = first.value(QStringLiteral("hide")).toDouble(m_hide);
    if (!(m_hide >= 0.0 && m_hide <= 1.0)) throw UsageError(QStringLiteral("first_pass: hide must be from 0 to 1"));
    (void)FirstPass(m_registry, m_detector, m_deblender);
    (void)buildResidualNet(m_network);
}

Preprocessing ResidualTask::preprocessing() const {
    Preprocessing p = regionPreprocessing();
    p.scale = Preprocessing::Scale::Pull;
    return p;
}

QJsonObject ResidualTask::card() const {
    return {{QStringLiteral("data"), QStringLiteral("simulated stamps of the recipe alone, after threshold and "
                                                    "factorize: smooth and irregular galaxies, stars, Poisson noise")},
            {QStringLiteral("limits"),
             QStringLiteral("one first pass; no artefacts or saturated stars were learned; scores are not calibrated; "
                            "below a score of 0.7 knots of irregular galaxies pass for neighbours")},
            {QStringLiteral("licence"), QStringLiteral("BSD-3-Clause, as the program")}};
}

std::shared_ptr<torch::nn::Module> ResidualTask::build() const {
    return buildResidualNet(m_network).ptr();
}

Tensors ResidualTask::sample(Split split, std::int64_t index) const {
    const TrainingStamp stamp = m_data.stamp(split, index);
    Tensors out = regionSample(stamp, m_targets);
    const Scene scene = sceneOf(stamp);
    Progress progress;
    MethodContext context;
    context.progress = &progress;
    context.threads = 1;
    context.warn = [](const QString&) {};
    const FirstPass pass(m_registry, m_detector, m_deblender);
    Random random(m_seed, kHideKey, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(index));
    Result result = pass.detect(scene, {}, context);
    if (random.uniform() < m_hide) hideOne(result, random);
    result = pass.deblend(scene, std::move(result), context);

    const auto side = static_cast<int>(out.at("images").size(2));
    const SlottedBands bands = SlottedBands::of(scene);
    const std::vector<Peak> peaks = peaksOf(result);
    out["images"] = residualInput(stamp.patch, modelIn(result, stamp.patch.box, scene.bands.size()), stamp.patch.gain,
                                  bands.matched, peaks)
                        .slice(1, 0, side)
                        .slice(2, 0, side)
                        .contiguous();
    out["poisson"].zero_(); // pulls have it already
    // What was found is no longer there to be found: neither asked for nor excused.
    const std::vector<bool> left = missed(out.at("objects"), peaks);
    std::vector<std::int64_t> rows;
    for (std::size_t k = 0; k < left.size(); ++k) {
        if (left[k]) rows.push_back(static_cast<std::int64_t>(k));
    }
    const torch::Tensor which = torch::tensor(rows, torch::kLong);
    out["objects"] = out.at("objects").index_select(0, which);
    out["iso"] = torch::zeros({out["objects"].size(0), 1, 1, 1}); // masks are not learned
    out["total"] = torch::zeros({1, 1, 1});
    addCentreTargets(out, m_targets, side);
    return out;
}

RegionScoreOptions ResidualTask::scoring() const {
    RegionScoreOptions options;
    options.purity = 0.9; // one false detection in ten that are new: below 1 % of all
    return options;
}

QMap<QString, double> ResidualTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                             const torch::Device& device) const {
    QMap<QString, double> metrics = RegionTask::validate(network, batches, device);
    metrics.remove(QStringLiteral("blends")); // of what was missed: not the blends of the sky
    return metrics;
}

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::TrainableNetwork<blendscope::ResidualTask>(kRecipe))
