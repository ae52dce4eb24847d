#include "neural/Trainer.h"

#include "core/Random.h"
#include "method/Registry.h"
#include "neural/Checkpoint.h"
#include "neural/ModelFile.h"
#include "neural/ModelReadme.h"
#include "neural/OptimizerState.h"
#include "neural/SampleQueue.h"
#include "neural/TorchDevice.h"

#include <QDateTime>
#include <QDir>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <thread>

namespace blendscope {

namespace {

constexpr int kMostBadSteps = 50; // losses that are no numbers, in a row, before training is given up

/// One run of a task.
class Trainer {
public:
    Trainer(const TrainingTask& task, const QJsonObject& recipe, const TrainingRequest& request,
            TrainingContext& context);
    TrainingOutcome run();

private:
    void makeOptimizer();
    void begin(); ///< with another model's weights
    void resume();
    bool trainSteps(); ///< false: stopped on request
    void step(const Tensors& batch);
    void updateAverage();
    bool validate(); ///< false: stopped on request
    void checkpoint();
    TrainingOutcome finish();

    std::optional<std::vector<Tensors>> fixedSet(Split split, int count);
    [[nodiscard]] double rateAt(long long step) const;
    [[nodiscard]] double elapsed() const;
    [[nodiscard]] double fraction(long long step) const; ///< of the run
    [[nodiscard]] bool stopAsked() const { return m_context.progress->token().cancelled(); }
    [[nodiscard]] torch::nn::Module& kept() { return m_average ? *m_average : *m_network; }
    void report();
    [[nodiscard]] long long lastValidation() const; ///< step; -1 = none yet
    void publish(TrainingPoint point);

    const TrainingTask& m_task;
    QJsonObject m_recipe;
    const TrainingRequest& m_request;
    TrainingContext& m_context;
    TrainerOptions m_options;
    torch::Device m_device;
    int m_threads = 0, m_workers = 0;
    std::shared_ptr<torch::nn::Module> m_network, m_average;
    std::unique_ptr<torch::optim::Optimizer> m_optimizer;
    std::vector<std::string> m_names; ///< of the optimizer's parameters
    std::vector<Tensors> m_validation;
    Checkpoint m_state;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point m_lastCheckpoint = m_start;
    double m_secondsBefore = 0.0;
    int m_badSteps = 0;
    long long m_shown = 0;
};

Trainer::Trainer(const TrainingTask& task, const QJsonObject& recipe, const TrainingRequest& request,
                 TrainingContext& context)
    : m_task(task), m_recipe(recipe), m_request(request), m_context(context),
      m_options(TrainerOptions::fromJson(recipe.value(QStringLiteral("training")).toObject())),
      m_device(torchDevice(request.device)) {
    m_recipe[QStringLiteral("training")] = m_options.toJson();
    useTorchThreads(request.threads);
    m_threads = torch::get_num_threads();
    m_workers = m_options.workers > 0 ? m_options.workers : m_threads;
}

double Trainer::elapsed() const {
    return m_secondsBefore + std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
}

double Trainer::fraction(long long step) const {
    double f = 0.0;
    if (m_options.steps > 0) f = static_cast<double>(step) / static_cast<double>(m_options.steps);
    if (m_options.minutes > 0.0) f = std::max(f, elapsed() / (60.0 * m_options.minutes));
    return std::min(1.0, f);
}

double Trainer::rateAt(long long step) const {
    const double warm = m_options.warmUp > 0 ? std::min(1.0, double(step + 1) / double(m_options.warmUp)) : 1.0;
    const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * fraction(step)));
    return m_options.learningRate * warm * (m_options.finalRate + (1.0 - m_options.finalRate) * cosine);
}

