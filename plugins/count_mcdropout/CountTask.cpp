#include "CountTask.h"

#include "CountScores.h"
#include "CountStamp.h"
#include "Recipe.h"
#include "core/Error.h"
#include "core/Random.h"
#include "neural/Trainer.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr std::uint64_t kArea = 0x61726561; ///< key of the stream that chooses areas
constexpr std::uint64_t kTurn = 0x7475726e;
constexpr int kValidationPasses = 8;
constexpr std::uint64_t kValidationSeed = 1;

std::uint64_t seedOf(std::uint64_t seed, Split split) {
    return seed + 1000003ULL * static_cast<std::uint64_t>(split);
}

bool insideScene(const Footprint& f, cv::Size size) {
    return f.box.x0 > 0 && f.box.y0 > 0 && f.box.x1() < size.width && f.box.y1() < size.height;
}

/// Probabilities of every pass [passes, n, classes], and counts, of all batches.
std::pair<torch::Tensor, torch::Tensor> predict(CountNetImpl& net, const std::vector<Tensors>& batches,
                                                const torch::Device& device) {
    std::vector<torch::Tensor> p, counts;
    for (const Tensors& batch : batches) {
        p.push_back(net.passes(batch.at("input").to(device), kValidationPasses, kValidationSeed).cpu());
        counts.push_back(batch.at("count"));
    }
    return {torch::cat(p, 1), torch::cat(counts)};
}

} // namespace

CountNet makeCountNet(const QJsonObject& network) {
    CountNetOptions o;
    o.inputs = network.value(QStringLiteral("inputs")).toInt(o.inputs);
    o.width = network.value(QStringLiteral("width")).toInt(o.width);
    o.classes = network.value(QStringLiteral("classes")).toInt(o.classes);
    o.blockDropout = network.value(QStringLiteral("block_dropout")).toDouble(o.blockDropout);
    o.headDropout = network.value(QStringLiteral("head_dropout")).toDouble(o.headDropout);
    if (o.inputs < 2 || o.inputs > 256) throw UsageError(QStringLiteral("a network of %1 channels").arg(o.inputs));
    if (o.width < 4 || o.width > 256 || o.classes < 3 || o.classes > 32) {
        throw UsageError(
            QStringLiteral("a count network of width %1 with %2 classes is not possible").arg(o.width).arg(o.classes));
    }
    return CountNet(o);
}

CountTask::CountTask(const QJsonObject& recipe)
    : m_pool(SamplePool::fromJson(recipe.value(QStringLiteral("data")).toObject())),
      m_seed(static_cast<std::uint64_t>(recipe.value(QStringLiteral("seed")).toDouble(1))),
      m_preprocessing(Preprocessing::fromJson(
          completeRecipe(countPreprocessing(), recipe.value(QStringLiteral("preprocessing")).toObject()))),
      m_network(recipe.value(QStringLiteral("network")).toObject()) {
    const QJsonObject data = recipe.value(QStringLiteral("data")).toObject();
    m_perStamp = std::max(1, data.value(QStringLiteral("per_stamp")).toInt(1));
    m_discs = data.value(QStringLiteral("discs")).toDouble(0.15);
    m_centred = data.value(QStringLiteral("centred")).toBool(true);
    m_turned = data.value(QStringLiteral("turned")).toBool(true);
    m_network.insert(QStringLiteral("inputs"), m_preprocessing.channels() + 1);
    m_leastSnr = data.value(QStringLiteral("least_snr")).toDouble(5.0);
    for (const Split split : {Split::Training, Split::Validation, Split::Test}) {
        m_stamps[static_cast<size_t>(split)] = std::make_shared<const DetectedStamps>(data, seedOf(m_seed, split));
    }
    const cv::Size size = m_stamps[0]->size();
    if (std::min(size.width, size.height) <= kCountSide) {
        throw UsageError(QStringLiteral("stamps of the training data must be larger than %1 pixels").arg(kCountSide));
    }
}

QJsonObject CountTask::card() const {
    return {{QStringLiteral("counts"),
             QStringLiteral("objects with a matched-filter S/N of %1 and more over the given bands, each alone, whose "
                            "centre lies in the area; the last class stands for that many or more")
                 .arg(m_leastSnr)},
            {QStringLiteral("licence"), QStringLiteral("BSD-3-Clause, as the program")}};
}

std::shared_ptr<torch::nn::Module> CountTask::build() const {
    return makeCountNet(m_network).ptr();
}

Tensors CountTask::sample(Split split, std::int64_t index) const {
    if (split != Split::Training) return make(split, index);
    Tensors sample = m_pool.get(index, [&](std::int64_t entry) { return make(split, entry); });
    if (!m_turned) return sample;
    Random random(m_seed, kTurn, static_cast<std::uint64_t>(index));
    torch::Tensor& input = sample["input"];
    input = torch::rot90(input, random.integer(0, 3), {1, 2});
    if (random.uniform() < 0.5) input = input.flip({2});
    input = input.contiguous();
    return sample;
}

