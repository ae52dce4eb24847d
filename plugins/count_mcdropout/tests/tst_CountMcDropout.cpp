#include "CountNet.h"
#include "CountScores.h"
#include "CountStamp.h"
#include "CountTask.h"
#include "jobs/Progress.h"
#include "method/Pipeline.h"
#include "neural/TrainerOptions.h"
#include "simulate/Simulator.h"

#include <QFile>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

QJsonObject parse(const char* text) {
    return QJsonDocument::fromJson(QByteArray(text).replace('\'', '"')).object();
}

const char* const kRecipe =
    "{'seed': 3, 'network': {'width': 8, 'classes': 4}, 'data': {'sharpen': false, 'per_stamp': 2, 'discs': 0.2,"
    "'bands': {'all': 0.5, 'several': 0.25, 'single': 0.25}, 'noise': [1, 2], 'mixture': [{'recipe':"
    "{'survey': 'lsst', 'size': [72, 72], 'layout': {'kind': 'default', 'number': [1, 3], 'magnitudes': [20, 24.5],"
    "'shift': 2.2}}}]}}";

ResultPtr count(const char* objects, const char* bands = "['g', 'r', 'i']") {
    const QJsonObject recipe =
        parse(qPrintable(QStringLiteral("{'survey': 'lsst', 'size': [96, 96], 'bands': %1, 'objects': %2}")
                             .arg(QLatin1String(bands), QLatin1String(objects))));
    Progress progress;
    return runPipeline(*simulateScene(recipe, 5, 0), Pipeline::parse(QStringLiteral("threshold+count_mcdropout")),
                       Registry(), progress);
}

/// Of the blend with the most objects.
std::vector<float> probabilities(const ResultPtr& result) {
    return result->blends.empty() ? std::vector<float>() : result->blends.front().countProbabilities;
}

bool shipped() {
    const Registry registry;
    const MethodInfo* info = registry.find(QStringLiteral("count_mcdropout"));
    return info && QFile::exists(info->folder + QStringLiteral("/model/card.json"));
}

} // namespace

