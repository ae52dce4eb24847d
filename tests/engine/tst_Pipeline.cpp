#include "core/Error.h"
#include "method/BlendCutter.h"
#include "method/Pipeline.h"
#include "method/ResidualIteration.h"
#include "support/SyntheticScene.h"

#include <QTest>
#include <atomic>
#include <cmath>
#include <mutex>

using namespace blendscope;
using test::Blob;

namespace {

/// A field of isolated objects and close pairs, S/N about 100 each.
Scene field(int bands = 3) {
    std::vector<Blob> blobs;
    for (int j = 0; j < 5; ++j) {
        for (int i = 0; i < 5; ++i) {
            const double x = 25.3 + 40.0 * i, y = 24.6 + 40.0 * j;
            blobs.push_back({x, y, 2.0, std::vector<double>(bands, 800.0 + 40.0 * i)});
            if ((i + j) % 2 == 0) blobs.push_back({x + 8.0, y + 2.0, 2.2, std::vector<double>(bands, 600.0)});
        }
    }
    return test::syntheticScene({210, 210}, bands, blobs);
}

ResultPtr run(const Scene& scene, const QString& pipeline, const RunOptions& options = {}) {
    Progress progress;
    return runPipeline(scene, Pipeline::parse(pipeline), Registry(), progress, options);
}

void compareResults(const Result& a, const Result& b) {
    QCOMPARE(a.objects.size(), b.objects.size());
    for (std::size_t i = 0; i < a.objects.size(); ++i) {
        QCOMPARE(a.objects[i].id, b.objects[i].id);
        QCOMPARE(a.objects[i].x, b.objects[i].x);
        QCOMPARE(a.objects[i].flags, b.objects[i].flags);
        for (std::size_t k = 0; k < a.objects[i].bands.size(); ++k) {
            const float u = a.objects[i].bands[k].flux, v = b.objects[i].bands[k].flux;
            QVERIFY(u == v || (std::isnan(u) && std::isnan(v)));
        }
    }
    QVERIFY(cv::countNonZero(a.segmentation != b.segmentation) == 0);
}

} // namespace

