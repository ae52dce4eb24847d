#include "PhotometryNet.h"
#include "PhotometryStamp.h"
#include "PhotometryTask.h"
#include "jobs/Progress.h"
#include "method/Pipeline.h"
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
    "{'seed': 3, 'network': {'width': 8, 'depth': 2, 'hidden': 32}, 'data': {'per_stamp': 2, 'true_positions': 0.5,"
    "'bands': {'all': 0.6, 'several': 0.2, 'single': 0.2}, 'noise': [1, 2], 'mixture': [{'recipe':"
    "{'survey': 'lsst', 'size': [72, 72], 'layout': {'kind': 'default', 'number': [1, 3], 'magnitudes': [20, 24.5],"
    "'shift': 2.2}}}]}}";

ScenePtr pairScene(int seed = 5) {
    return simulateScene(
        parse("{'survey': 'lsst', 'size': [96, 96], 'objects': [{'x': 43, 'y': 48, 'magnitude': 21.8, 'hlr': 0.4},"
              "{'x': 53, 'y': 49, 'magnitude': 22.4, 'hlr': 0.3}, {'x': 20, 'y': 20, 'magnitude': 22.0, 'hlr': 0.4}]}"),
        std::uint64_t(seed), 0);
}

bool shipped() {
    const Registry registry;
    const MethodInfo* info = registry.find(QStringLiteral("unet_photometry"));
    return info && QFile::exists(info->folder + QStringLiteral("/model/card.json"));
}

} // namespace