class TestCountMcDropout : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void samplesAreTheSameWhoeverAsks() {
        const CountTask one(parse(kRecipe)), other(parse(kRecipe));
        std::vector<int> seen(4, 0);
        for (int i = 0; i < 24; ++i) {
            const Tensors a = one.sample(Split::Training, i), b = other.sample(Split::Training, i);
            QVERIFY(torch::equal(a.at("input"), b.at("input")));
            QVERIFY(torch::equal(a.at("count"), b.at("count")));
            QCOMPARE(a.at("input").sizes().vec(),
                     (std::vector<std::int64_t>{CountNetOptions().inputs, kCountSide, kCountSide}));
            QVERIFY(torch::isfinite(a.at("input")).all().item<bool>());
            QVERIFY(a.at("input")[18].sum().item<float>() > 0.0f);
            ++seen[size_t(a.at("count").item<std::int64_t>())];
        }
        QVERIFY2(seen[0] + seen[1] < 24, "blends are among the samples");
        QVERIFY(
            !torch::equal(one.sample(Split::Training, 1).at("input"), one.sample(Split::Validation, 1).at("input")));
    }

    /// What a network is shown is a switch of the recipe, and its first layer follows.
    void recipeSwitches() {
        const auto with = [](const char* switches) { return completeRecipe(parse(kRecipe), parse(switches)); };
        const CountTask base(parse(kRecipe));
        const CountTask linear(with("{'preprocessing': {'scale': 'linear_noise', 'psf_width': false}}"));
        QCOMPARE(linear.preprocessing().scale, Preprocessing::Scale::LinearNoise);
        const Tensors a = base.sample(Split::Test, 4), b = linear.sample(Split::Test, 4);
        QCOMPARE(b.at("input").size(0), std::int64_t(13));
        QVERIFY(torch::allclose(a.at("input")[2], torch::asinh(b.at("input")[2]), 1e-4, 1e-4));
        QVERIFY(torch::equal(a.at("input")[18], b.at("input")[12]));
        const std::shared_ptr<torch::nn::Module> net = linear.build();
        QCOMPARE(net->as<CountNetImpl>()->forward(b.at("input").unsqueeze(0)).size(0), std::int64_t(1));
        // Elsewhere in the stamp, all of it still in the area, and as many objects.
        const CountTask fixed(with("{'data': {'discs': 0}}")), loose(with("{'data': {'discs': 0, 'centred': false}}"));
        int moved = 0;
        for (int i = 0; i < 12; ++i) {
            const Tensors c = fixed.sample(Split::Test, i), d = loose.sample(Split::Test, i);
            const torch::Tensor from = c.at("input")[18], to = d.at("input")[18];
            QCOMPARE(from.sum().item<float>(), to.sum().item<float>());
            QVERIFY(torch::equal(c.at("count"), d.at("count")));
            moved += !torch::equal(from, to);
        }
        QVERIFY(moved > 5);
    }

    void poolShowsSamplesAgainTurned() {
        QJsonObject recipe = parse(kRecipe);
        QJsonObject data = recipe[QStringLiteral("data")].toObject();
        data[QStringLiteral("pool")] = 3;
        recipe[QStringLiteral("data")] = data;
        const CountTask task(recipe);
        for (int i = 0; i < 3; ++i) {
            const Tensors a = task.sample(Split::Training, i), b = task.sample(Split::Training, i + 3);
            QCOMPARE(a.at("count").item<std::int64_t>(), b.at("count").item<std::int64_t>());
            QVERIFY(std::abs(a.at("input").sum().item<double>() - b.at("input").sum().item<double>()) < 0.5);
        }
    }

    void passesDependOnSeedAndStampAlone() {
        torch::manual_seed(1);
        CountNet net(CountNetOptions{8, 5, 0.3, 0.3});
        net->eval();
        const torch::Tensor x = torch::randn({3, CountNetOptions().inputs, kCountSide, kCountSide});
        const torch::Tensor a = net->passes(x, 6, 4), b = net->passes(x.slice(0, 1, 2), 6, 4);
        QCOMPARE(a.sizes().vec(), (std::vector<std::int64_t>{6, 3, 5}));
        QVERIFY(torch::allclose(a.sum(2), torch::ones({6, 3}), 1e-4, 1e-5));
        QVERIFY(torch::allclose(a.slice(1, 1, 2), b, 1e-4, 1e-5));
        QVERIFY(!torch::allclose(a, net->passes(x, 6, 5), 1e-3, 1e-4));
        QVERIFY2(a.std(0, false).max().item<float>() > 1e-3f, "passes differ");
        // A temperature above one flattens.
        const double sharp = a.mean(0).max().item<double>();
        net->setTemperature(4.0);
        QVERIFY(net->passes(x, 6, 4).mean(0).max().item<double>() < sharp);
    }

    void dtypeFollowsTheInput() {
        CountNet net(CountNetOptions{8, 4, 0.1, 0.1});
        net->to(torch::kFloat64);
        net->eval();
        const torch::Tensor x = torch::randn({1, CountNetOptions().inputs, kCountSide, kCountSide}, torch::kFloat64);
        QCOMPARE(net->forward(x).scalar_type(), torch::kFloat64);
        QCOMPARE(net->passes(x, 2, 1).scalar_type(), torch::kFloat64);
    }

    void scoresOfKnownForecasts() {
        const torch::Tensor counts = torch::tensor({1, 1, 2, 0}, torch::kInt64);
        const torch::Tensor sure = torch::one_hot(counts, 3).to(torch::kFloat64);
        CountScores s = CountScores::of(sure, counts);
        QVERIFY(s.logScore < 1e-9 && s.accuracy == 1.0 && s.calibrationError < 1e-9);
        s = CountScores::of(torch::full({4, 3}, 1.0 / 3.0, torch::kFloat64), counts);
        QVERIFY(std::abs(s.logScore - std::log(3.0)) < 1e-9);
        QVERIFY(std::abs(s.priorScore - (0.5 * std::log(2.0) + 0.5 * std::log(4.0))) < 1e-9);
        // Sure of what comes true every second time.
        const torch::Tensor wrong = torch::one_hot(torch::tensor({1, 0, 2, 1}, torch::kInt64), 3).to(torch::kFloat64);
        QVERIFY(std::abs(CountScores::of(wrong, counts).calibrationError - 0.5) < 1e-9);
    }

    void learnsAndFitsItsTemperature() {
        const CountTask task(parse(kRecipe));
        torch::manual_seed(2);
        const auto network = task.build();
        torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(3e-3));
        std::vector<Tensors> samples;
        for (int i = 0; i < 64; ++i) {
            samples.push_back(task.sample(Split::Training, i));
        }
        const Tensors batch = task.collate(samples);
        double first = 0.0, last = 0.0;
        for (int step = 0; step < 30; ++step) {
            network->train();
            optimizer.zero_grad();
            const auto loss = task.loss(*network, batch);
            loss.total.backward();
            optimizer.step();
            last = loss.total.item<double>();
            if (step == 0) first = last;
        }
        QVERIFY2(last < 0.75 * first, qPrintable(QStringLiteral("%1 -> %2").arg(first).arg(last)));
        network->eval();
        const auto before = task.validate(*network, {batch}, torch::kCPU);
        const QJsonObject card =
            task.finish(*network, {batch}, torch::kCPU).value(QStringLiteral("temperature")).toObject();
        QVERIFY(card.value(QStringLiteral("validation_log_score_after")).toDouble() <=
                card.value(QStringLiteral("validation_log_score_before")).toDouble() + 1e-9);
        const auto after = task.validate(*network, {batch}, torch::kCPU);
        QVERIFY(after[QStringLiteral("log_score")] <= before[QStringLiteral("log_score")] + 1e-6);
    }

    void shippedModelCounts() {
        QVERIFY2(shipped(), "the model that comes with the method is missing");
        const ResultPtr single = count("[{'x': 48, 'y': 48, 'magnitude': 22.5, 'hlr': 0.4}]");
        QVERIFY(single->blends.size() >= 1);
        const std::vector<float> one = probabilities(single);
        // A bright galaxy may hide a faint one that would be detected alone: one is the likeliest, not certain.
        QVERIFY(one.size() >= 4);
        QVERIFY2(std::max_element(one.begin(), one.end()) - one.begin() == 1, "a galaxy alone is one");
        float sum = 0.0f;
        for (const float p : one) {
            sum += p;
        }
        QVERIFY(std::abs(sum - 1.0f) < 1e-4f);
        QCOMPARE(single->blends.front().countSpread.size(), one.size());
        const std::vector<float> pair = probabilities(count(
            "[{'x': 44, 'y': 48, 'magnitude': 22.3, 'hlr': 0.3}, {'x': 52, 'y': 48, 'magnitude': 22.6, 'hlr': 0.3}]"));
        QVERIFY2(pair[0] + pair[1] < 0.15f, "a clear pair is no single object");
        const std::vector<float> band = probabilities(count(
            "[{'x': 44, 'y': 48, 'magnitude': 22.3, 'hlr': 0.3}, {'x': 52, 'y': 48, 'magnitude': 22.6, 'hlr': 0.3}]",
            "['r']"));
        QVERIFY2(band[0] + band[1] < 0.15f, "in one band too");
    }
};

QTEST_GUILESS_MAIN(TestCountMcDropout)
#include "tst_CountMcDropout.moc"