class TestPipeline : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sameResultForAnyNumberOfThreads_data() {
        QTest::addColumn<QString>("pipeline");
        for (const char* name : {"threshold", "threshold+partition", "threshold+factorize"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
    void sameResultForAnyNumberOfThreads() {
        QFETCH(QString, pipeline);
        const Scene scene = field();
        RunOptions options;
        options.threads = 1;
        const ResultPtr one = run(scene, pipeline, options);
        QVERIFY(one->complete);
        QVERIFY(one->objects.size() > 20);
        QCOMPARE(one->objects.size(), one->components.size());
        options.threads = 3;
        compareResults(*one, *run(scene, pipeline, options));
    }

    void sharesAddUpToTheData_data() { sameResultForAnyNumberOfThreads_data(); }
    void sharesAddUpToTheData() {
        QFETCH(QString, pipeline);
        const Scene scene = field();
        const ResultPtr result = run(scene, pipeline);
        const BlendCutter cutter(scene, *result);
        for (const Footprint& footprint : result->footprints) {
            const BlendInput input = cutter.cut(footprint);
            for (std::size_t b = 0; b < scene.bands.size(); ++b) {
                cv::Mat sum = cv::Mat::zeros(scene.size, CV_64F);
                for (const int id : result->blend(footprint.id)->objects) {
                    const Component& c = *result->component(id);
                    cv::Mat share;
                    c.share[b].convertTo(share, CV_64F);
                    sum(c.box.rect()) += share;
                }
                for (const Span& s : footprint.spans) {
                    for (int x = s.x0; x < s.x1; ++x) {
                        const double data = input.data[b].at<float>(s.y - input.box.y0, x - input.box.x0);
                        QVERIFY2(std::abs(sum.at<double>(s.y, x) - data) <= 1e-5 * std::max(1.0, std::abs(data)),
                                 qPrintable(QStringLiteral("%1 against %2").arg(sum.at<double>(s.y, x)).arg(data)));
                    }
                }
            }
        }
    }

    void partialResultsAgreeWithTheFinalOne() {
        const Scene scene = field();
        std::mutex mutex;
        std::vector<ResultPtr> partial;
        RunOptions options;
        options.partialSeconds = 0.0;
        options.onPartial = [&](ResultPtr r) {
            const std::lock_guard lock(mutex);
            partial.push_back(std::move(r));
        };
        const ResultPtr final = run(scene, QStringLiteral("threshold+partition"), options);
        for (const ResultPtr& p : partial) {
            QVERIFY(!p->complete);
            for (const Object& o : p->objects) {
                const Object* same = final->object(o.id);
                QVERIFY(same);
                QCOMPARE(same->x, o.x);
            }
        }
    }

    void cancelKeepsWhatIsDone() {
        const Scene scene = field();
        Progress progress;
        RunOptions options;
        options.threads = 1;
        options.partialSeconds = 0.0;
        std::atomic<int> seen = 0;
        progress.begin(QStringLiteral("start"), 1);
        options.onPartial = [&](const ResultPtr&) {
            ++seen;
            progress.token().cancel();
        };
        const ResultPtr result =
            runPipeline(scene, Pipeline::parse(QStringLiteral("threshold+partition")), Registry(), progress, options);
        QVERIFY(seen >= 1);
        QVERIFY(!result->complete);
        QVERIFY(!result->blends.empty());
        QVERIFY(result->blends.size() < result->footprints.size());
        for (const Blend& blend : result->blends) {
            for (const int id : blend.objects) {
                QVERIFY(result->object(id) && result->component(id));
            }
        }
    }

    void cancelledBeforeDetectionIsAnError() {
        const Scene scene = field();
        Progress progress;
        progress.token().cancel();
        QVERIFY_THROWS_EXCEPTION(CancelledError, (void)runPipeline(scene, Pipeline::parse(QStringLiteral("threshold")),
                                                                   Registry(), progress));
    }

    void givenPositionsGetARowEach() {
        const Scene scene = field();
        RunOptions options;
        options.usePositions = true;
        options.positions = {{25.3, 24.6}, {33.3, 26.6}, {5.0, 5.0}, {1000.0, 3.0}, {65.3, 24.6}, {std::nan(""), 1.0}};
        const ResultPtr result = run(scene, QStringLiteral("threshold+partition"), options);
        QCOMPARE(result->objects.size(), options.positions.size());
        for (std::size_t i = 0; i < options.positions.size(); ++i) {
            QCOMPARE(result->objects[i].position, int(i));
            QCOMPARE(result->objects[i].id, int(i) + 1);
        }
        QVERIFY(result->objects[3].flags & FlagOutside);
        QVERIFY(result->objects[5].flags & FlagOutside);
        QVERIFY(std::abs(result->objects[0].x - 25.3) < 1.0);
        QVERIFY(std::abs(result->objects[4].x - 65.3) < 1.0);
        QVERIFY(result->objects[0].bands[0].flux > 100.0f);
    }

    void saturatedPixelsFlagTheirOwnerAlone() {
        Scene scene = test::syntheticScene({120, 60}, 2, {{30, 30, 2, {3000, 3000}}, {90, 30, 2, {3000, 3000}}});
        cv::Mat mask = cv::Mat::zeros(scene.size, CV_32S);
        mask.at<int>(31, 30) = 1 << 1;
        scene.bands[1].mask = std::make_shared<MemoryPlane>(mask);
        scene.bands[1].maskNames = {{QStringLiteral("SAT"), 1}};
        const ResultPtr result = run(scene, QStringLiteral("threshold+factorize"));
        QCOMPARE(result->objects.size(), std::size_t(2));
        for (const Object& object : result->objects) {
            QCOMPARE(bool(object.flags & FlagSaturated), object.x < 60.0);
        }
    }

    void residualRoundsAddWhatTheFirstMissed() {
        const Scene scene = test::syntheticScene({80, 80}, 1, {{30, 40, 2, {1000}}, {55, 40, 2, {500}}});
        Result first;
        Footprint known;
        cv::Mat mask = cv::Mat::zeros(9, 9, CV_8U);
        mask.setTo(255);
        known = Footprint::fromMask(mask, 26, 36);
        known.id = 1;
        known.peaks = {{30, 40, 50.0f, -1}};
        first.footprints = {known};

        Result found;
        Footprint same = known, near = Footprint::fromMask(mask, 33, 36), far = Footprint::fromMask(mask, 51, 36);
        same.peaks = {{30.5, 40.2, 5.0f, -1}};
        near.id = 2;
        near.peaks = {{37, 40, 6.0f, -1}};
        far.id = 3;
        far.peaks = {{55, 40, 25.0f, -1}};
        found.footprints = {same, near, far};
        QCOMPARE(mergeResidualPeaks(scene, found, first), 2);
        QCOMPARE(first.footprints.size(), std::size_t(2));
        QCOMPARE(first.footprints[0].id, 1);
        QCOMPARE(first.footprints[0].peaks.size(), std::size_t(2));
        QCOMPARE(first.footprints[0].box, (Box{26, 36, 16, 9}));
        QCOMPARE(first.footprints[1].peaks.size(), std::size_t(1));
        QCOMPARE(mergeResidualPeaks(scene, found, first), 0);
    }

    void theResidualIsDataMinusModels() {
        const Scene scene = test::syntheticScene({40, 40}, 2, {{20, 20, 2, {1000, 500}}}, 1.0, 4.0, 1, false);
        Result result;
        Component c;
        c.id = 1;
        c.box = {-5, 10, 30, 20};
        for (int b = 0; b < 2; ++b) {
            cv::Mat model(20, 30, CV_32F);
            for (int y = 0; y < 20; ++y) {
                for (int x = 0; x < 30; ++x) {
                    const int sx = x - 5, sy = y + 10;
                    model.at<float>(y, x) = sx >= 0 ? scene.bands[b].image->readAll().at<float>(sy, sx) : 7.0f;
                }
            }
            c.model.push_back(model);
        }
        result.components = {c};
        const Scene residual = residualScene(scene, result);
        for (int b = 0; b < 2; ++b) {
            const cv::Mat rest = residual.bands[b].image->readAll();
            QCOMPARE(cv::countNonZero(rest(cv::Rect(0, 10, 25, 20))), 0);
            QVERIFY(cv::sum(rest)[0] > 0.0);
        }
    }
};

QTEST_GUILESS_MAIN(TestPipeline)
#include "tst_Pipeline.moc"
