#include "PhotometryTask.h"

#include "PhotometryStamp.h"
#include "Recipe.h"
#include "core/Error.h"
#include "core/Random.h"
#include "neural/Trainer.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr std::uint64_t kTarget = 0x74617267; ///< key of the stream that chooses targets
constexpr std::uint64_t kTurn = 0x7475726e;
constexpr double kMargin = 14.0;        ///< pixels between a chosen detection and the border
constexpr double kMatchFwhm = 1.2;      ///< farthest that a detection's object may lie
constexpr double kPositionError = 0.33; ///< pixels, of true positions
constexpr double kBright = 20.0;        ///< S/N in a band from which on fluxes count in the headline
constexpr double kTail = 3.0;           ///< pulls beyond count by their logarithm: no single one may rule

std::uint64_t seedOf(std::uint64_t seed, Split split) {
    return seed + 1000003ULL * static_cast<std::uint64_t>(split);
}

double number(const QJsonObject& json, const char* key, double otherwise) {
    return json.value(QLatin1String(key)).toDouble(otherwise);
}

/// The object with the most light at a pixel, in S/N over bands; -1 = none.
int brightestAt(const DetectedStamp& stamp, double x, double y) {
    const int px = std::clamp(int(std::lround(x)), 0, stamp.scene.size.width - 1);
    const int py = std::clamp(int(std::lround(y)), 0, stamp.scene.size.height - 1);
    int best = -1;
    double most = 0.0;
    for (size_t k = 0; k < stamp.objects.size(); ++k) {
        double light = 0.0;
        for (size_t b = 0; b < stamp.sigma.size(); ++b) {
            light += double(stamp.objects[k].light[b].at<float>(py, px)) / double(stamp.sigma[b]);
        }
        if (light > most) {
            most = light;
            best = int(k);
        }
    }
    return best;
}

torch::Tensor window(const cv::Mat& plane, const Box& box) {
    cv::Mat out = cv::Mat::zeros(box.size(), CV_32F);
    const Box in = box.intersected(Box::of(plane.size()));
    if (!in.empty()) plane(in.rect()).copyTo(out(in.shifted(-box.x0, -box.y0).rect()));
    return toTensor(out);
}

torch::Tensor meanOf(const torch::Tensor& x, const torch::Tensor& weight) {
    return (x * weight).sum() / weight.sum().clamp_min(1e-6);
}

