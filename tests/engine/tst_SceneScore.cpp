#include "core/Random.h"
#include "judge/Failures.h"
#include "judge/MetricsBuilder.h"
#include "judge/SceneScore.h"
#include "support/SyntheticScene.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

Scene sceneWith(const std::vector<std::pair<double, double>>& places, double flux, cv::Size size = {100, 80}) {
    Scene scene = test::syntheticScene(size, 2, {}, 1.0, 4.0, 1, false);
    scene.id = QStringLiteral("s");
    Truth truth;
    for (const auto& [x, y] : places) {
        TruthObject t;
        t.id = static_cast<int>(truth.objects.size()) + 1;
        t.kind = QStringLiteral("gal");
        t.x = x;
        t.y = y;
        t.flux = {flux, 2.0 * flux};
        t.hlrArcsec = 0.5;
        t.columns[QStringLiteral("snr_det")] = 50.0;
        for (const Band& band : scene.bands) {
            t.columns[QStringLiteral("snr_") + band.name] = 40.0;
        }
        truth.objects.push_back(t);
    }
    scene.truth = truth;
    return scene;
}

Object objectAt(int id, double x, double y, double g, double r, double err = 1.0) {
    Object o;
    o.id = id;
    o.x = x;
    o.y = y;
    o.hlr = 2.5f;
    o.pStar = 0.1f;
    o.bands.resize(2);
    o.bands[0].flux = static_cast<float>(g);
    o.bands[1].flux = static_cast<float>(r);
    o.bands[0].fluxErr = o.bands[1].fluxErr = static_cast<float>(err);
    return o;
}

Result resultWith(std::vector<Object> objects) {
    Result r;
    r.bands = {QStringLiteral("g"), QStringLiteral("r")};
    r.objects = std::move(objects);
    return r;
}

ScoredPipeline pipelineOf(const QString& name, std::vector<SceneScore> scenes) {
    ScoredPipeline p;
    p.name = name;
    p.scenes = std::move(scenes);
    return p;
}

} // namespace

