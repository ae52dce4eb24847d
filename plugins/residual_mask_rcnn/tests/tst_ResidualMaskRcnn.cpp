#include "FirstPass.h"
#include "ResidualInput.h"
#include "ResidualTask.h"
#include "core/Error.h"
#include "core/Random.h"
#include "method/Pipeline.h"
#include "method/ResidualIteration.h"
#include "support/SyntheticScene.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

const QJsonObject kTiny{{QStringLiteral("features"), 12}};

QJsonObject smallRecipe() {
    QJsonObject recipe = Registry().createTrainable(QStringLiteral("residual_mask_rcnn"))->defaultRecipe();
    recipe[QStringLiteral("network")] = kTiny;
    QJsonObject training = recipe[QStringLiteral("training")].toObject();
    training[QStringLiteral("steps")] = 2;
    training[QStringLiteral("minutes")] = 0;
    training[QStringLiteral("batch")] = 2;
    training[QStringLiteral("validation")] = 2;
    training[QStringLiteral("test")] = 2;
    training[QStringLiteral("validate_every")] = 2;
    recipe[QStringLiteral("training")] = training;
    return recipe;
}

Patch flatPatch(const Box& box, float counts, float sigma) {
    Patch patch;
    patch.box = box;
    patch.bands = {QStringLiteral("i")};
    patch.wavelength = {755.0};
    patch.image = {cv::Mat(box.size(), CV_32F, cv::Scalar(counts))};
    patch.weight = {cv::Mat(box.size(), CV_32F, cv::Scalar(1.0 / (double(sigma) * sigma)))};
    patch.sigma = {sigma};
    patch.fwhm = {4.0};
    return patch;
}

} // namespace

