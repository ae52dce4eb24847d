#include "MaskDeblender.h"
#include "MaskRcnnTask.h"
#include "core/Error.h"
#include "method/Pipeline.h"
#include "method/Registry.h"
#include "neural/Patch.h"
#include "neural/RegionSearch.h"
#include "support/BlendSupport.h"
#include "support/SyntheticScene.h"

#include <QJsonArray>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

const QJsonObject kTiny{{QStringLiteral("features"), 12}, {QStringLiteral("mask_channels"), 8}};

/// A network of random weights, gains included: every path through it counts.
RegionNet randomNet(std::uint64_t seed) {
    torch::manual_seed(seed);
    RegionNet net = buildMaskRcnn(kTiny);
    const torch::NoGradGuard frozen;
    for (torch::Tensor& p : net->parameters()) {
        if (p.dim() < 2) p.normal_(0.0, 0.05);
    }
    return net;
}

Scene crowd(cv::Size size, int bands, int count) {
    std::vector<test::Blob> blobs;
    Random random(11);
    for (int i = 0; i < count; ++i) {
        blobs.push_back({random.uniform(5, size.width - 6), random.uniform(5, size.height - 6), 2.0,
                         std::vector<double>(static_cast<size_t>(bands), random.uniform(500, 3000))});
    }
    return test::syntheticScene(size, bands, blobs);
}

RegionSearch searchOf(const RegionNet& net, const Scene& scene, RegionSearch::Options options = {}) {
    options.threads = 1;
    const SlottedBands bands = SlottedBands::of(scene);
    const auto read = [&scene, bands](const Box& box) {
        return regionPreprocessing().encode(PatchReader(scene).read(box), bands.matched);
    };
    return {net, scene.size, bands, read, options};
}

RegionDetection halfMask(float x, float y, float level) {
    RegionDetection d;
    d.x = x;
    d.y = y;
    d.window = {x - 14, y - 14, x + 14, y + 14};
    d.mask = torch::full({RegionNetImpl::kMaskPlanes, RegionNetImpl::kMaskSide, RegionNetImpl::kMaskSide}, level);
    return d;
}

bool shipped() {
    const Registry registry;
    const MethodInfo* info = registry.find(QStringLiteral("mask_rcnn"));
    return info && QFileInfo::exists(info->folder + QStringLiteral("/model/card.json"));
}

ResultPtr runOn(const Scene& scene, const QString& pipeline, const RunOptions& options = {}) {
    const Registry registry;
    Progress progress;
    RunOptions one = options;
    one.threads = 1;
    return runPipeline(scene, Pipeline::parse(pipeline), registry, progress, one);
}

} // namespace