void Trainer::makeOptimizer() {
    std::vector<torch::Tensor> decayed, plain;
    std::vector<std::string> decayedNames, plainNames;
    for (const auto& item : m_network->named_parameters()) {
        const bool weight = item.value().dim() >= 2;
        (weight ? decayed : plain).push_back(item.value());
        (weight ? decayedNames : plainNames).push_back(item.key());
    }
    m_names = decayedNames;
    m_names.insert(m_names.end(), plainNames.begin(), plainNames.end());
    const auto groups = [&](const auto& options) {
        std::vector<torch::optim::OptimizerParamGroup> out;
        using Options = std::decay_t<decltype(options)>;
        out.emplace_back(decayed, std::make_unique<Options>(Options(options).weight_decay(m_options.weightDecay)));
        out.emplace_back(plain, std::make_unique<Options>(Options(options).weight_decay(0.0)));
        return out;
    };
    if (m_options.optimizer == QLatin1String("sgd")) {
        const auto options = torch::optim::SGDOptions(m_options.learningRate).momentum(0.9).nesterov(true);
        m_optimizer = std::make_unique<torch::optim::SGD>(groups(options), options);
    } else {
        const auto options = torch::optim::AdamWOptions(m_options.learningRate);
        m_optimizer = std::make_unique<torch::optim::AdamW>(groups(options), options);
    }
}

void Trainer::begin() {
    const QString folder = QDir(m_request.folder).filePath(m_options.start);
    const ModelFile model = ModelFile::open(folder, m_task.method(), m_task.architecture());
    if (model.network() != m_task.network())
        throw MethodError(QStringLiteral("the model in %1 is of another size than the recipe's network").arg(folder));
    model.load(*m_network);
    m_network->train();
}

void Trainer::resume() {
    const Checkpoint saved = Checkpoint::read(m_request.out, m_task.method(), m_task.architecture(), m_task.network());
    for (const char* part : {"data", "preprocessing"}) {
        if (saved.recipe.value(QLatin1String(part)) != m_recipe.value(QLatin1String(part)) && m_context.warn)
            m_context.warn(QStringLiteral("the recipe's \"%1\" differs from the one that training was begun with")
                               .arg(QLatin1String(part)));
    }
    const QString what = QStringLiteral("the checkpoint in %1").arg(m_request.out);
    setWeights(*m_network, saved.weights, what);
    if (m_average) setWeights(*m_average, saved.average.empty() ? saved.weights : saved.average, what);
    setOptimizerState(*m_optimizer, m_names, saved.optimizer);
    m_state = saved;
    m_state.recipe = m_recipe;
    m_state.finished = false;
    m_secondsBefore = saved.seconds;
    if (m_context.point) {
        for (const TrainingPoint& point : m_state.curves) {
            m_context.point(point);
        }
    }
}

std::optional<std::vector<Tensors>> Trainer::fixedSet(Split split, int count) {
    std::vector<Tensors> batches, samples;
    SampleQueue queue([this, split](std::int64_t index) { return m_task.sample(split, index); }, 0, m_workers,
                      2 * m_options.batch);
    for (int i = 0; i < count; ++i) {
        std::optional<Tensors> sample;
        while (!(sample = queue.next(0.1))) {
            if (stopAsked()) return std::nullopt;
        }
        samples.push_back(std::move(*sample));
        if (static_cast<int>(samples.size()) == m_options.batch || i + 1 == count) {
            batches.push_back(m_task.collate(samples));
            samples.clear();
        }
        try {
            m_context.progress->advance();
        } catch (const CancelledError&) {
            return std::nullopt;
        }
    }
    return batches;
}

void Trainer::publish(TrainingPoint point) {
    if (m_context.point) m_context.point(point);
    m_state.curves.push_back(std::move(point));
}

