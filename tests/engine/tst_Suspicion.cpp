#include "judge/Suspicion.h"
#include "method/Pipeline.h"
#include "support/SyntheticScene.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

ResultPtr run(const Scene& scene, const QStringList& assignments = {}) {
    Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold+partition"));
    for (const QString& assignment : assignments) {
        pipeline.set(assignment);
    }
    Progress progress;
    return runPipeline(scene, pipeline, Registry(), progress);
}

const QStringList kCoarse = {QStringLiteral("threshold.SHARPEN=false"),
                             QStringLiteral("threshold.DEBLEND_MINCONT=0.9")};

// Two that a coarse run takes for one.
Scene closePair() {
    return test::syntheticScene({96, 96}, 2,
                                {{40, 48, 2.0, {900, 900}}, {48, 48, 2.0, {600, 600}}, {75, 20, 2.0, {700, 700}}});
}

int countOf(const std::vector<Suspicion>& list, Outcome outcome) {
    return static_cast<int>(
        std::count_if(list.begin(), list.end(), [&](const Suspicion& s) { return s.outcome == outcome; }));
}

} // namespace

/// Suspected outcomes where there is no truth.
class TestSuspicion : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void disagreement() {
        const Scene scene = closePair();
        const ResultPtr coarse = run(scene, kCoarse), fine = run(scene);
        QCOMPARE(coarse->objects.size(), std::size_t(2));
        QCOMPARE(fine->objects.size(), std::size_t(3));
        const auto missed = suspectDisagreement(scene, *coarse, *fine, QStringLiteral("fine"));
        QCOMPARE(missed.size(), std::size_t(1));
        QVERIFY(missed[0].outcome == Outcome::Unrecognized);
        QCOMPARE(missed[0].others.size(), std::size_t(2));
        QVERIFY(std::hypot(missed[0].x - 43.0, missed[0].y - 48.0) < 4.0);
        QVERIFY(missed[0].box.contains(44, 48));
        QVERIFY(missed[0].words.contains(QStringLiteral("fine sees 2 objects")));
        QCOMPARE(countOf(suspectDisagreement(scene, *fine, *coarse, QStringLiteral("coarse")), Outcome::Shredded), 1);
        QVERIFY(suspectDisagreement(scene, *fine, *fine, QStringLiteral("itself")).empty());
        // A search for sources says why: its evidence is quoted, and counts where it is weaker than the light.
        Result searched = *fine;
        for (Blend& b : searched.blends) {
            for (const int id : b.objects) {
                if (searched.object(id)->x < 45 || searched.object(id)->x > 55) continue;
                SourceCandidate c;
                c.object = id;
                c.gain = c.significance = 64.0;
                c.reason = QStringLiteral("the pixels need it");
                b.candidates.push_back(c);
            }
        }
        const auto reasoned = suspectDisagreement(scene, *coarse, searched, QStringLiteral("search"));
        QCOMPARE(reasoned.size(), std::size_t(1));
        QVERIFY2(reasoned[0].words.contains(QStringLiteral("the pixels need it")), qPrintable(reasoned[0].words));
        QCOMPARE(reasoned[0].significance, 8.0);
        QVERIFY(reasoned[0].strength < missed[0].strength);
        // What one result has and the other has not at all.
        Result fewer = *fine;
        std::erase_if(fewer.objects, [](const Object& o) { return o.x > 60; });
        fewer.segmentation = fine->segmentation.clone();
        fewer.segmentation(cv::Rect(60, 0, 36, 40)).setTo(0);
        QCOMPARE(countOf(suspectDisagreement(scene, fewer, *fine, QStringLiteral("full")), Outcome::Lost), 1);
        QCOMPARE(countOf(suspectDisagreement(scene, *fine, fewer, QStringLiteral("fewer")), Outcome::Spurious), 1);
    }

    void residuals() {
        const Scene scene = closePair();
        Result result = *run(scene);
        Progress progress;
        // A model that lacks the fainter of two: its light is left.
        for (Component& c : result.components) {
            const Object* o = result.object(c.id);
            if (o->x > 45 && o->x < 60) {
                for (cv::Mat& model : c.model) {
                    model = cv::Mat::zeros(model.size(), CV_32F);
                }
            }
        }
        const auto list = suspectResiduals(scene, result, progress);
        QVERIFY(!list.empty());
        QVERIFY(list[0].outcome == Outcome::Unrecognized && list[0].evidence == Evidence::Residual);
        QVERIFY2(std::hypot(list[0].x - 48.0, list[0].y - 48.0) < 2.5, qPrintable(list[0].words));
        QVERIFY(list[0].significance > 20.0 && list[0].strength > 0.8);
        QVERIFY(suspectResiduals(scene, Result{}, progress).empty());
    }

    void reference() {
        const Scene scene = closePair();
        const ResultPtr coarse = run(scene, kCoarse);
        const std::vector<ReferenceObject> truth = {{1, 40, 48, 900, 100},
                                                    {2, 48, 48, 600, 80},
                                                    {3, 75, 20, 700, 90},
                                                    {4, 20, 80, 300, 40},
                                                    {5, 300, 300, 1, 1}};
        const auto list = suspectByReference(scene, *coarse, truth, QStringLiteral("HST"), true);
        QCOMPARE(list.size(), std::size_t(2));
        const Suspicion& merged = list[0].outcome == Outcome::Unrecognized ? list[0] : list[1];
        const Suspicion& lost = list[0].outcome == Outcome::Unrecognized ? list[1] : list[0];
        QVERIFY(merged.others == std::vector<int>({1, 2}));
        QVERIFY(merged.words.contains(QStringLiteral("67 %")));
        QVERIFY(lost.outcome == Outcome::Lost && lost.others == std::vector<int>({4}));
        // Companions of a few per cent do not count.
        QVERIFY(suspectByReference(scene, *coarse, {{1, 40, 48, 900, 100}, {2, 48, 48, 9, 20}, {3, 75, 20, 700, 90}},
                                   QStringLiteral("HST"), false)
                    .empty());
        // A result of a sharper scene by WCS, shifted by an error of the frame.
        const Scene sharp = test::syntheticScene(
            {96, 96}, 2, {{41, 48, 1.0, {900, 900}}, {49, 48, 1.0, {600, 600}}, {76, 20, 1.0, {700, 700}}}, 1.0, 2.3);
        const ResultPtr fine = run(scene);
        PixelPosition offset;
        const auto seen = referenceOf(scene, *fine, sharp, *run(sharp), &offset);
        QCOMPARE(seen.size(), std::size_t(3));
        QVERIFY(std::abs(offset.x + 1.0) < 0.3 && std::abs(offset.y) < 0.3);
        QVERIFY(suspectByReference(scene, *fine, seen, QStringLiteral("sharp"), true).empty());
    }

    void countsAndInjections() {
        const Scene scene = closePair();
        Result result = *run(scene);
        result.objects[0].extra.insert(QStringLiteral("count_p1"), 0.2);
        result.objects[0].extra.insert(QStringLiteral("count_p2"), 0.8);
        const auto counts = suspectByCounts(scene, result);
        QCOMPARE(counts.size(), std::size_t(1));
        QCOMPARE(counts[0].strength, 0.8);
        // A blend's own count against what was found in it.
        Result counted = *run(scene);
        const auto pair = std::find_if(counted.blends.begin(), counted.blends.end(),
                                       [](const Blend& b) { return b.objects.size() == 2; });
        QVERIFY(pair != counted.blends.end());
        pair->countProbabilities = {0.0f, 0.05f, 0.15f, 0.7f, 0.1f};
        const auto more = suspectByCounts(scene, counted);
        QCOMPARE(more.size(), std::size_t(1));
        QVERIFY(more[0].outcome == Outcome::Unrecognized && more[0].detections == pair->objects);
        QVERIFY(std::abs(more[0].strength - 0.8) < 1e-6);
        pair->countProbabilities = {0.0f, 0.9f, 0.1f, 0.0f, 0.0f};
        QCOMPARE(suspectByCounts(scene, counted)[0].outcome, Outcome::Shredded);
        pair->countProbabilities = {0.0f, 0.1f, 0.9f, 0.0f, 0.0f};
        QVERIFY(suspectByCounts(scene, counted).empty());
        // Two and more: nothing is known beyond the open class.
        pair->countProbabilities = {0.5f, 0.5f};
        QVERIFY(suspectByCounts(scene, counted).empty());
        Judgement injections;
        TruthVerdict t;
        t.id = 1;
        t.x = 45;
        t.y = 52;
        t.detectedAlone = true;
        t.outcome = Outcome::Unrecognized;
        injections.objects = {t};
        const auto list = suspectByInjections(scene, result, injections);
        QVERIFY(!list.empty());
        QVERIFY(list[0].outcome == Outcome::Unrecognized && list[0].evidence == Evidence::Injection);

        // As JSON and back.
        const QJsonObject json = toJson(list);
        QCOMPARE(toJson(suspicionsFromJson(json)), json);
    }
};

QTEST_APPLESS_MAIN(TestSuspicion)
#include "tst_Suspicion.moc"
