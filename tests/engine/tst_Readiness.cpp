#include "jobs/Progress.h"
#include "judge/HostileScenes.h"
#include "judge/Readiness.h"

#include <QJsonArray>
#include <QSet>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

/// What a deblender would give that knows the truth, with fluxes off by a factor; one footprint over everything.
TrialRun fromTruth(const Scene& scene, double factor = 1.0) {
    TrialRun run;
    auto result = std::make_shared<Result>();
    result->bands = scene.bandNames();
    if (scene.truth && !scene.size.empty()) {
        Footprint f = Footprint::fromMask(cv::Mat(scene.size, CV_8U, cv::Scalar(255)), 0, 0);
        f.id = 1;
        Blend blend;
        blend.id = 1;
        blend.box = f.box;
        for (const TruthObject& t : scene.truth->objects) {
            Object o;
            o.id = static_cast<int>(result->objects.size()) + 1;
            o.parent = 1;
            o.x = t.x;
            o.y = t.y;
            for (const double flux : t.flux) {
                BandFlux b;
                b.flux = static_cast<float>(factor * flux);
                b.fluxErr = 1.0f;
                o.bands.push_back(b);
            }
            blend.objects.push_back(o.id);
            result->objects.push_back(o);
        }
        result->footprints.push_back(f);
        result->blends.push_back(blend);
    }
    run.result = result;
    return run;
}

} // namespace