void Trainer::step(const Tensors& batch) {
    // What is drawn in a step depends on its number alone: resuming needs no state of generators.
    torch::manual_seed(Random(m_options.seed, 0x57e9u, static_cast<std::uint64_t>(m_state.step))());
    const double rate = rateAt(m_state.step);
    for (torch::optim::OptimizerParamGroup& group : m_optimizer->param_groups()) {
        group.options().set_lr(rate);
    }
    m_network->train();
    m_optimizer->zero_grad();
    const TrainingTask::Loss loss = m_task.loss(*m_network, onDevice(batch, m_device));
    const double total = loss.total.item<double>();
    double norm = 0.0;
    bool good = std::isfinite(total);
    if (good) {
        loss.total.backward();
        std::vector<torch::Tensor> parameters;
        for (const torch::Tensor& p : m_network->parameters()) {
            if (p.grad().defined()) parameters.push_back(p);
        }
        const double most = m_options.clip > 0.0 ? m_options.clip : std::numeric_limits<double>::infinity();
        norm = torch::nn::utils::clip_grad_norm_(parameters, most);
        good = std::isfinite(norm);
    }
    if (good) {
        m_optimizer->step();
        updateAverage();
        m_badSteps = 0;
        m_state.sum[QStringLiteral("loss")] += total;
        m_state.sum[QStringLiteral("gradient")] += norm;
        for (const auto& [name, part] : loss.parts) {
            m_state.sum[QString::fromStdString(name)] += part.item<double>();
        }
        ++m_state.summed;
    } else if (++m_badSteps >= kMostBadSteps) {
        throw MethodError(
            QStringLiteral("training diverged at step %1 (the loss is no number): lower the learning rate")
                .arg(m_state.step));
    }
    ++m_state.step;
    if (m_state.step % m_options.curveEvery == 0 && m_state.summed > 0) {
        TrainingPoint point;
        point.step = m_state.step;
        point.seconds = elapsed();
        for (auto it = m_state.sum.begin(); it != m_state.sum.end(); ++it) {
            point.values[it.key()] = it.value() / m_state.summed;
        }
        point.values[QStringLiteral("learning_rate")] = rate;
        publish(std::move(point));
        m_state.sum.clear();
        m_state.summed = 0;
    }
}

void Trainer::updateAverage() {
    if (!m_average) return;
    const torch::NoGradGuard guard;
    // Early on the average follows quickly, so that it forgets the initial weights.
    const auto n = static_cast<double>(m_state.step);
    const double decay = std::min(m_options.ema, (1.0 + n) / (10.0 + n));
    const auto from = m_network->parameters();
    auto to = m_average->parameters();
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i].mul_(decay).add_(from[i].detach(), 1.0 - decay);
    }
    const auto fromBuffers = m_network->buffers();
    auto toBuffers = m_average->buffers();
    for (std::size_t i = 0; i < fromBuffers.size(); ++i) {
        toBuffers[i].copy_(fromBuffers[i]);
    }
}

bool Trainer::validate() {
    if (m_validation.empty()) {
        m_context.progress->begin(QStringLiteral("making the validation set"), m_options.validation);
        auto set = fixedSet(Split::Validation, m_options.validation);
        if (!set) return false;
        m_validation = std::move(*set);
    }
    torch::nn::Module& network = kept();
    network.eval();
    TrainingPoint point;
    {
        const torch::NoGradGuard guard;
        point.values = m_task.validate(network, m_validation, m_device);
    }
    point.step = m_state.step;
    point.seconds = elapsed();
    point.validation = true;
    const double headline = point.values.value(m_task.headline(), std::numeric_limits<double>::quiet_NaN());
    const bool better =
        std::isfinite(headline) &&
        (!m_state.hasBest || (m_task.higherIsBetter() ? headline > m_state.best : headline < m_state.best));
    if (better) {
        m_state.hasBest = true;
        m_state.best = headline;
        m_state.bestStep = m_state.step;
        m_state.sinceBest = 0;
        m_state.bestWeights.clear();
        for (const auto& [name, tensor] : weightsOf(network)) {
            m_state.bestWeights.emplace(name, tensor.detach().to(torch::kCPU).clone());
        }
    } else {
        ++m_state.sinceBest;
    }
    publish(std::move(point));
    if (m_context.picture) {
        const torch::NoGradGuard guard;
        const cv::Mat picture = m_task.picture(network, m_validation.front(), m_device);
        if (!picture.empty()) m_context.picture(picture);
    }
    return true;
}

