#include "core/Error.h"
#include "neural/Augmentation.h"
#include "neural/Layers.h"
#include "neural/StampBatcher.h"
#include "neural/Tiler.h"
#include "neural/TrainingData.h"
#include "simulate/Simulator.h"

#include <QTest>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <thread>

using namespace blendscope;

namespace {

QJsonObject smallRecipe(int width, int height) {
    return {{QStringLiteral("name"), QStringLiteral("field")},
            {QStringLiteral("survey"), QStringLiteral("lsst")},
            {QStringLiteral("size"), QJsonArray{width, height}},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.5, 24.5}},
                                                     {QStringLiteral("density"), 110},
                                                     {QStringLiteral("clustered"), 0.7}}}};
}

Preprocessing scaled(const QString& scale,
                     const QJsonArray& bands = {QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("i")}) {
    return Preprocessing::fromJson({{QStringLiteral("bands"), bands},
                                    {QStringLiteral("scale"), scale},
                                    {QStringLiteral("softening"), 2.5},
                                    {QStringLiteral("inverse_variance"), true},
                                    {QStringLiteral("psf_width"), true},
                                    {QStringLiteral("presence"), true}});
}

double relative(const cv::Mat& a, const cv::Mat& b) {
    return cv::norm(a, b, cv::NORM_INF) / std::max(1e-12, cv::norm(b, cv::NORM_INF));
}

cv::Mat tiled(UNet net, const PatchReader& reader, const Preprocessing& pre, int tile) {
    Tiler::Options options;
    options.stride = net->stride();
    options.margin = net->receptiveRadius();
    options.tile = tile;
    cv::Mat plane = cv::Mat::zeros(reader.scene().size, CV_32F);
    Tiler::Calls calls;
    calls.read = [&](const Box& box) { return pre.encode(reader.read(box)); };
    calls.forward = [&](const torch::Tensor& x) { return std::vector<torch::Tensor>{net->forward(x)}; };
    calls.take = [&](const Box& valid, const std::vector<torch::Tensor>& out) { placeTile(out[0][0], valid, plane); };
    Progress progress;
    Tiler(options).run(reader.scene().size, calls, progress);
    return plane;
}

} // namespace