class TestMaskRcnn : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void masksArePastedWhereTheyBelong() {
        // A ramp over a window whose samples are half a pixel apart: its value at a pixel is that of its position.
        cv::Mat mask(28, 28, CV_32F);
        const FloatBox window{10.25f, 20.0f, 24.25f, 34.0f};
        for (int y = 0; y < 28; ++y) {
            for (int x = 0; x < 28; ++x) {
                const float px = window.x0 + (static_cast<float>(x) + 0.5f) * 0.5f,
                            py = window.y0 + (static_cast<float>(y) + 0.5f) * 0.5f;
                mask.at<float>(y, x) = px + 10.0f * py;
            }
        }
        const Box box{8, 22, 20, 8};
        const cv::Mat pasted = pasteMask(mask, window, box);
        QCOMPARE(pasted.size(), box.size());
        for (int y = 0; y < box.height; ++y) {
            for (int x = 0; x < box.width; ++x) {
                const auto px = static_cast<float>(box.x0 + x), py = static_cast<float>(box.y0 + y);
                const bool inside = px > window.x0 && px < window.x1;
                if (px - window.x0 < 0.3f || window.x1 - px < 0.3f) continue; // the border's half sample is constant
                QVERIFY(std::abs(pasted.at<float>(y, x) - (inside ? px + 10.0f * py : 0.0f)) < 1e-3f);
            }
        }
    }

    void claimsBecomeShares() {
        test::BlendCase blend;
        const cv::Mat image =
            test::drawGalaxy({20, 20, 5000, 2.0}, {41, 41}, 1.7) + test::drawGalaxy({26, 20, 5000, 2.0}, {41, 41}, 1.7);
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.7, {{30, 40, 50, -1}, {36, 40, 40, -1}});
        const std::vector<RegionDetection> detections{halfMask(30, 40, 0.9f), halfMask(36, 40, 0.3f)};
        const MaskDeblender deblender(detections, {3});
        Progress progress;
        MethodContext context;
        context.progress = &progress;
        const BlendOutput output = deblender.deblend(blend.input, Parameters(), context);
        QCOMPARE(output.children.size(), 2u);
        // Both windows cover (33, 40): claims of 0.9 and 0.3 are shares of three quarters and a quarter.
        std::vector<float> model;
        for (const BlendOutput::Child& child : output.children) {
            QVERIFY(cv::checkRange(child.model[0], true, nullptr, 0.0, 1e9));
            model.push_back(child.model[0].at<float>(40 - child.box.y0, 33 - child.box.x0));
        }
        QVERIFY(std::abs(double(model[0] / model[1]) - 3.0) < 1e-4);
        // Where one window ends the other object has all of it.
        const BlendOutput::Child& first = output.children[0];
        QVERIFY(std::abs(first.model[0].at<float>(40 - first.box.y0, 18 - first.box.x0) -
                         std::max(1e-3f, first.model[0].at<float>(40 - first.box.y0, 18 - first.box.x0))) < 1e-6);
        QCOMPARE(deblender.at(30, 40)->mask.data_ptr<float>(), detections[0].mask.data_ptr<float>());
        QVERIFY(!deblender.at(31, 40));
    }

    void aPeakWithoutMaskKeepsItsPixel() {
        test::BlendCase blend;
        const cv::Mat image = test::drawGalaxy({20, 20, 5000, 2.0}, {41, 41}, 1.7);
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.7, {{30, 40, 50, -1}});
        Progress progress;
        MethodContext context;
        context.progress = &progress;
        const BlendOutput output = MaskDeblender({}, {3}).deblend(blend.input, Parameters(), context);
        QCOMPARE(output.children.size(), 1u);
        QVERIFY(output.children[0].flags & FlagNoFlux);
        QVERIFY(!output.children[0].note.isEmpty());
    }

    /// Tiles must not show: the same maps, and so the same detections, whatever their size.
    void tilesDoNotShow() {
        const Scene scene = crowd({150, 120}, 3, 30);
        std::vector<std::vector<RegionDetection>> found;
        for (const int tile : {232, 384}) {
            RegionSearch::Options options;
            options.tile = tile;
            options.detector.leastProposal = 0.01f;
            options.detector.leastScore = 0.01f;
            RegionSearch search = searchOf(randomNet(2), scene, options);
            Progress progress;
            found.push_back(search.find(progress, [](const QString&) {}));
        }
        QVERIFY(found[0].size() > 10);
        for (size_t i = 1; i < found.size(); ++i) {
            QCOMPARE(found[i].size(), found[0].size());
            for (size_t k = 0; k < found[i].size(); ++k) {
                QVERIFY(std::abs(found[i][k].x - found[0][k].x) < 1e-3f);
                QVERIFY(std::abs(found[i][k].score - found[0][k].score) < 1e-4f);
                QVERIFY((found[i][k].mask - found[0][k].mask).abs().max().item<float>() < 1e-4f);
            }
        }
    }

    void givenPositionsAreAnsweredInOrder() {
        const Scene scene = crowd({90, 70}, 2, 6);
        RegionSearch search = searchOf(randomNet(3), scene);
        Progress progress;
        const auto seen = search.lookAt({{70.0, 12.5}, {5.0, 60.0}, {-0.4, 69.4}}, progress, [](const QString&) {});
        QCOMPARE(seen.size(), 3u);
        QCOMPARE(seen[0].x, 70.0f);
        QCOMPARE(seen[1].y, 60.0f);
        for (const RegionDetection& d : seen) {
            QVERIFY(d.mask.defined());
        }
    }

    void cancellingStopsTheSearch() {
        const Scene scene = crowd({100, 60}, 1, 5);
        RegionSearch search = searchOf(randomNet(4), scene);
        const CancelToken token;
        token.cancel();
        Progress progress(token);
        QVERIFY_EXCEPTION_THROWN((void)search.find(progress, [](const QString&) {}), CancelledError);
    }

    /// The whole way: a few steps of training, a model on disk, the same network from it.
    void aModelIsTrainedAndFoundAgain() {
        const Registry registry;
        const auto trainable = registry.createTrainable(QStringLiteral("mask_rcnn"));
        QTemporaryDir folder;
        TrainingRequest request;
        request.recipe = trainable->defaultRecipe();
        QVERIFY(!request.recipe.isEmpty());
        request.recipe[QStringLiteral("network")] = kTiny;
        QJsonObject training = request.recipe[QStringLiteral("training")].toObject();
        training[QStringLiteral("steps")] = 3;
        training[QStringLiteral("minutes")] = 0;
        training[QStringLiteral("batch")] = 2;
        training[QStringLiteral("validation")] = 2;
        training[QStringLiteral("test")] = 2;
        training[QStringLiteral("validate_every")] = 2;
        training[QStringLiteral("start")] = QString(); // a smaller network than the one that it begins with
        request.recipe[QStringLiteral("training")] = training;
        request.out = folder.path();
        request.threads = 1;
        Progress progress;
        TrainingContext context;
        context.progress = &progress;
        cv::Mat picture;
        context.picture = [&](const cv::Mat& p) { picture = p; };
        const TrainingOutcome outcome = trainable->train(request, context);
        QCOMPARE(outcome.steps, 3);
        QVERIFY(outcome.metrics.contains(QStringLiteral("ap")));
        QCOMPARE(picture.size(), cv::Size(2 * 3 * 64, 3 * 64));

        const Scene scene = crowd({80, 60}, 3, 4);
        const QString pipeline =
            QStringLiteral(R"({"stages": [{"method": "mask_rcnn", "parameters": {"MODEL": "%1", "SCORE": 0.01}}]})")
                .arg(folder.path());
        const ResultPtr result = runOn(scene, pipeline);
        QVERIFY(result->complete);
        QVERIFY_EXCEPTION_THROWN(runOn(scene, QStringLiteral(R"({"stages": [{"method": "mask_rcnn", "parameters": )"
                                                             R"({"MODEL": "/nowhere"}}]})")),
                                 UsageError);
    }

    void wrongRecipesAreNamed() {
        QJsonObject recipe = Registry().createTrainable(QStringLiteral("mask_rcnn"))->defaultRecipe();
        recipe[QStringLiteral("network")] = QJsonObject{{QStringLiteral("layers"), 3}};
        QVERIFY_EXCEPTION_THROWN(MaskRcnnTask{recipe}, UsageError);
        recipe[QStringLiteral("network")] = kTiny;
        recipe[QStringLiteral("targets")] = QJsonObject{{QStringLiteral("least_snr"), -1}};
        QVERIFY_EXCEPTION_THROWN(MaskRcnnTask{recipe}, UsageError);
    }

    /// The shipped network: bright pairs wider than a PSF, in one band and in six.
    void theShippedModelFindsPairs() {
        QVERIFY2(shipped(), "the model that comes with the method is missing");
        for (const int bands : {1, 3, 6}) {
            const std::vector<double> flux(static_cast<size_t>(bands), 1500.0);
            const Scene scene =
                test::syntheticScene({96, 96}, bands, {{40, 48, 2.0, flux}, {48, 50, 2.0, flux}, {80, 20, 2.0, flux}});
            const ResultPtr result = runOn(scene, QStringLiteral("mask_rcnn"));
            QCOMPARE(result->objects.size(), 3u);
            QCOMPARE(result->components.size(), 3u);
            double total = 0.0;
            for (const Object& o : result->objects) {
                QVERIFY(std::isfinite(o.pStar));
                total += double(o.bands[0].flux);
                QVERIFY2(std::abs(double(o.bands[0].flux) / 1500.0 - 1.0) < 0.25,
                         qPrintable(QString::number(double(o.bands[0].flux))));
            }
        }
    }

    void givenPositionsAreKept() {
        QVERIFY2(shipped(), "the model that comes with the method is missing");
        const std::vector<double> flux(3, 1500.0);
        const Scene scene = test::syntheticScene({96, 96}, 3, {{40, 48, 2.0, flux}, {48, 50, 2.0, flux}});
        RunOptions options;
        options.usePositions = true;
        options.positions = {{47.5, 50.0}, {40.2, 48.1}, {10.0, 10.0}};
        const ResultPtr result = runOn(scene, QStringLiteral("mask_rcnn"), options);
        QCOMPARE(result->objects.size(), 3u);
        for (size_t k = 0; k < 2; ++k) {
            QCOMPARE(result->objects[k].position, static_cast<int>(k));
            QCOMPARE(result->objects[k].peakX, options.positions[k].x);
            QVERIFY(std::abs(double(result->objects[k].bands[1].flux) / 1500.0 - 1.0) < 0.3);
        }
    }
};

QTEST_GUILESS_MAIN(TestMaskRcnn)
#include "tst_MaskRcnn.moc"