void Trainer::checkpoint() {
    m_state.method = m_task.method();
    m_state.architecture = m_task.architecture();
    m_state.network = m_task.network();
    m_state.recipe = m_recipe;
    m_state.seconds = elapsed();
    m_state.weights = weightsOf(*m_network);
    m_state.average = m_average ? weightsOf(*m_average) : Tensors();
    m_state.optimizer = optimizerState(*m_optimizer, m_names);
    m_state.write(m_request.out);
    writeCurves(m_request.out + QStringLiteral("/curves.csv"), m_state.curves);
    m_lastCheckpoint = std::chrono::steady_clock::now();
}

void Trainer::report() {
    const long long total = m_options.steps > 0 && m_options.minutes <= 0.0 ? m_options.steps : 1000;
    const auto done = static_cast<long long>(fraction(m_state.step) * static_cast<double>(total));
    if (done > m_shown) {
        const long long more = done - m_shown;
        m_shown = done;
        try {
            m_context.progress->advance(more);
        } catch (const CancelledError&) {
            // The loop asks by itself, after a checkpoint.
        }
    }
}

long long Trainer::lastValidation() const {
    for (auto it = m_state.curves.rbegin(); it != m_state.curves.rend(); ++it) {
        if (it->validation) return it->step;
    }
    return -1;
}

bool Trainer::trainSteps() {
    const auto begin = [&] {
        m_context.progress->begin(QStringLiteral("training"),
                                  m_options.steps > 0 && m_options.minutes <= 0.0 ? m_options.steps : 1000);
        m_shown = 0;
        report();
    };
    begin();
    const auto batch = static_cast<std::int64_t>(m_options.batch);
    SampleQueue queue([this](std::int64_t index) { return m_task.sample(Split::Training, index); },
                      m_state.step * batch, m_workers, static_cast<int>(3 * batch));
    std::vector<Tensors> samples;
    while (fraction(m_state.step) < 1.0) {
        // A stop may have come between a step and its validation: after resuming it is made up for.
        if (m_state.step > 0 && m_state.step % m_options.validateEvery == 0 && lastValidation() != m_state.step) {
            const bool first = m_validation.empty();
            if (!validate()) return false;
            if (first) begin();
            if (m_options.patience > 0 && m_state.sinceBest >= m_options.patience) return true;
        }
        samples.clear();
        while (static_cast<std::int64_t>(samples.size()) < batch) {
            if (stopAsked()) return false;
            if (std::optional<Tensors> sample = queue.next(0.1)) samples.push_back(std::move(*sample));
        }
        step(m_task.collate(samples));
        report();
        if (stopAsked()) return false;
        const double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_lastCheckpoint).count();
        if (since >= 60.0 * m_options.checkpointMinutes) checkpoint();
    }
    return lastValidation() == m_state.step || validate();
}