double medianOf(const torch::Tensor& x) {
    return x.numel() ? x.median().item<double>() : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

PhotometryNet makePhotometryNet(const QJsonObject& network) {
    PhotometryNetOptions o;
    o.width = network.value(QStringLiteral("width")).toInt(o.width);
    o.depth = network.value(QStringLiteral("depth")).toInt(o.depth);
    o.hidden = network.value(QStringLiteral("hidden")).toInt(o.hidden);
    if (o.width < 4 || o.width > 128 || o.depth < 1 || o.depth > 4 || o.hidden < 4 || o.hidden > 1024) {
        throw UsageError(
            QStringLiteral("a photometry network of width %1 and depth %2 with %3 hidden units is not possible")
                .arg(o.width)
                .arg(o.depth)
                .arg(o.hidden));
    }
    return PhotometryNet(o);
}

PhotometryTask::PhotometryTask(const QJsonObject& recipe)
    : m_pool(SamplePool::fromJson(recipe.value(QStringLiteral("data")).toObject())),
      m_seed(static_cast<std::uint64_t>(recipe.value(QStringLiteral("seed")).toDouble(1))),
      m_preprocessing(Preprocessing::fromJson(photometryPreprocessing())),
      m_network(recipe.value(QStringLiteral("network")).toObject()) {
    const QJsonObject data = recipe.value(QStringLiteral("data")).toObject();
    m_perStamp = std::max(1, data.value(QStringLiteral("per_stamp")).toInt(1));
    m_truePositions = number(data, "true_positions", 0.25);
    m_leastSnr = number(data, "least_snr", 5.0);
    const QJsonObject weights = recipe.value(QStringLiteral("weights")).toObject();
    m_share = number(weights, "share", 1.0);
    m_misplaced = number(weights, "misplaced", 0.5);
    m_light = number(weights, "light", 0.3);
    m_likelihood = number(weights, "likelihood", 0.2);
    m_error = number(weights, "error", 1.0);
    for (const Split split : {Split::Training, Split::Validation, Split::Test}) {
        m_stamps[static_cast<size_t>(split)] = std::make_shared<const DetectedStamps>(data, seedOf(m_seed, split));
    }
}

QJsonObject PhotometryTask::card() const {
    return {
        {QStringLiteral("data"), QStringLiteral("simulated stamps of the recipe alone: smooth and irregular galaxies, "
                                                "stars, Poisson noise, three seeings of one survey")},
        {QStringLiteral("limits"), QStringLiteral("no artefacts or saturated stars were learned; the bands are u g r i "
                                                  "z y; fluxes of blends that are wider than 96 pixels are cut")},
        {QStringLiteral("licence"), QStringLiteral("BSD-3-Clause, as the program")}};
}

std::shared_ptr<torch::nn::Module> PhotometryTask::build() const {
    return makePhotometryNet(m_network).ptr();
}

PhotometryTask::Target PhotometryTask::choose(const DetectedStamp& stamp, Random& random) const {
    const cv::Size size = stamp.scene.size;
    const auto inside = [&](double x, double y) {
        return x > kMargin && y > kMargin && x < size.width - kMargin && y < size.height - kMargin;
    };
    std::vector<PixelPosition> peaks;
    for (const Footprint& f : stamp.detections.footprints) {
        for (const Peak& p : f.peaks) {
            peaks.push_back({p.x, p.y});
        }
    }
    double fwhm = 0.0;
    for (const Band& band : stamp.scene.bands) {
        fwhm += band.psf.fwhmPixels / double(stamp.scene.bands.size());
    }
    std::vector<Target> targets;
    const auto collect = [&](const std::vector<PixelPosition>& places, const std::vector<int>& objects) {
        for (size_t i = 0; i < places.size(); ++i) {
            if (objects[i] < 0 || !inside(places[i].x, places[i].y)) continue;
            const StampObject& o = stamp.objects[size_t(objects[i])];
            const double distance = std::hypot(o.x - places[i].x, o.y - places[i].y);
            if (o.snr < m_leastSnr || distance > kMatchFwhm * fwhm) continue;
            Target t{places[i], {}, objects[i]};
            bool nearest = true;
            for (size_t j = 0; j < places.size(); ++j) {
                if (j == i) continue;
                t.others.push_back(places[j]);
                if (objects[j] == objects[i] && std::hypot(o.x - places[j].x, o.y - places[j].y) < distance) {
                    nearest = false;
                }
            }
            if (nearest) targets.push_back(std::move(t));
        }
    };
    if (random.uniform() >= m_truePositions) {
        std::vector<int> objects;
        for (const PixelPosition& p : peaks) {
            objects.push_back(brightestAt(stamp, p.x, p.y));
        }
        collect(peaks, objects);
    }
    if (targets.empty()) {
        std::vector<PixelPosition> places;
        std::vector<int> objects;
        for (size_t k = 0; k < stamp.objects.size(); ++k) {
            if (stamp.objects[k].snr < m_leastSnr) continue;
            places.push_back({stamp.objects[k].x + random.normal(0.0, kPositionError),
                              stamp.objects[k].y + random.normal(0.0, kPositionError)});
            objects.push_back(int(k));
        }
        collect(places, objects);
    }
    if (targets.empty()) return {{0.5 * size.width, 0.5 * size.height}, peaks, -1};
    return targets[size_t(random.integer(0, int(targets.size()) - 1))];
}

Tensors PhotometryTask::sample(Split split, std::int64_t index) const {
    if (split != Split::Training) return make(split, index);
    Tensors sample = m_pool.get(index, [&](std::int64_t entry) { return make(split, entry); });
    Random random(m_seed, kTurn, static_cast<std::uint64_t>(index));
    const int turns = random.integer(0, 3);
    const bool mirror = random.uniform() < 0.5;
    for (const char* name : {"input", "light", "total"}) {
        torch::Tensor& planes = sample[name];
        planes = torch::rot90(planes, turns, {1, 2});
        if (mirror) planes = planes.flip({2});
        planes = planes.contiguous();
    }
    return sample;
}

Tensors PhotometryTask::make(Split split, std::int64_t index) const {
    const auto held = m_stamps[static_cast<size_t>(split)]->stamp(static_cast<int>(index / m_perStamp));
    const DetectedStamp& stamp = *held;
    Random random(seedOf(m_seed, split), kTarget, static_cast<std::uint64_t>(index));
    const Target target = choose(stamp, random);
    const Box box = photometryBox(target.own.x, target.own.y, kSide);
    const Patch patch = PatchReader(stamp.scene, stamp.detections.sky).read(box);
    const std::vector<int> matched = m_preprocessing.match(patch.bands, patch.wavelength);
    std::vector<double> gain;
    for (const Band& band : stamp.scene.bands) {
        gain.push_back(band.gain);
    }
    const torch::Tensor input = photometryInput(m_preprocessing, patch, matched, target.own, target.others);
    torch::Tensor light = torch::zeros({PhotometryNetImpl::kBands, kSide, kSide}), total = torch::zeros_like(light);
    torch::Tensor flux = torch::zeros({PhotometryNetImpl::kBands}), weight = torch::zeros_like(flux);
    for (int s = 0; s < PhotometryNetImpl::kBands; ++s) {
        if (matched[size_t(s)] < 0) continue;
        const auto b = size_t(matched[size_t(s)]);
        const double sigma = double(stamp.sigma[b]);
        total[s] = window(stamp.noiseless[b], box) / sigma;
        if (target.object >= 0) {
            const StampObject& o = stamp.objects[size_t(target.object)];
            light[s] = window(o.light[b], box) / sigma;
            flux[s] = o.flux[b] / sigma;
            weight[s] = 1.0;
        }
    }
    return {{"input", input}, {"light", light},   {"total", total},
            {"flux", flux},   {"weight", weight}, {"poisson", photometryPoisson(patch, matched, gain)}};
}

TrainingTask::Loss PhotometryTask::loss(torch::nn::Module& network, const Tensors& batch) const {
    const auto out = network.as<PhotometryNetImpl>()->forward(batch.at("input"), batch.at("poisson"));
    const torch::Tensor &light = batch.at("light"), &total = batch.at("total"), &flux = batch.at("flux");
    const torch::Tensor& weight = batch.at("weight"); // [n, 6]: 1 where there is a band and an object
    const torch::Tensor plane = weight.unsqueeze(2).unsqueeze(3);

    // Shares matter where there is light.
    const torch::Tensor target = (light / total.clamp_min(1e-4)).clamp(0.0, 1.0);
    const torch::Tensor seen = total / (total + 3.0) * plane;
    const torch::Tensor entropy =
        torch::binary_cross_entropy_with_logits(out.share, target, {}, {}, at::Reduction::None);
    const torch::Tensor share = meanOf(entropy, seen);
    const torch::Tensor wrong = ((torch::sigmoid(out.share) - target).abs() * total).sum({2, 3});
    const torch::Tensor misplaced = meanOf(torch::log1p(wrong / (light.sum({2, 3}) + 10.0)), weight);

    const torch::Tensor present =
        batch.at("input").slice(1, 2 * PhotometryNetImpl::kBands, 3 * PhotometryNetImpl::kBands);
    const torch::Tensor difference = torch::asinh(out.total) - torch::asinh(total);
    const torch::Tensor clean =
        meanOf(torch::where(difference.abs() < 0.2, 2.5 * difference.square(), difference.abs() - 0.1), present);

    const torch::Tensor off = out.flux - flux;
    const torch::Tensor pull = off.abs() / out.variance.sqrt();
    const torch::Tensor tail = kTail * kTail * (1.0 + 2.0 * (pull.clamp_min(kTail) / kTail).log());
    const torch::Tensor chi = torch::where(pull < kTail, pull.square(), tail);
    const torch::Tensor likelihood = meanOf(0.5 * (chi + out.variance.log()) - (flux.abs() + 3.0).log(), weight);
    // Relative to the flux, or to the noise of the sum where that is larger.
    const torch::Tensor noise = (out.variance / (1.0 + out.unknown.square())).sqrt().detach();
    const torch::Tensor relative = off.abs() / (flux + 5.0 * noise);
    const torch::Tensor error =
        meanOf(torch::where(relative < 0.05, relative.square() / 0.1, relative - 0.025).clamp_max(20.0), weight);

    Loss result;
    result.total =
        m_share * share + m_misplaced * misplaced + m_light * clean + m_likelihood * likelihood + m_error * error;
    result.parts = {{"share", share.detach()},
                    {"misplaced", misplaced.detach()},
                    {"light", clean.detach()},
                    {"likelihood", likelihood.detach()},
                    {"error", error.detach()}};
    return result;
}

QMap<QString, double> PhotometryTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                               const torch::Device& device) const {
    auto* net = network.as<PhotometryNetImpl>();
    std::vector<torch::Tensor> relative, pull, overlap;
    double loss = 0.0;
    for (const Tensors& batch : batches) {
        const Tensors b = onDevice(batch, device);
        loss += this->loss(network, b).total.item<double>() / double(batches.size());
        const auto out = net->forward(b.at("input"), b.at("poisson"));
        const torch::Tensor &flux = b.at("flux"), &light = b.at("light"), &total = b.at("total");
        const torch::Tensor snr = light.square().sum({2, 3}).sqrt();
        const torch::Tensor good = b.at("weight") > 0;
        const torch::Tensor bright = good & (snr > kBright);
        relative.push_back(((out.flux - flux) / flux).masked_select(bright).cpu());
        pull.push_back(((out.flux - flux) / out.variance.sqrt()).masked_select(good & (snr > 5.0)).cpu());
        // The mask of the object: where it has most of the light, and the light is above the noise.
        const torch::Tensor truth = (light > 0.5 * total) & (total > 1.0);
        const torch::Tensor mask = (out.share > 0.0) & (out.total > 1.0);
        const torch::Tensor both = (truth & mask).sum({2, 3}).to(torch::kFloat32);
        const torch::Tensor any = (truth | mask).sum({2, 3}).to(torch::kFloat32);
        overlap.push_back((both / any).masked_select(bright & (truth.sum({2, 3}) >= 10)).cpu());
    }
    const torch::Tensor r = torch::cat(relative), p = torch::cat(pull);
    return {{QStringLiteral("loss"), loss},
            {QStringLiteral("flux_error"), r.abs().clamp_max(2.0).mean().item<double>()},
            {QStringLiteral("flux_error_median"), medianOf(r.abs())},
            {QStringLiteral("flux_bias"), medianOf(r)},
            {QStringLiteral("pull_width"), 1.4826 * medianOf((p - p.median()).abs())},
            {QStringLiteral("pull_beyond_3"), (p.abs() > 3.0).to(torch::kFloat32).mean().item<double>()},
            {QStringLiteral("mask_iou"), medianOf(torch::cat(overlap))}};
}

