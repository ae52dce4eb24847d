#include "judge/Recovery.h"

#include "core/Random.h"

#include <QJsonArray>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

Scene sceneWith(const std::vector<std::pair<double, double>>& places, double flux) {
    Scene scene;
    scene.id = QStringLiteral("s");
    scene.size = {100, 80};
    scene.pixelScale = 0.2;
    for (const char* name : {"g", "i"}) {
        Band band;
        band.name = QLatin1String(name);
        band.zeroPoint = 30.0;
        scene.bands.push_back(band);
    }
    Truth truth;
    for (const auto& [x, y] : places) {
        TruthObject t;
        t.id = static_cast<int>(truth.objects.size()) + 1;
        t.x = x;
        t.y = y;
        t.flux = {flux, 2.0 * flux};
        truth.objects.push_back(t);
    }
    scene.truth = truth;
    return scene;
}

Object objectAt(int id, double x, double y, double g, double i, double err = 1.0) {
    Object o;
    o.id = id;
    o.x = x;
    o.y = y;
    o.bands.resize(2);
    o.bands[0].flux = static_cast<float>(g);
    o.bands[1].flux = static_cast<float>(i);
    o.bands[0].fluxErr = o.bands[1].fluxErr = static_cast<float>(err);
    return o;
}

Result resultWith(std::vector<Object> objects) {
    Result r;
    r.bands = {QStringLiteral("g"), QStringLiteral("i")};
    r.objects = std::move(objects);
    return r;
}

} // namespace

class TestRecovery : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void radius() {
        Scene scene = sceneWith({}, 1.0);
        QCOMPARE(matchRadiusPixels(scene, {}), 2.0); // 0.4 arcsec
        scene.bands[0].psf = {cv::Mat::ones(3, 3, CV_32F), 6.0, Psf::Origin::Given};
        QCOMPARE(matchRadiusPixels(scene, {}), 3.0);
        scene.pixelScale = 0.0;
        scene.bands[0].psf = {};
        QCOMPARE(matchRadiusPixels(scene, {}), 2.0);
    }

    void nearestFirstOneToOne() {
        const Scene scene = sceneWith({{20, 20}, {21.5, 20}, {60, 60}, {70, 10}}, 100.0);
        const Result result = resultWith({objectAt(1, 21.2, 20, 100, 200), objectAt(2, 60.1, 60, 50, 200),
                                          objectAt(3, 61, 60, 7, 7), objectAt(4, 70, 13, 7, 7)});
        const std::vector<RecoveryMatch> m = matchTruth(scene, result);
        QCOMPARE(m.size(), size_t(4));
        QCOMPARE(m[0].objectId, 0); // its only candidate lies nearer to the second
        QCOMPARE(m[1].objectId, 1);
        QCOMPARE(m[2].objectId, 2);
        QCOMPARE(m[3].objectId, 0); // beyond the radius
        QVERIFY(std::abs(m[2].bands[0].trueMagnitude - 25.0) < 1e-9);
        QVERIFY(std::abs(m[2].bands[0].magnitude - 25.7526) < 1e-3);
        QVERIFY(std::isnan(m[0].bands[0].flux));
    }

    void byPosition() {
        const Scene scene = sceneWith({{20, 20}, {21.5, 20}}, 100.0);
        Object near = objectAt(1, 20, 20, 90, 180), lost = objectAt(2, 21.5, 20, 0, 0);
        near.position = 0;
        lost.position = 1;
        lost.flags = FlagNotDetected;
        RecoveryOptions options;
        options.byPosition = true;
        const std::vector<RecoveryMatch> m = matchTruth(scene, resultWith({near, lost}), options);
        QCOMPARE(m[0].objectId, 1);
        QCOMPARE(m[1].objectId, 0);
    }

    void unusableTruthsAreLeftOut() {
        Scene scene = sceneWith({{20, 20}, {-3, 5}, {50, 50}, {40, 40}}, 100.0);
        cv::Mat outside = cv::Mat::zeros(scene.size, CV_32S);
        outside.at<int>(50, 50) = 1;
        scene.footprintMask = std::make_shared<MemoryPlane>(outside);
        scene.truth->objects[3].columns[QStringLiteral("snr_det")] = 4.0;
        RecoveryOptions options;
        QCOMPARE(matchTruth(scene, resultWith({}), options).size(), size_t(2));
        options.leastSnr = 5.0;
        QCOMPARE(matchTruth(scene, resultWith({}), options).size(), size_t(1));
        scene.truth.reset();
        QVERIFY(matchTruth(scene, resultWith({})).empty());
    }

    void statistics() {
        // Fluxes 10 % low with 5 % noise and honest errors; every fifth object is missing.
        RecoveryTally tally;
        Random random(4);
        const int scenes = 40;
        for (int s = 0; s < scenes; ++s) {
            std::vector<std::pair<double, double>> places;
            std::vector<Object> objects;
            for (int k = 0; k < 20; ++k) {
                const double x = 3.0 + 4.5 * k, y = 40.0;
                places.emplace_back(x, y);
                if (k % 5 == 4) continue;
                const double noisy = 0.9 + 0.05 * random.normal();
                objects.push_back(objectAt(k + 1, x + 0.3, y, 1e4 * noisy, k == 0 ? -5.0 : 2e4 * noisy, 500.0));
            }
            tally.add(sceneWith(places, 1e4), resultWith(objects));
        }
        const RecoverySummary summary = tally.summary();
        QCOMPARE(summary.scenes, scenes);
        QCOMPARE(summary.truths, 20 * scenes);
        QCOMPARE(summary.recovered, 16 * scenes);
        QVERIFY(std::abs(summary.medianDistancePixels - 0.3) < 1e-9);
        QCOMPARE(summary.bands.size(), size_t(2));
        const RecoveryStatistics& g = summary.bands[0].all;
        QCOMPARE(summary.bands[0].band, QStringLiteral("g"));
        QVERIFY2(std::abs(g.bias + 2.5 * std::log10(0.9)) < 0.01, qPrintable(QString::number(g.bias)));
        QVERIFY2(std::abs(g.scatter - 0.05 / 0.9 * 1.0857) < 0.01, qPrintable(QString::number(g.scatter)));
        QVERIFY(std::abs(g.pullBias + 2.0) < 0.2 && std::abs(g.pull - 1.0) < 0.15);
        QVERIFY(g.within20 > 0.7 && g.within20 < 0.8);
        QCOMPARE(summary.bands[0].bins.size(), size_t(1));
        QCOMPARE(summary.bands[0].bins[0].bright, 20.0);
        QCOMPARE(summary.bands[0].bins[0].truths, 20 * scenes);
        // A negative flux has no magnitude, yet the medians stand.
        QVERIFY(std::isfinite(summary.bands[1].all.bias) && std::isfinite(summary.bands[1].all.scatter));
        QVERIFY(toJson(summary)[QStringLiteral("bands")].toArray().size() == 2);
    }

    void nothingToSay() {
        const RecoverySummary empty = RecoveryTally().summary();
        QCOMPARE(empty.truths, 0);
        QVERIFY(toJson(empty)[QStringLiteral("median_distance_pixels")].isNull());
        RecoveryTally tally;
        tally.add(sceneWith({{5, 5}}, std::nan("")), resultWith({}));
        QCOMPARE(tally.summary().truths, 1);
        QVERIFY(tally.summary().bands.empty());
    }
};

QTEST_APPLESS_MAIN(TestRecovery)
#include "tst_Recovery.moc"