class TestScenePasses : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bandsOfUnknownWavelength() {
        const Preprocessing pre = Preprocessing::fromJson(
            {{QStringLiteral("bands"), QJsonArray::fromStringList({"u", "g", "r", "i", "z", "y"})}});
        QString assumed;
        QVERIFY(pre.matchOrAssume({"r", "g"}, {0.0, 0.0}, assumed) == std::vector<int>({-1, 1, 0, -1, -1, -1}));
        QVERIFY(assumed.isEmpty());
        QVERIFY(pre.matchOrAssume({"?1"}, {0.0}, assumed) == std::vector<int>({-1, -1, -1, 0, -1, -1}));
        QVERIFY(assumed.contains(QLatin1String("?1 for i")));
        QVERIFY(pre.matchOrAssume({"?1", "?2"}, {0.0, 0.0}, assumed) == std::vector<int>({-1, -1, 0, 1, -1, -1}));
        // What is known, and not among the network's bands, is no guess.
        QVERIFY_EXCEPTION_THROWN((void)pre.matchOrAssume({"Ks"}, {2150.0}, assumed), UsageError);
    }

    void initTestCase() { m_scene = simulateScene(smallRecipe(150, 110), 4, 0); }
    void init() { torch::manual_seed(11); }

    void scalesHaveInverses_data() {
        QTest::addColumn<QString>("scale");
        for (const char* scale : {"asinh_noise", "linear_noise", "pull", "asinh_pull"}) {
            QTest::newRow(scale) << QString::fromLatin1(scale);
        }
    }
    void scalesHaveInverses() {
        QFETCH(QString, scale);
        const Preprocessing pre = scaled(scale);
        const PatchReader reader(*m_scene);
        const Patch patch = reader.read({10, 20, 64, 48});
        const std::vector<int> matched = pre.match(patch.bands, patch.wavelength);
        const torch::Tensor x = pre.encode(patch, matched);
        QCOMPARE(x.sizes().vec(), (std::vector<std::int64_t>{pre.channels(), 48, 64}));
        const std::vector<cv::Mat> back = pre.decodeCounts(x.slice(0, 0, 3), patch, matched);
        for (const int i : matched) {
            QVERIFY(relative(back[std::size_t(i)], patch.image[std::size_t(i)]) < 1e-5);
        }
        // The noise is of order 1 / softening wherever there is no light.
        const double spread = x[2].abs().median().item<double>();
        QVERIFY2(spread > 0.1 && spread < 1.5, qPrintable(QString::number(spread)));
        const Preprocessing again = Preprocessing::fromJson(pre.toJson());
        QVERIFY(torch::equal(again.encode(patch), x));
    }

    void missingBandsAreZeroAndSaySo() {
        const Preprocessing pre =
            scaled(QStringLiteral("asinh_noise"), {QStringLiteral("g"), QStringLiteral("F160W"), QStringLiteral("i")});
        const PatchReader reader(*m_scene);
        const torch::Tensor x = pre.encode(reader.read({0, 0, 32, 32}));
        for (int plane = 0; plane < 4; ++plane) {
            QVERIFY(x[3 * plane + 1].abs().max().item<double>() == 0.0);
        }
        QVERIFY(x[9].min().item<double>() == 1.0 && x[11].min().item<double>() == 1.0);
        QVERIFY(std::abs(x[3].median().item<double>() - 1.0) < 0.2);
        const Preprocessing none = scaled(QStringLiteral("pull"), {QStringLiteral("F444W")});
        QVERIFY_EXCEPTION_THROWN((void)none.encode(reader.read({0, 0, 8, 8})), UsageError);
        // Any band will do for "*": the one nearest to i.
        const Preprocessing any = scaled(QStringLiteral("pull"), {QStringLiteral("*")});
        QCOMPARE(any.match({QStringLiteral("u"), QStringLiteral("i"), QStringLiteral("y")}, {367, 755, 971}),
                 std::vector<int>{1});
        QCOMPARE(any.match({QStringLiteral("mystery")}, {0.0}), std::vector<int>{0});
        QCOMPARE(
            scaled(QStringLiteral("pull")).match({QStringLiteral("HSC-I"), QStringLiteral("HSC-G")}, {774.0, 480.0}),
            (std::vector<int>{1, -1, 0}));
    }

    void beyondTheSceneThereIsNothing() {
        const PatchReader reader(*m_scene);
        const Patch patch = reader.read({-20, 90, 60, 40});
        QVERIFY(cv::countNonZero(patch.weight[0].colRange(0, 20)) == 0);
        QVERIFY(cv::countNonZero(patch.image[0].rowRange(20, 40)) == 0);
        const cv::Mat in = m_scene->bands[0].image->read({0, 90, 40, 20});
        QVERIFY(cv::norm(patch.image[0](cv::Rect(20, 0, 40, 20)), in, cv::NORM_INF) == 0.0);
    }

    void theGainIsThatOfTheVariance() {
        constexpr double kGain = 2.5, kSky = 9.0;
        Scene scene;
        scene.size = {200, 160};
        cv::Mat image(scene.size, CV_32F), variance(scene.size, CV_32F);
        Random random(3);
        for (int y = 0; y < image.rows; ++y) {
            for (int x = 0; x < image.cols; ++x) {
                const double light = 4000.0 * std::exp(-(std::pow(x - 90, 2) + std::pow(y - 70, 2)) / 200.0);
                variance.at<float>(y, x) = static_cast<float>(kSky + light / kGain);
                image.at<float>(y, x) = static_cast<float>(light + random.normal() * std::sqrt(kSky + light / kGain));
            }
        }
        Band band;
        band.name = QStringLiteral("r");
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<MemoryPlane>(variance);
        band.gain = 1000.0; // of a single exposure, say
        scene.bands = {band};
        const Patch seen = PatchReader(scene).read({0, 0, 16, 16});
        QVERIFY2(std::abs(seen.gain[0] / kGain - 1.0) < 0.05, qPrintable(QString::number(seen.gain[0])));
        QVERIFY(std::abs(seen.poisson(0) * kGain * 3.0 - 1.0) < 0.05);
        // Where the plane is the sky's alone, the header is all there is.
        scene.bands[0].varianceIsSkyOnly = true;
        QCOMPARE(PatchReader(scene).read({0, 0, 16, 16}).gain[0], 1000.0);
        scene.bands[0].gain = 0.0;
        QCOMPARE(PatchReader(scene).poisson(0), 0.0);
    }

    void tilesLeaveNoSeams() {
        const Preprocessing pre = scaled(QStringLiteral("asinh_noise"));
        const PatchReader reader(*m_scene);
        for (const Norm norm : {Norm::Affine, Norm::Batch}) {
            UNetOptions options;
            options.in = pre.channels();
            options.width = 4;
            options.depth = 2;
            options.norm = norm;
            UNet net(options);
            net->train();
            (void)net->forward(torch::randn({2, pre.channels(), 32, 32})); // sets the norms
            net->eval();
            const cv::Mat whole = tiled(net, reader, pre, 100000);
            QVERIFY(cv::norm(whole, cv::NORM_INF) > 0.1);
            for (const int tile : {80, 96, 131, 384}) {
                const double off = cv::norm(tiled(net, reader, pre, tile), whole, cv::NORM_INF);
                QVERIFY2(off < 1e-4, qPrintable(QStringLiteral("%1: %2").arg(tile).arg(off)));
            }
        }
    }

    void tilingIsCancelledAndShrinks() {
        Tiler::Options options;
        options.stride = 4;
        options.margin = 8;
        options.tile = 64;
        Progress progress;
        int tiles = 0;
        Tiler::Calls calls;
        calls.read = [](const Box& box) { return torch::zeros({1, box.height, box.width}); };
        calls.forward = [&](const torch::Tensor& x) {
            if (++tiles == 3) progress.token().cancel();
            return std::vector<torch::Tensor>{x};
        };
        calls.take = [](const Box&, const std::vector<torch::Tensor>&) {};
        QVERIFY_EXCEPTION_THROWN(Tiler(options).run({1000, 1000}, calls, progress), CancelledError);
        QCOMPARE(tiles, 3);

        // A machine that holds no tile above 40 pixels.
        Progress other;
        QStringList said;
        cv::Mat count = cv::Mat::zeros(100, 130, CV_32F);
        calls.forward = [](const torch::Tensor& x) {
            if (x.size(3) > 40) throw std::bad_alloc();
            return std::vector<torch::Tensor>{x + 1};
        };
        calls.take = [&](const Box& valid, const std::vector<torch::Tensor>& out) {
            placeTile(out[0][0], valid, count);
        };
        calls.warn = [&](const QString& sentence) { said << sentence; };
        Tiler(options).run(count.size(), calls, other);
        QCOMPARE(cv::countNonZero(count != 1.0f), 0);
        QCOMPARE(said.size(), 1);
        QVERIFY(said[0].contains(QLatin1String("memory")));
        calls.forward = [](const torch::Tensor&) -> std::vector<torch::Tensor> { throw std::bad_alloc(); };
        QVERIFY_EXCEPTION_THROWN(Tiler(options).run(count.size(), calls, other), std::bad_alloc);
    }

    void stampsAreCentredAndInOrder() {
        const Preprocessing pre = scaled(QStringLiteral("linear_noise"));
        const PatchReader reader(*m_scene);
        std::vector<PixelPosition> positions;
        for (int i = 0; i < 11; ++i) {
            positions.push_back({13.0 * i, 100.0 - 9.0 * i});
        }
        StampBatcher::Options options;
        options.size = 16;
        options.batch = 4;
        int most = 0;
        std::vector<std::size_t> order;
        StampBatcher::Calls calls;
        calls.forward = [&](const torch::Tensor& x) {
            if (x.size(0) > 2) throw std::bad_alloc();
            most = std::max(most, int(x.size(0)));
            return std::vector<torch::Tensor>{x.slice(1, 0, 1).clone()};
        };
        calls.take = [&](std::size_t index, const Patch& patch, const std::vector<torch::Tensor>& out) {
            order.push_back(index);
            QCOMPARE(patch.box, StampBatcher::boxAt(positions[index], 16));
            QVERIFY(torch::equal(out[0][0], pre.encode(patch)[0]));
        };
        Progress progress;
        StampBatcher(options).run(reader, positions, pre, calls, progress);
        QCOMPARE(order.size(), positions.size());
        QVERIFY(std::is_sorted(order.begin(), order.end()));
        QCOMPARE(most, 2);
        QCOMPARE(StampBatcher::boxAt({20.4, 30.6}, 16), (Box{12, 23, 16, 16}));
    }

    void trainingStampsDependOnTheirNumberAlone() {
        const QJsonObject data{
            {QStringLiteral("simulate"), QStringLiteral("blends")},
            {QStringLiteral("size"), 48},
            {QStringLiteral("augment"),
             QJsonObject{{QStringLiteral("rotate"), true}, {QStringLiteral("noise"), QJsonArray{1.0, 2.0}}}}};
        const TrainingData one(data, 5), two(data, 5), other(data, 6);
        std::vector<cv::Mat> images(8);
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] { images[std::size_t(i)] = two.stamp(Split::Training, 7 - i).patch.image[0]; });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (int i = 0; i < 8; ++i) {
            const TrainingStamp stamp = one.stamp(Split::Training, i);
            QCOMPARE(stamp.patch.box.width, 48);
            QVERIFY(cv::norm(stamp.patch.image[0], images[std::size_t(7 - i)], cv::NORM_INF) == 0.0);
            QVERIFY(cv::norm(stamp.patch.image[0], other.stamp(Split::Training, i).patch.image[0], cv::NORM_INF) > 0.0);
            QVERIFY(cv::norm(stamp.patch.image[0], one.stamp(Split::Validation, i).patch.image[0], cv::NORM_INF) > 0.0);
            QVERIFY(!stamp.objects.empty());
            QCOMPARE(stamp.isolated[0].size(), stamp.objects.size());
            // What is there is the sum of its objects plus noise of the stated size.
            cv::Mat sum = cv::Mat::zeros(48, 48, CV_32F);
            for (const cv::Mat& alone : stamp.isolated[0]) {
                sum += alone;
            }
            QVERIFY(cv::norm(sum, stamp.noiseless[0], cv::NORM_INF) <= 1e-3 * cv::norm(sum, cv::NORM_INF));
            cv::Mat pull = (stamp.patch.image[0] - sum) / stamp.patch.sigma[0];
            cv::Scalar mean, deviation;
            cv::meanStdDev(pull, mean, deviation);
            QVERIFY2(deviation[0] > 0.9 && deviation[0] < 1.6, qPrintable(QString::number(deviation[0])));
        }
    }

    void augmentationKeepsTruthInStep() {
        const TrainingData data({{QStringLiteral("simulate"), QStringLiteral("pairs")}, {QStringLiteral("size"), 41}},
                                2);
        const TrainingStamp original = data.stamp(Split::Validation, 3);
        for (const bool mirror : {false, true}) {
            for (int turns = 0; turns < 4; ++turns) {
                TrainingStamp stamp = original;
                turnStamp(stamp, turns, mirror);
                for (std::size_t k = 0; k < stamp.objects.size(); ++k) {
                    // The light's centroid goes where the position goes.
                    const cv::Moments was = cv::moments(original.isolated[0][k]),
                                      is = cv::moments(stamp.isolated[0][k]);
                    const TruthObject& from = original.objects[k];
                    const TruthObject& to = stamp.objects[k];
                    QVERIFY(std::abs(is.m00 / was.m00 - 1.0) < 1e-5);
                    const double before = std::hypot(was.m10 / was.m00 - from.x, was.m01 / was.m00 - from.y);
                    const double after = std::hypot(is.m10 / is.m00 - to.x, is.m01 / is.m00 - to.y);
                    QVERIFY2(std::abs(before - after) < 1e-3,
                             qPrintable(QStringLiteral("%1 %2").arg(before).arg(after)));
                }
                // Turning on to a full turn (and mirroring back) gives the original.
                turnStamp(stamp, 4 - turns, false);
                if (mirror) turnStamp(stamp, 0, true);
                QVERIFY(cv::norm(stamp.patch.image[1], original.patch.image[1], cv::NORM_INF) == 0.0);
                QVERIFY(std::abs(stamp.objects[0].x - original.objects[0].x) < 1e-9);
            }
        }
        TrainingStamp noisy = original;
        Random random(1);
        raiseNoise(noisy, 2.0, random);
        cv::Scalar mean, deviation;
        cv::meanStdDev((noisy.patch.image[0] - original.patch.image[0]) / original.patch.sigma[0], mean, deviation);
        QVERIFY(std::abs(deviation[0] - std::sqrt(3.0)) < 0.1);
        QVERIFY(std::abs(noisy.patch.sigma[0] / original.patch.sigma[0] - 2.0) < 1e-5);
        // Photon noise grows with the root of the light, and is none without light.
        TrainingStamp grainy = original;
        grainy.patch.gain.assign(grainy.patch.bands.size(), 4.0);
        for (cv::Mat& light : grainy.noiseless) {
            light = cv::Mat(light.size(), CV_32F, cv::Scalar(900.0));
            light.colRange(0, light.cols / 2).setTo(0.0f);
        }
        raisePhotonNoise(grainy, 5.0, random);
        const cv::Mat added = grainy.patch.image[0] - original.patch.image[0];
        QCOMPARE(cv::norm(added.colRange(0, added.cols / 2), cv::NORM_INF), 0.0);
        cv::meanStdDev(added.colRange(added.cols / 2, added.cols), mean, deviation);
        QVERIFY(std::abs(deviation[0] / 30.0 - 1.0) < 0.08); // sqrt(4 x 900 / 4)
        QVERIFY(std::abs(mean[0]) < 3.0);
        // Another gain changes nothing that a network sees.
        TrainingStamp brighter = original;
        scaleCounts(brighter, 7.3);
        const Preprocessing pre = scaled(QStringLiteral("asinh_noise"));
        QVERIFY(torch::allclose(pre.encode(brighter.patch), pre.encode(original.patch), 1e-4, 1e-5));
        QVERIFY(std::abs(brighter.objects[0].flux[0] / original.objects[0].flux[0] - 7.3) < 1e-9);
        TrainingStamp fewer = original;
        dropBand(fewer, 0);
        QCOMPARE(fewer.patch.bands.size(), original.patch.bands.size() - 1);
        QCOMPARE(fewer.isolated.size(), fewer.patch.image.size());
    }

    void dataRecipesAreChecked_data() {
        QTest::addColumn<QJsonObject>("data");
        QTest::newRow("nothing") << QJsonObject{};
        QTest::newRow("key") << QJsonObject{{QStringLiteral("simulat"), QStringLiteral("blends")}};
        QTest::newRow("recipe") << QJsonObject{{QStringLiteral("simulate"), QStringLiteral("no such")}};
        QTest::newRow("augment") << QJsonObject{
            {QStringLiteral("simulate"), QStringLiteral("blends")},
            {QStringLiteral("augment"), QJsonObject{{QStringLiteral("noise"), QJsonArray{0.5, 1.0}}}}};
    }
    void dataRecipesAreChecked() {
        QFETCH(QJsonObject, data);
        QVERIFY_EXCEPTION_THROWN(TrainingData(data, 1), Error);
    }

private:
    ScenePtr m_scene;
};

QTEST_APPLESS_MAIN(TestScenePasses)
#include "tst_ScenePasses.moc"