/// The readiness card with pipelines whose worth is known.
class TestReadiness : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void hostileScenesAreWhatTheySay() {
        const std::vector<HostileScene> scenes = hostileScenes();
        QCOMPARE(scenes.size(), size_t(26)); // the manual says so
        QSet<QString> names;
        const HostileScene* clean = nullptr;
        int garbage = 0;
        for (const HostileScene& h : scenes) {
            QVERIFY(h.scene && !h.name.isEmpty() && !h.what.isEmpty());
            QVERIFY2(!names.contains(h.name), qPrintable(h.name));
            names.insert(h.name);
            garbage += h.garbage;
            QVERIFY2(h.garbage || (h.scene->truth && !h.scene->truth->objects.empty()), qPrintable(h.name));
            if (!h.garbage && !clean) clean = &h;
        }
        QVERIFY(garbage >= 3);
        QVERIFY(clean && clean->name == QLatin1String("clean"));
        // The same again, and another one for another seed.
        const auto pixels = [](const std::vector<HostileScene>& list) {
            for (const HostileScene& h : list) {
                if (!h.garbage) return h.scene->bands.front().image->readAll();
            }
            return cv::Mat();
        };
        QCOMPARE(cv::norm(pixels(scenes), pixels(hostileScenes()), cv::NORM_INF), 0.0);
        QVERIFY(cv::norm(pixels(scenes), pixels(hostileScenes(2)), cv::NORM_INF) > 0.0);
    }

    void robustness() {
        Progress progress;
        const ReadinessItem perfect =
            assessRobustness([](const Scene& s) { return fromTruth(s); }, ScoreOptions{}, progress);
        QVERIFY2(perfect.verdict == ReadinessItem::Verdict::Good, qPrintable(perfect.finding));
        QCOMPARE(perfect.values[QStringLiteral("worse")].toInt(), 0);
        QVERIFY(perfect.values[QStringLiteral("compared")].toInt() > 20);
        QCOMPARE(perfect.values[QStringLiteral("died")].toInt(), 0);
        // A hundred thousand times the light: worse than the whole footprint, nearly everywhere.
        const ReadinessItem bad =
            assessRobustness([](const Scene& s) { return fromTruth(s, 1e5); }, ScoreOptions{}, progress);
        QVERIFY2(bad.verdict == ReadinessItem::Verdict::Poor,
                 qPrintable(bad.finding + QLatin1Char(10) + bad.details.join(QLatin1Char(10))));
        QVERIFY(bad.values[QStringLiteral("worse")].toInt() > 0.8 * bad.values[QStringLiteral("compared")].toInt());
        // One crash is enough; a refusal in words is none.
        int calls = 0;
        const ReadinessItem crash = assessRobustness(
            [&](const Scene& s) {
                TrialRun run = fromTruth(s);
                if (++calls == 2) run.end = TrialRun::End::Crashed;
                if (calls == 3) run.end = TrialRun::End::Refused;
                if (calls == 2 || calls == 3) run.result.reset();
                return run;
            },
            ScoreOptions{}, progress);
        QVERIFY(crash.verdict == ReadinessItem::Verdict::Poor);
        QCOMPARE(crash.values[QStringLiteral("died")].toInt(), 1);
        QCOMPARE(crash.values[QStringLiteral("refused")].toInt(), 1);
        const auto empty = [](const Scene& s) {
            TrialRun run = fromTruth(s);
            auto nothing = std::make_shared<Result>();
            nothing->bands = s.bandNames();
            run.result = nothing;
            return run;
        };
        // Objects that are lost altogether are no success: they are as if nothing had been measured.
        const ReadinessItem blind =
            assessRobustness([&](const Scene& s) { return empty(s); }, ScoreOptions{}, progress);
        QVERIFY2(blind.verdict == ReadinessItem::Verdict::Poor, qPrintable(blind.finding));
        // Right on the clean scene alone: artefacts spoil all of it.
        const ReadinessItem fragile = assessRobustness(
            [&](const Scene& s) {
                const bool clean = s.id == QLatin1String("hostile") || s.id == QLatin1String("hostile_0000");
                return clean ? fromTruth(s) : empty(s);
            },
            ScoreOptions{}, progress);
        QVERIFY2(fragile.verdict == ReadinessItem::Verdict::Poor, qPrintable(fragile.finding));
        QVERIFY(fragile.values[QStringLiteral("spoilt")].toDouble() > 0.9);
    }

    void cost() {
        // 1e-6 s a pixel, whatever is in it: exponents 1 and 0.
        Progress progress;
        const ReadinessItem item = assessPerformance(
            [](const Scene& s) {
                TrialRun run = fromTruth(s);
                run.processorSeconds = 1e-6 * s.size.area();
                return run;
            },
            progress);
        QVERIFY(std::abs(item.values[QStringLiteral("exponent_pixels")].toDouble() - 1.0) < 1e-6);
        QVERIFY(std::abs(item.values[QStringLiteral("exponent_objects")].toDouble()) < 1e-6);
        QVERIFY(item.values[QStringLiteral("exponent_pixels_error")].toDouble() < 1e-6); // every field says the same
        QVERIFY(item.verdict == ReadinessItem::Verdict::Good);
    }

    void uniformity() {
        Progress progress;
        // Every fifth object is lost by chance, by its place: no condition is worse than another.
        const auto lossy = [](const Scene& s, bool blindInBadSeeing) {
            TrialRun run = fromTruth(s);
            auto result = std::make_shared<Result>(*run.result);
            const bool blurred = s.bands.front().psf.fwhmPixels * s.pixelScale > 0.85;
            std::erase_if(result->objects, [&](const Object& o) {
                const double lot = std::fmod(std::abs(std::sin(o.x * 12.9898 + o.y * 78.233)) * 43758.5453, 1.0);
                return lot < (blindInBadSeeing && blurred ? 0.7 : 0.2);
            });
            run.result = result;
            return run;
        };
        const ReadinessItem alike =
            assessUniformity([&](const Scene& s) { return lossy(s, false); }, ScoreOptions{}, progress);
        QVERIFY2(alike.verdict == ReadinessItem::Verdict::Good, qPrintable(alike.finding));
        QVERIFY(alike.values[QStringLiteral("completeness_range")].toDouble() > 0.0);
        const ReadinessItem moving =
            assessUniformity([&](const Scene& s) { return lossy(s, true); }, ScoreOptions{}, progress);
        QVERIFY2(moving.verdict == ReadinessItem::Verdict::Poor, qPrintable(moving.finding));
    }

    void realDataAndErrors() {
        QVERIFY(assessBattleTesting({}).verdict == ReadinessItem::Verdict::Unknown);
        std::vector<RealRun> runs(12);
        for (RealRun& r : runs) {
            r.objects = 5;
        }
        QVERIFY(assessBattleTesting(runs).verdict == ReadinessItem::Verdict::Good);
        QCOMPARE(assessBattleTesting(runs).values[QStringLiteral("objects")].toInt(), 60);
        runs[3].failure = QStringLiteral("no");
        QVERIFY(assessBattleTesting(runs).verdict == ReadinessItem::Verdict::Poor);
        PipelineReport report;
        QVERIFY(assessCalibration(report, QStringLiteral("r")).verdict == ReadinessItem::Verdict::Unknown);
        MetricValue m;
        m.id = QStringLiteral("pull_scatter:all:r");
        m.value = 0.25; // four times too large
        report.metrics.push_back(m);
        const ReadinessItem item = assessCalibration(report, QStringLiteral("r"));
        QVERIFY(item.verdict == ReadinessItem::Verdict::Poor);
        QCOMPARE(item.values[QStringLiteral("worst_factor")].toDouble(), 4.0);
    }
};

QTEST_APPLESS_MAIN(TestReadiness)
#include "tst_Readiness.moc"