TrainingOutcome Trainer::finish() {
    TrainingOutcome outcome;
    outcome.headline = m_task.headline();
    outcome.steps = m_state.step;
    outcome.seconds = elapsed();
    torch::nn::Module& network = kept();
    if (m_state.hasBest) setWeights(network, m_state.bestWeights, QStringLiteral("the best weights"));
    network.eval();
    const torch::NoGradGuard guard;
    if (m_validation.empty()) {
        auto set = fixedSet(Split::Validation, m_options.validation);
        if (!set) {
            outcome.stopped = true;
            return outcome;
        }
        m_validation = std::move(*set);
    }
    const QJsonObject extra = m_task.finish(network, m_validation, m_device);
    QJsonObject validation, test;
    for (const auto& [name, value] : m_task.validate(network, m_validation, m_device).toStdMap()) {
        validation[name] = value;
        outcome.metrics[name] = value;
    }
    if (m_options.test > 0) {
        m_context.progress->begin(QStringLiteral("testing"), m_options.test);
        const auto set = fixedSet(Split::Test, m_options.test);
        if (!set) {
            outcome.stopped = true;
            return outcome;
        }
        for (const auto& [name, value] : m_task.validate(network, *set, m_device).toStdMap()) {
            test[name] = value;
            outcome.metrics[QStringLiteral("test_") + name] = value;
        }
    }
    long long parameters = 0;
    for (const torch::Tensor& p : network.parameters()) {
        parameters += p.numel();
    }
    QJsonObject card = m_task.card();
    for (auto it = extra.begin(); it != extra.end(); ++it) {
        card[it.key()] = it.value();
    }
    card[QStringLiteral("method")] = m_task.method();
    card[QStringLiteral("architecture")] = m_task.architecture();
    card[QStringLiteral("network")] = m_task.network();
    card[QStringLiteral("preprocessing")] = m_task.preprocessing().toJson();
    card[QStringLiteral("recipe")] = m_recipe;
    card[QStringLiteral("seed")] = static_cast<qint64>(m_options.seed);
    card[QStringLiteral("parameters")] = static_cast<qint64>(parameters);
    card[QStringLiteral("steps")] = static_cast<qint64>(m_state.step);
    card[QStringLiteral("best_step")] = static_cast<qint64>(m_state.bestStep);
    card[QStringLiteral("training_seconds")] = std::round(outcome.seconds);
    card[QStringLiteral("device")] = QString::fromStdString(m_device.str());
    card[QStringLiteral("threads")] = m_threads;
    card[QStringLiteral("libtorch")] = neuralVersion();
    card[QStringLiteral("blendscope")] = engineVersion();
    card[QStringLiteral("date")] = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
    card[QStringLiteral("headline")] = m_task.headline();
    card[QStringLiteral("metrics")] =
        QJsonObject{{QStringLiteral("validation"), validation}, {QStringLiteral("test"), test}};
    card[QStringLiteral("command")] =
        QStringLiteral("blend train %1 --recipe card.json --out MODEL").arg(m_task.method());
    ModelFile::save(m_request.out, network, card,
                    m_options.halfPrecision ? ModelFile::Storage::Float16 : ModelFile::Storage::Float32);
    writeModelReadme(m_request.out, card);
    return outcome;
}

TrainingOutcome Trainer::run() {
    if (!QDir().mkpath(m_request.out))
        throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(m_request.out));
    torch::manual_seed(m_options.seed);
    m_network = m_task.build();
    if (!m_options.start.isEmpty() && !m_request.resume) begin();
    if (m_options.ema > 0.0) {
        m_average = m_task.build();
        setWeights(*m_average, weightsOf(*m_network), QStringLiteral("the network"));
    }
    m_network->to(m_device);
    if (m_average) m_average->to(m_device);
    makeOptimizer();
    if (m_request.resume) resume();
    m_start = m_lastCheckpoint = std::chrono::steady_clock::now();
    const bool ended = trainSteps();
    m_state.finished = ended;
    checkpoint();
    TrainingOutcome outcome;
    if (ended) {
        outcome = finish();
    } else {
        outcome.stopped = true;
        outcome.headline = m_task.headline();
        outcome.steps = m_state.step;
        outcome.seconds = m_state.seconds;
        if (m_state.hasBest) outcome.metrics[m_task.headline()] = m_state.best;
    }
    return outcome;
}

} // namespace

TrainingOutcome trainNetwork(const TrainingTask& task, const QJsonObject& recipe, const TrainingRequest& request,
                             TrainingContext& context) {
    return Trainer(task, recipe, request, context).run();
}

} // namespace blendscope
