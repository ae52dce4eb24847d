#include "core/Error.h"
#include "neural/Layers.h"
#include "neural/Losses.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

/// Farthest input pixel (in x) that has an influence on the output pixel at `at`.
int reach(const std::function<torch::Tensor(const torch::Tensor&)>& network, int channels, int side, int at, int step) {
    torch::Tensor x = torch::randn({1, channels, side, side}).requires_grad_(true);
    const torch::Tensor y = network(x);
    y.index({0, torch::indexing::Slice(), at / step, at / step}).sum().backward();
    const torch::Tensor seen = x.grad().abs().sum({0, 1, 2}) > 0;
    int most = 0;
    for (int i = 0; i < side; ++i) {
        // The cell of an output covers `step` pixels: the distance is from the nearest of them.
        const int from = i < at ? at - i : std::max(0, i - (at + step - 1));
        if (seen[i].item<bool>()) most = std::max(most, from);
    }
    return most;
}

} // namespace

class TestLayers : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { torch::manual_seed(7); }

    void receptiveRadiiHold() {
        for (const int depth : {1, 2, 3}) {
            UNetOptions options;
            options.width = 4;
            options.depth = depth;
            options.norm = Norm::None;
            UNet net(options);
            const int stride = net->stride();
            int most = 0;
            for (int k = 0; k < stride; ++k) {
                most =
                    std::max(most, reach([&](const torch::Tensor& x) { return net->forward(x); }, 1, 160, 80 + k, 1));
            }
            QVERIFY2(most <= net->receptiveRadius(),
                     qPrintable(QStringLiteral("%1 > %2").arg(most).arg(net->receptiveRadius())));
            QVERIFY2(most >= net->receptiveRadius() - 2 * stride, qPrintable(QString::number(most)));
        }
        ResNetOptions options;
        options.width = 4;
        options.blocks = {1, 2, 1};
        options.norm = Norm::None;
        ResNet net(options);
        const int seen = reach([&](const torch::Tensor& x) { return net->forward(x); }, 1, 160, 80, 4);
        QVERIFY2(seen <= net->receptiveRadius() && seen >= net->receptiveRadius() - 4,
                 qPrintable(QString::number(seen)));
    }

    void shapesAreAsDocumented() {
        ResNetOptions options;
        options.in = 3;
        options.width = 8;
        options.stemStride = 2;
        ResNet net(options);
        const auto levels = net->features(torch::randn({2, 3, 64, 96}));
        QCOMPARE(int(levels.size()), 4);
        std::vector<int> channels;
        for (int i = 0; i < 4; ++i) {
            QCOMPARE(levels[i].sizes().vec(),
                     (std::vector<std::int64_t>{2, net->channels(i), 64 / net->stride(i), 96 / net->stride(i)}));
            channels.push_back(net->channels(i));
        }
        Fpn pyramid(channels, 16);
        const auto out = pyramid->forward(levels);
        for (int i = 0; i < 4; ++i) {
            QCOMPARE(out[i].size(1), std::int64_t(16));
            QCOMPARE(out[i].size(3), levels[i].size(3));
        }
        UNet unet{UNetOptions()};
        QVERIFY_EXCEPTION_THROWN((void)unet->forward(torch::randn({1, 1, 30, 32})), UsageError);
    }

    /// A tensor that is made without the options of its input shows as soon as the network is not float32: run in
    /// float64 such an operation fails or gives float32. The same holds for the device.
    void tensorsFollowTheirInput() {
        for (const Norm norm : {Norm::None, Norm::Affine, Norm::Batch, Norm::Group}) {
            UNetOptions options;
            options.norm = norm;
            options.width = 8;
            options.depth = 2;
            options.dropout = 0.3;
            UNet unet(options);
            ResNetOptions small;
            small.norm = norm;
            small.width = 8;
            small.dropout = 0.2;
            ResNet resnet(small);
            unet->to(torch::kFloat64);
            resnet->to(torch::kFloat64);
            const torch::Tensor x = torch::randn({2, 1, 32, 32}, torch::kFloat64);
            for (const bool training : {true, false}) {
                unet->train(training);
                resnet->train(training);
                sampleDropout(*unet, 1);
                sampleDropout(*resnet, 1);
                QVERIFY(unet->forward(x).dtype() == torch::kFloat64);
                QVERIFY(resnet->forward(x).dtype() == torch::kFloat64);
            }
        }
        const torch::Tensor a = torch::randn({2, 3, 4, 4}, torch::kFloat64), t = (a > 0).to(torch::kFloat64);
        for (const torch::Tensor& loss : {gaussianNll(a, a, t), focalLoss(a, t), diceBce(a, t), smoothL1(a, t)}) {
            QVERIFY(loss.dtype() == torch::kFloat64);
        }
    }

    void affineNormBeginsAtUnitVariance() {
        AffineNorm norm(5);
        const torch::Tensor x = 3.0 + 7.0 * torch::randn({8, 5, 16, 16});
        norm->eval();
        QVERIFY(torch::equal(norm->forward(x), x));
        norm->train();
        const torch::Tensor y = norm->forward(x);
        QVERIFY(y.mean().abs().item<double>() < 1e-4);
        QVERIFY(std::abs(y.std().item<double>() - 1.0) < 1e-3);
        // From then on it is a fixed map: no statistics of later batches.
        QVERIFY(torch::allclose(norm->forward(x + 10.0) - norm->forward(x),
                                torch::full_like(x, 10.0) / x.std({0, 2, 3}, false).view({1, 5, 1, 1}), 1e-3, 1e-3));
    }

    void dropoutDrawsAreItsOwn() {
        McDropout dropout(0.4);
        dropout->eval();
        const torch::Tensor x = torch::ones({100, 100});
        QVERIFY(torch::equal(dropout->forward(x), x));
        dropout->sample(5);
        const torch::Tensor a = dropout->forward(x), b = dropout->forward(x);
        QVERIFY(!torch::equal(a, b));
        dropout->sample(5);
        (void)torch::randn({1000}); // what else draws does not matter
        QVERIFY(torch::equal(dropout->forward(x), a));
        QVERIFY(std::abs(a.mean().item<double>() - 1.0) < 0.03);
        QVERIFY(std::abs((a == 0).to(torch::kFloat32).mean().item<double>() - 0.4) < 0.02);
        dropout->stopSampling();
        QVERIFY(torch::equal(dropout->forward(x), x));
        McDropout channels(0.5, true);
        channels->eval();
        channels->sample(1);
        const torch::Tensor c = channels->forward(torch::ones({4, 8, 6, 6}));
        QVERIFY(torch::equal(c, c.amax({2, 3}, true).expand_as(c)));
    }

    void lossesAreTheirFormulas() {
        const torch::Tensor zero = torch::zeros({1, 1, 2, 2}), one = torch::ones({1, 1, 2, 2});
        QVERIFY(std::abs(gaussianNll(zero, zero, one).item<double>() - 0.5) < 1e-6);
        QVERIFY(std::abs(smoothL1(zero, one * 3).item<double>() - 2.5) < 1e-6);
        QVERIFY(std::abs(smoothL1(zero, one * 0.5).item<double>() - 0.125) < 1e-6);
        // Four positives at p = 1/2: 0.25 (1/2)^2 ln 2 each.
        QVERIFY(std::abs(focalLoss(zero, one).item<double>() - 0.0625 * std::log(2.0)) < 1e-6);
        QVERIFY(diceBce(one * 50, one).item<double>() < 1e-6);
        QVERIFY(diceBce(one * -50, one).item<double>() > 10.0);
        // What has no weight does not count.
        torch::Tensor weight = one.clone(), target = one.clone();
        weight[0][0][0][0] = 0.0;
        target[0][0][0][0] = 0.0;
        QVERIFY(diceBce(one * 50, target, weight).item<double>() < 1e-6);
        QVERIFY(std::abs(gaussianNll(zero, zero, target, weight).item<double>() - 0.5) < 1e-6);
    }
};

QTEST_APPLESS_MAIN(TestLayers)
#include "tst_Layers.moc"