Tensors CountTask::make(Split split, std::int64_t index) const {
    const auto held = m_stamps[static_cast<size_t>(split)]->stamp(static_cast<int>(index / m_perStamp));
    const DetectedStamp& stamp = *held;
    Random random(seedOf(m_seed, split), kArea, static_cast<std::uint64_t>(index));
    const cv::Size size = stamp.scene.size;
    std::vector<const Footprint*> candidates;
    for (const Footprint& f : stamp.detections.footprints) {
        if (fitsCountStamp(f) && insideScene(f, size)) candidates.push_back(&f);
    }
    Box box;
    cv::Mat area;
    if (candidates.empty() || random.uniform() < m_discs) {
        const double radius = random.uniform(3.0, 0.35 * kCountSide);
        const double x = random.uniform(0.5 * kCountSide, size.width - 0.5 * kCountSide);
        const double y = random.uniform(0.5 * kCountSide, size.height - 0.5 * kCountSide);
        box = {int(x) - kCountSide / 2, int(y) - kCountSide / 2, kCountSide, kCountSide};
        area = cv::Mat::zeros(box.size(), CV_8U);
        for (int i = 0; i < area.rows; ++i) {
            for (int j = 0; j < area.cols; ++j) {
                if (std::hypot(box.x0 + j - x, box.y0 + i - y) < radius) area.at<uchar>(i, j) = 255;
            }
        }
    } else {
        const Footprint& f = *candidates[size_t(random.integer(0, int(candidates.size()) - 1))];
        box = countBox(f);
        if (!m_centred) { // anywhere in the stamp that holds all of it
            const int dx = (kCountSide - f.box.width) / 2, dy = (kCountSide - f.box.height) / 2;
            box = box.shifted(int(random.integer(-dx, dx)), int(random.integer(-dy, dy)));
        }
        area = f.mask(box);
    }
    std::int64_t count = 0;
    for (const StampObject& o : stamp.objects) {
        const int x = int(std::lround(o.x)), y = int(std::lround(o.y));
        if (o.snr >= m_leastSnr && box.contains(x, y) && area.at<uchar>(y - box.y0, x - box.x0)) ++count;
    }
    const std::int64_t most = m_network.value(QStringLiteral("classes")).toInt(CountNetOptions().classes) - 1;
    const Patch patch = PatchReader(stamp.scene, stamp.detections.sky).read(box);
    const torch::Tensor input =
        countInput(m_preprocessing, patch, m_preprocessing.match(patch.bands, patch.wavelength), area);
    return {{"input", input}, {"count", torch::tensor(std::min(count, most), torch::kInt64)}};
}

TrainingTask::Loss CountTask::loss(torch::nn::Module& network, const Tensors& batch) const {
    auto* net = network.as<CountNetImpl>();
    const torch::Tensor logits = net->forward(batch.at("input"));
    const torch::Tensor entropy = torch::cross_entropy_loss(logits, batch.at("count"));
    return {entropy, {{"cross_entropy", entropy.detach()}}};
}

QMap<QString, double> CountTask::validate(torch::nn::Module& network, const std::vector<Tensors>& batches,
                                          const torch::Device& device) const {
    const auto [p, counts] = predict(*network.as<CountNetImpl>(), batches, device);
    const CountScores s = CountScores::of(p.mean(0), counts);
    return {{QStringLiteral("log_score"), s.logScore},
            {QStringLiteral("accuracy"), s.accuracy},
            {QStringLiteral("calibration_error"), s.calibrationError},
            {QStringLiteral("calibration_error_several"), s.severalError},
            {QStringLiteral("log_score_of_prior"), s.priorScore}};
}

QJsonObject CountTask::finish(torch::nn::Module& network, const std::vector<Tensors>& validation,
                              const torch::Device& device) const {
    auto* net = network.as<CountNetImpl>();
    net->setTemperature(1.0);
    const auto [passes, counts] = predict(*net, validation, device);
    const torch::Tensor logits = passes.clamp_min(1e-12).log();
    const auto scores = [&logits, &counts = counts](double t) {
        return CountScores::of(torch::softmax(logits / t, 2).mean(0), counts);
    };
    const CountScores raw = scores(1.0);
    // The score is smooth and has one minimum: a grid, then a finer one.
    double best = 1.0;
    for (const double step : {0.1, 0.01}) {
        const double middle = best;
        for (int i = -10; i <= 10; ++i) {
            const double t = middle * std::exp(step * i);
            if (scores(t).logScore < scores(best).logScore) best = t;
        }
    }
    net->setTemperature(best);
    const CountScores fitted = scores(best);
    return {{QStringLiteral("temperature"),
             QJsonObject{{QStringLiteral("value"), best},
                         {QStringLiteral("validation_log_score_before"), raw.logScore},
                         {QStringLiteral("validation_log_score_after"), fitted.logScore},
                         {QStringLiteral("validation_calibration_error_before"), raw.calibrationError},
                         {QStringLiteral("validation_calibration_error_after"), fitted.calibrationError}}}};
}

} // namespace blendscope

BLENDSCOPE_TRAINABLE(blendscope::TrainableNetwork<blendscope::CountTask>(kRecipe))