QJsonObject PhotometryTask::finish(torch::nn::Module& network, const std::vector<Tensors>& validation,
                                   const torch::Device& device) const {
    auto* net = network.as<PhotometryNetImpl>();
    net->setErrorFactor(1.0);
    std::vector<torch::Tensor> pulls;
    for (const Tensors& batch : validation) {
        const Tensors b = onDevice(batch, device);
        const auto out = net->forward(b.at("input"), b.at("poisson"));
        const torch::Tensor pull = (out.flux - b.at("flux")).abs() / out.variance.sqrt();
        pulls.push_back(pull.masked_select(b.at("weight") > 0).cpu());
    }
    // So that 68.3 % of the pulls lie within one sigma.
    const double factor = torch::quantile(torch::cat(pulls), 0.683).item<double>();
    net->setErrorFactor(factor);
    return {{QStringLiteral("error_factor"), factor}};
}

cv::Mat PhotometryTask::picture(torch::nn::Module& network, const Tensors& batch, const torch::Device& device) const {
    const Tensors b = onDevice(batch, device);
    const auto out = network.as<PhotometryNetImpl>()->forward(b.at("input"), b.at("poisson"));
    const std::int64_t rows = std::min<std::int64_t>(4, out.share.size(0));
    const torch::Tensor share = torch::sigmoid(out.share);
    const torch::Tensor data = b.at("input").slice(1, 0, PhotometryNetImpl::kBands).mean(1);
    const torch::Tensor truth = torch::asinh(b.at("light")).mean(1);
    const torch::Tensor model = torch::asinh(share * out.total.clamp_min(0.0)).mean(1);
    // Rows of samples: data, the object, its model, its share.
    std::vector<torch::Tensor> lines;
    for (std::int64_t i = 0; i < rows; ++i) {
        const torch::Tensor top = data[i].max().clamp_min(1.0);
        lines.push_back(torch::cat({data[i] / top, truth[i] / top, model[i] / top, share[i].mean(0)}, 1));
    }
    cv::Mat grey, out8;
    toMat(torch::cat(lines, 0).clamp(0.0, 1.0).contiguous().cpu()).convertTo(grey, CV_8U, 255.0);
    cv::merge(std::vector<cv::Mat>{grey, grey, grey}, out8);
    return out8;
}

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::TrainableNetwork<blendscope::PhotometryTask>(kRecipe))