class TestSceneScore : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void countsByHand() {
        // Three eligible, one known but faint, one too faint to be known; 1 arcsec = 5 pixels.
        Scene scene = sceneWith({{20, 20}, {26, 20}, {60, 60}, {80, 40}, {10, 70}}, 100.0);
        scene.truth->objects[3].columns[QStringLiteral("snr_det")] = 5.0;
        scene.truth->objects[4].columns[QStringLiteral("snr_det")] = 1.0;
        // One between the first two, one on the third with a wrong flux, one on the faint, one on the unknown.
        const SceneScore s =
            scoreScene(scene, resultWith({objectAt(1, 21, 20, 110, 190), objectAt(2, 60.3, 60.4, 150, 210),
                                          objectAt(3, 80, 41, 5, 5), objectAt(4, 10, 70, 1, 1)}));
        QVERIFY(s.stamp);
        QCOMPARE(s.eligibleCount(), 3);
        QCOMPARE(s.foundCount(), 2);
        QCOMPARE(s.truths.size(), size_t(4));
        QCOMPARE(s.truths[0].objectId, 1);
        QCOMPARE(s.truths[1].objectId, 0);
        QVERIFY(std::abs(s.truths[2].distancePixels - 0.5) < 1e-9);
        QCOMPARE(s.truths[3].objectId, 3);
        QCOMPARE(s.detections.size(), size_t(4));
        QVERIFY(s.detections[2].matched && !s.detections[3].matched);
        QCOMPARE(s.groups.size(), size_t(1)); // a stamp is one blend
        QVERIFY(std::abs(s.groups[0].separationArcsec - 1.2) < 1e-9);
        QVERIFY(std::abs(s.truths[0].bands[0].error() - 0.1) < 1e-6);
        QVERIFY(std::abs(s.truths[0].sizeError) < 1e-6); // 2.5 pixels are 0.5 arcsec
        QCOMPARE(s.truths[0].outcome, MatchOutcome::Shared);

        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        const PipelineReport& p = report.pipelines[0];
        QCOMPARE(p.metric(QStringLiteral("completeness"))->value, 2.0 / 3.0);
        QCOMPARE(p.metric(QStringLiteral("purity"))->value, 3.0 / 4.0);
        QVERIFY(std::abs(p.metric(QStringLiteral("f1"))->value - 2.0 * (2.0 / 3.0) * 0.75 / (2.0 / 3.0 + 0.75)) <
                1e-12);
        QCOMPARE(p.metric(QStringLiteral("whole_blends:2+"))->value, 0.0);
        // g: 1.1 within, 1.5 not, one missing; r: 0.95, 1.05, missing.
        QCOMPARE(p.metric(QStringLiteral("within20:all:g"))->value, 1.0 / 3.0);
        QCOMPARE(p.metric(QStringLiteral("within20:all:r"))->value, 2.0 / 3.0);
        QVERIFY(std::abs(p.metric(QStringLiteral("flux_bias:all:g"))->value - 0.3) < 1e-6);
        // Errors +0.1 and +0.5 about 0.3: MAD 0.2.
        QVERIFY(std::abs(p.metric(QStringLiteral("flux_scatter:all:g"))->value - 1.4826 * 0.2) < 1e-6);
        QCOMPARE(p.objects.size(), size_t(3));
        QCOMPARE(p.objects[1].objectId, 0);
        const std::vector<Failure> failures = worstFailures({s}, 5);
        QCOMPARE(failures.size(), size_t(1));
        QVERIFY(failures[0].words.startsWith(QLatin1String("2 of 3 found")));
    }

    void byPosition() {
        const Scene scene = sceneWith({{20, 20}, {21.5, 20}}, 100.0);
        Object near = objectAt(1, 20, 20, 90, 180), lost = objectAt(2, 21.5, 20, 0, 0);
        near.position = 0;
        lost.position = 1;
        lost.flags = FlagNotDetected;
        ScoreOptions options;
        options.byPosition = true;
        const SceneScore s = scoreScene(scene, resultWith({near, lost}), options);
        QCOMPARE(s.truths[0].objectId, 1);
        QCOMPARE(s.truths[1].objectId, 0);
    }

    void unusableTruthsAreLeftOut() {
        Scene scene = sceneWith({{20, 20}, {-3, 5}, {50, 50}, {40, 40}}, 100.0);
        cv::Mat outside = cv::Mat::zeros(scene.size, CV_32S);
        outside.at<int>(50, 50) = 1;
        scene.footprintMask = std::make_shared<MemoryPlane>(outside);
        QCOMPARE(scoreScene(scene, resultWith({})).truths.size(), size_t(2));
        scene.truth.reset();
        QVERIFY(scoreScene(scene, resultWith({})).truths.empty());
        // In a large scene the border does not count.
        Scene large = sceneWith({{5, 50}, {150, 150}}, 100.0, {300, 300});
        QCOMPARE(scoreScene(large, resultWith({})).eligibleCount(), 1);
    }

    void masksByHand() {
        Scene scene = sceneWith({{12, 12}, {32, 12}}, 100.0, {60, 40});
        cv::Mat truth = cv::Mat::zeros(scene.size, CV_32S), found = truth.clone();
        truth(cv::Rect(10, 10, 6, 4)).setTo(1);
        truth(cv::Rect(30, 10, 6, 4)).setTo(2);
        found(cv::Rect(12, 10, 6, 4)).setTo(7); // 16 common of 32
        found(cv::Rect(30, 10, 6, 4)).setTo(8);
        scene.truth->segmentation = std::make_shared<MemoryPlane>(truth);
        Result result = resultWith({objectAt(7, 12, 12, 100, 200), objectAt(8, 32, 12, 100, 200)});
        result.segmentation = found;
        result.objects[0].significance = 5.0f;
        result.objects[1].significance = 9.0f;
        const SceneScore s = scoreScene(scene, result);
        QCOMPARE(s.truths[0].maskIou, 0.5);
        QCOMPARE(s.truths[1].maskIou, 1.0);
        QCOMPARE(s.masks.overlaps.size(), size_t(2));
        QCOMPARE(s.boxes.overlaps.size(), size_t(2));
        // Background: 2400 - 56 common, 2400 - 40 united; galaxies 40 of 56.
        QCOMPARE(s.classes[0].intersection, 2400.0 - 56.0);
        QCOMPARE(s.classes[1].intersection / s.classes[1].united, 40.0 / 56.0);
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        const PipelineReport& p = report.pipelines[0];
        QCOMPARE(p.metric(QStringLiteral("ap_mask50"))->value, 1.0);
        // At 0.75 the surer one is right, the other wrong: precision 1 up to recall 0.5.
        QVERIFY(std::abs(p.metric(QStringLiteral("ap_mask75"))->value - 51.0 / 101.0) < 1e-12);
    }

    void pairedDifferences() {
        // B finds what A finds and nine of ten others: in each scene the same objects, so the difference is sure.
        Random random(4);
        std::vector<SceneScore> a, b;
        for (int k = 0; k < 60; ++k) {
            const Scene scene = sceneWith({{20, 20}, {60, 60}}, 100.0);
            const bool first = random.uniform() < 0.5;
            std::vector<Object> objects;
            if (first) objects.push_back(objectAt(1, 20, 20, 100, 200));
            a.push_back(scoreScene(scene, resultWith(objects)));
            if (k % 10) objects.push_back(objectAt(2, 60, 60, 120, 230));
            b.push_back(scoreScene(scene, resultWith(objects)));
        }
        const MetricsReport report =
            buildReport({pipelineOf(QStringLiteral("a"), a), pipelineOf(QStringLiteral("b"), b)});
        QCOMPARE(report.resampled, QStringLiteral("60 scenes"));
        const auto it =
            std::find_if(report.differences.begin(), report.differences.end(),
                         [](const PairedDifference& d) { return d.metric == QLatin1String("completeness"); });
        QVERIFY(it != report.differences.end());
        QVERIFY(std::abs(it->difference - 0.45) < 1e-12);
        const double own = report.pipelines[0].metric(QStringLiteral("completeness"))->error;
        // Per scene the difference is 0.5 or 0: sigma 0.15 / sqrt 60.
        QVERIFY2(std::abs(it->error - 0.15 / std::sqrt(60.0)) < 0.005, qPrintable(QString::number(it->error)));
        QVERIFY(it->error < own);
        // A click on a bin finds its objects.
        const PlotData* plot = report.plot(QStringLiteral("completeness_by_magnitude"));
        QVERIFY(plot && plot->series.size() == 2);
        int members = 0;
        for (const PlotPoint& p : plot->series[1].points) {
            members += static_cast<int>(p.members.size());
            QCOMPARE(static_cast<int>(p.members.size()), p.count);
        }
        QCOMPARE(members, 120);
        QVERIFY(toJson(report)[QStringLiteral("pipelines")].toArray().size() == 2);
        QVERIFY(metricsCsv(report).size() > 10 && plotsCsv(report).size() > 5);
    }

    void emptyAndFailedScenes() {
        const Scene scene = sceneWith({{20, 20}}, std::nan(""));
        const SceneScore s = scoreScene(scene, Result{});
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QCOMPARE(report.pipelines[0].metric(QStringLiteral("completeness"))->value, 0.0);
        QVERIFY(buildReport({}).pipelines.empty());
        QVERIFY(buildReport({pipelineOf(QStringLiteral("a"), {})}).scenes.isEmpty());
        Scene nothing;
        (void)scoreScene(nothing, Result{});
    }

    void hundredThousandObjects() {
        std::vector<std::pair<double, double>> places;
        std::vector<Object> objects;
        Random random(9);
        for (int i = 0; i < 100000; ++i) {
            places.emplace_back(random.uniform(20, 4980), random.uniform(20, 4980));
            objects.push_back(objectAt(i + 1, places.back().first + 0.5 * random.normal(),
                                       places.back().second + 0.5 * random.normal(), 100 + 10 * random.normal(),
                                       200 + 10 * random.normal(), 10));
        }
        const Scene scene = sceneWith(places, 100.0, {5000, 5000});
        const Result result = resultWith(std::move(objects));
        QElapsedTimer timer;
        timer.start();
        const SceneScore s = scoreScene(scene, result);
        const qint64 scoring = timer.restart();
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        const qint64 building = timer.elapsed();
        qInfo("100000 objects: scored in %lld ms, report in %lld ms", scoring, building);
        QVERIFY(report.pipelines[0].metric(QStringLiteral("completeness"))->value > 0.9);
        // Generous: the machine may be busy, and sanitizers slow.
        QVERIFY(scoring < 60000 && building < 120000);
    }
};

QTEST_APPLESS_MAIN(TestSceneScore)
#include "tst_SceneScore.moc"