class TestUnetPhotometry : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void samplesAreTheSameWhoeverAsksAndHoldTheTruth() {
        const PhotometryTask one(parse(kRecipe)), other(parse(kRecipe));
        int objects = 0;
        for (int i = 0; i < 16; ++i) {
            const Tensors a = one.sample(Split::Validation, i), b = other.sample(Split::Validation, i);
            for (const auto& [name, t] : a) {
                QVERIFY2(torch::equal(t, b.at(name)), name.c_str());
                QVERIFY2(torch::isfinite(t).all().item<bool>(), name.c_str());
            }
            const torch::Tensor &light = a.at("light"), &total = a.at("total"), &weight = a.at("weight");
            QVERIFY((light <= total + 1e-2 * total.max().item<double>()).all().item<bool>());
            // Most of the flux is in the stamp, and none of it twice.
            const torch::Tensor inside = light.sum({1, 2}), flux = a.at("flux");
            QVERIFY((inside <= 1.02 * flux + 1.0).all().item<bool>());
            // The stamp is centred on the object.
            if (weight.sum().item<float>() > 0.0f && flux.sum().item<float>() > 0.0f) {
                ++objects;
                QVERIFY(light.slice(1, 16, 32).slice(2, 16, 32).sum().item<float>() > 0.4f * light.sum().item<float>());
            }
            // A band that is not there is nowhere.
            const torch::Tensor absent = a.at("input").slice(0, 12, 18).amax({1, 2}) == 0;
            QVERIFY((weight.masked_select(absent) == 0).all().item<bool>());
            QVERIFY((a.at("input").slice(0, 0, 6).abs().amax({1, 2}).masked_select(absent) == 0).all().item<bool>());
        }
        QVERIFY(objects > 8);
    }

    void fluxIsLinearInTheDataWhereMasksAreHeld() {
        // The sum is over pixels of data: a network whose masks were constants would measure sums exactly.
        torch::manual_seed(1);
        PhotometryNet net(PhotometryNetOptions{8, 2, 16});
        net->eval();
        torch::Tensor x = torch::zeros({2, PhotometryNetImpl::kInputs, 48, 48});
        x.slice(1, 12, 18).fill_(1.0);
        x.slice(1, 0, 6) = torch::asinh(torch::randn({2, 6, 48, 48}).abs() * 3.0);
        const auto out = net->forward(x, torch::zeros({2, 6}));
        const torch::Tensor sum =
            (out.aperture * torch::sigmoid(out.share) * torch::sinh(x.slice(1, 0, 6))).sum({2, 3});
        QVERIFY(torch::allclose(out.flux, out.scale * sum, 1e-4, 1e-3));
        QVERIFY((out.variance > 0).all().item<bool>());
        // Photons of the light itself add variance.
        const auto bright = net->forward(x, torch::full({2, 6}, 0.5));
        QVERIFY((bright.variance > out.variance).all().item<bool>());
        const torch::Tensor before = out.variance.clone();
        net->setErrorFactor(2.0);
        QVERIFY(torch::allclose(net->forward(x, torch::zeros({2, 6})).variance, 4.0 * before, 1e-4, 1e-4));
    }

    void dtypeFollowsTheInput() {
        PhotometryNet net(PhotometryNetOptions{8, 2, 16});
        net->to(torch::kFloat64);
        net->eval();
        const auto out = net->forward(torch::randn({1, PhotometryNetImpl::kInputs, 48, 48}, torch::kFloat64),
                                      torch::zeros({1, 6}, torch::kFloat64));
        for (const torch::Tensor& t : {out.share, out.total, out.aperture, out.flux, out.variance}) {
            QCOMPARE(t.scalar_type(), torch::kFloat64);
        }
    }

    void learns() {
        const PhotometryTask task(parse(kRecipe));
        torch::manual_seed(2);
        const auto network = task.build();
        torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(3e-3));
        std::vector<Tensors> samples;
        for (int i = 0; i < 24; ++i) {
            samples.push_back(task.sample(Split::Training, i));
        }
        const Tensors batch = task.collate(samples);
        double first = 0.0, last = 0.0;
        for (int step = 0; step < 40; ++step) {
            network->train();
            optimizer.zero_grad();
            const auto loss = task.loss(*network, batch);
            loss.total.backward();
            torch::nn::utils::clip_grad_norm_(network->parameters(), 1.0);
            optimizer.step();
            last = loss.total.item<double>();
            if (step == 0) first = last;
        }
        QVERIFY2(last < 0.75 * first, qPrintable(QStringLiteral("%1 -> %2").arg(first).arg(last)));
        network->eval();
        const torch::NoGradGuard guard;
        const auto metrics = task.validate(*network, {batch}, torch::kCPU);
        QVERIFY(std::isfinite(metrics[task.headline()]));
        const double factor =
            task.finish(*network, {batch}, torch::kCPU).value(QStringLiteral("error_factor")).toDouble();
        QVERIFY(factor > 0.0 && std::isfinite(factor));
        QVERIFY(!task.picture(*network, batch, torch::kCPU).empty());
    }

    void shippedModelMeasuresAPair() {
        QVERIFY2(shipped(), "the shipped model is missing from the tree");
        const ScenePtr scene = pairScene();
        Progress progress;
        const ResultPtr result =
            runPipeline(*scene, Pipeline::parse(QStringLiteral("threshold+unet_photometry")), Registry(), progress);
        int matched = 0;
        for (const TruthObject& t : scene->truth->objects) {
            for (const Object& o : result->objects) {
                if (std::hypot(o.peakX - t.x, o.peakY - t.y) > 2.0) continue;
                ++matched;
                for (const size_t b : {size_t(1), size_t(2), size_t(3)}) {
                    const double relative = double(o.bands[b].flux) / t.flux[b] - 1.0;
                    QVERIFY2(std::abs(relative) < 0.2, qPrintable(QString::number(relative)));
                    QVERIFY(o.bands[b].fluxErr > 0.0f && double(o.bands[b].fluxErr) < 0.3 * t.flux[b]);
                }
            }
        }
        QCOMPARE(matched, 3);
        // Shares of a blend add up to its light: what it says as a deblender is complete.
        for (const Component& c : result->components) {
            QVERIFY(cv::checkRange(c.model[2]) && cv::checkRange(c.share[2]));
        }
    }

    void threadsChangeNothing() {
        QVERIFY2(shipped(), "the shipped model is missing from the tree");
        const ScenePtr scene = pairScene();
        std::vector<ResultPtr> results;
        for (const int threads : {1, 2}) {
            Progress progress;
            RunOptions options;
            options.threads = threads;
            results.push_back(runPipeline(*scene, Pipeline::parse(QStringLiteral("threshold+unet_photometry")),
                                          Registry(), progress, options));
        }
        QCOMPARE(results[0]->objects.size(), results[1]->objects.size());
        for (size_t i = 0; i < results[0]->objects.size(); ++i) {
            QCOMPARE(results[0]->objects[i].bands[2].flux, results[1]->objects[i].bands[2].flux);
        }
    }
};

QTEST_GUILESS_MAIN(TestUnetPhotometry)
#include "tst_UnetPhotometry.moc"