class TestResidualMaskRcnn : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void thePullHasItsClosedForm() {
        const Patch patch = flatPatch({100, 50, 24, 16}, 130.0f, 5.0f);
        const std::vector<cv::Mat> model{cv::Mat(16, 24, CV_32F, cv::Scalar(100.0f))};
        const std::vector<int> matched{-1, -1, -1, 0, -1, -1};
        const std::vector<Peak> peaks{{110.0, 58.5, 1.0f, -1}};
        const torch::Tensor in = residualInput(patch, model, {4.0}, matched, peaks);
        QCOMPARE(in.sizes(), (at::IntArrayRef{kResidualPlanes, 16, 24}));
        // (130 - 100) / sqrt(5^2 + 100 / 4)
        QVERIFY(std::abs(in[3][3][3].item<double>() - 30.0 / std::sqrt(50.0)) < 1e-5);
        QVERIFY(std::abs(in[9][3][3].item<double>() - 20.0) < 1e-5);
        QVERIFY(std::abs(in[12][8][10].item<double>() - std::exp(-0.125)) < 1e-6);
        QCOMPARE(in[12][0][0].item<double>(), 0.0);
        QCOMPARE(in[0].abs().sum().item<double>() + in[8].abs().sum().item<double>(), 0.0);
        // Where the weights hold the objects' noise already, nothing is added; unusable pixels have no pull.
        Patch holed = patch;
        holed.weight[0].at<float>(2, 2) = 0.0f;
        const torch::Tensor plain = residualInput(holed, model, {0.0}, matched, {});
        QVERIFY(std::abs(plain[3][3][3].item<double>() - 6.0) < 1e-5);
        QCOMPARE(plain[3][2][2].item<double>(), 0.0);
    }

    void modelsAreSummedWhereTheyLie() {
        Result result;
        for (int k = 0; k < 2; ++k) {
            Component c;
            c.id = k + 1;
            c.box = {10 + 2 * k, 10, 4, 4};
            c.model = {cv::Mat(4, 4, CV_32F, cv::Scalar(1.0f + k))};
            result.components.push_back(c);
        }
        const cv::Mat sum = modelIn(result, {8, 12, 8, 4}, 1)[0];
        QCOMPARE(sum.at<float>(0, 1), 0.0f);
        QCOMPARE(sum.at<float>(0, 2), 1.0f);
        QCOMPARE(sum.at<float>(0, 4), 3.0f);
        QCOMPARE(sum.at<float>(1, 7), 2.0f);
        QCOMPARE(sum.at<float>(2, 4), 0.0f);
    }

    void samplesAskForWhatWasMissed() {
        QJsonObject recipe = smallRecipe();
        const ResidualTask task(recipe);
        int wanted = 0, centres = 0;
        for (int i = 0; i < 6; ++i) {
            const Tensors s = task.sample(Split::Training, i), again = task.sample(Split::Training, i);
            QVERIFY(torch::equal(s.at("images"), again.at("images")));
            QVERIFY(torch::isfinite(s.at("images")).all().item<bool>());
            const torch::Tensor objects = s.at("objects");
            const auto o = objects.accessor<float, 2>();
            // No object that is asked for lies on a known peak of its own: at most as many peaks as others.
            for (std::int64_t k = 0; k < objects.size(0); ++k) {
                wanted += o[k][Wanted] > 0.5f;
            }
            centres += (s.at("centres") == 1).sum().item<int>();
            // What the first pass models is no longer in the residual: the pull has less power than the data would.
            const torch::Tensor pull = s.at("images").narrow(0, 0, 6), model = s.at("images").narrow(0, 6, 6);
            QVERIFY(model.abs().amax().item<float>() > 3.0f);
            QVERIFY(pull.square().mean().item<float>() < 0.5f * (model + pull).square().mean().item<float>() + 1.5f);
        }
        QVERIFY(wanted > 0);
        QVERIFY(centres <= wanted);
    }

    void itTrainsAndRuns() {
        QTemporaryDir folder;
        TrainingRequest request;
        request.recipe = smallRecipe();
        request.out = folder.path();
        request.threads = 1;
        Progress progress;
        TrainingContext training;
        training.progress = &progress;
        const Registry registry;
        const TrainingOutcome outcome =
            registry.createTrainable(QStringLiteral("residual_mask_rcnn"))->train(request, training);
        QCOMPARE(outcome.steps, 2);
        QVERIFY(outcome.metrics.contains(QStringLiteral("ap")));

        const std::vector<double> flux(3, 2500.0);
        const Scene scene = test::syntheticScene({96, 80}, 3, {{40, 40, 2.0, flux}, {47, 42, 2.0, flux}});
        const auto run = [&](const QString& parameters) {
            Progress p;
            RunOptions one;
            one.threads = 1;
            return runPipeline(scene,
                               Pipeline::parse(QStringLiteral(R"({"stages": [{"method": "residual_mask_rcnn", )"
                                                              R"("parameters": {"MODEL": "%1", %2}}]})")
                                                   .arg(folder.path(), parameters)),
                               registry, p, one);
        };
        Progress p;
        const ResultPtr first = runPipeline(scene, Pipeline::parse(QStringLiteral("threshold+factorize")), registry, p);
        const ResultPtr none = run(QStringLiteral(R"("ROUNDS": 0)"));
        QCOMPARE(none->objects.size(), first->objects.size());
        QCOMPARE(none->objects[0].bands[0].flux, first->objects[0].bands[0].flux);
        // With a score that an untrained network cannot reach, the rounds end by themselves with the first pass.
        const ResultPtr sure = run(QStringLiteral(R"("SCORE": 0.999)"));
        QCOMPARE(sure->objects.size(), first->objects.size());
        // With one that anything reaches, what is new is recorded with its round.
        const ResultPtr all = run(QStringLiteral(R"("SCORE": 0.01, "ROUNDS": 2)"));
        for (const Object& o : all->objects) {
            QVERIFY(o.extra.contains(QStringLiteral("round")));
        }
    }

    void peaksNearKnownOnesAreNotNew() {
        const Scene scene = test::syntheticScene({60, 60}, 1, {{20, 20, 2.0, {3000.0}}}); // FWHM 4 pixels
        Result known, found;
        Footprint f = Footprint::fromMask(cv::Mat(9, 9, CV_8U, cv::Scalar(255)), 16, 16);
        f.id = 1;
        f.peaks = {{20.0, 20.0, 50.0f, -1}};
        known.footprints = {f};
        f.peaks = {{22.0, 20.0, 10.0f, -1}};
        found.footprints = {f};
        Result strict = known, close = known;
        QCOMPARE(mergeResidualPeaks(scene, found, strict), 0);      // 2 of 2.8 pixels
        QCOMPARE(mergeResidualPeaks(scene, found, close, 0.35), 1); // 2 of 1.4 pixels
        QCOMPARE(close.footprints[0].peaks.size(), 2u);
    }

    void wrongRecipesAreNamed() {
        QJsonObject recipe = smallRecipe();
        recipe[QStringLiteral("first_pass")] = QJsonObject{{QStringLiteral("detector"), QStringLiteral("factorize")}};
        QVERIFY_EXCEPTION_THROWN(ResidualTask{recipe}, UsageError);
        recipe[QStringLiteral("first_pass")] = QJsonObject{{QStringLiteral("hide"), 2}};
        QVERIFY_EXCEPTION_THROWN(ResidualTask{recipe}, UsageError);
    }
};

QTEST_GUILESS_MAIN(TestResidualMaskRcnn)
#include "tst_ResidualMaskRcnn.moc"
