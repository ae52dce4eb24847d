#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "core/Random.h"
#include "judge/Judge.h"
#include "judge/SceneScore.h"
#include "judge/ScoredRun.h"
#include "simulate/Simulator.h"
#include "support/SyntheticScene.h"
#include "support/TestData.h"

#include "io/SceneReader.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

/// Blobs with truth: isolated images per band.
Scene withTruth(cv::Size size, const std::vector<test::Blob>& blobs, int bands = 2, std::uint64_t seed = 1) {
    Scene scene = test::syntheticScene(size, bands, blobs, 1.0, 4.0, seed);
    Truth truth;
    truth.isolated.resize(static_cast<size_t>(bands));
    for (size_t i = 0; i < blobs.size(); ++i) {
        TruthObject t;
        t.id = static_cast<int>(i) + 1;
        t.kind = QStringLiteral("gal");
        t.x = blobs[i].x;
        t.y = blobs[i].y;
        t.flux = blobs[i].flux;
        truth.objects.push_back(t);
        const Scene alone = test::syntheticScene(size, bands, {blobs[i]}, 1.0, 4.0, 1, false);
        for (size_t b = 0; b < alone.bands.size(); ++b) {
            truth.isolated[b].push_back(alone.bands[b].image);
        }
    }
    scene.truth = std::move(truth);
    return scene;
}

ResultPtr run(const Scene& scene, const QString& assignment = {}) {
    Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold+partition"));
    if (!assignment.isEmpty()) pipeline.set(assignment);
    Progress progress;
    return runPipeline(scene, pipeline, Registry(), progress);
}

Judgement judged(const Scene& scene, const Result& result, const JudgeOptions& options = {}) {
    Progress progress;
    return judge(scene, result, Registry(), progress, options);
}

const BlendVerdict* onlyBlend(const Judgement& j) {
    const BlendVerdict* found = nullptr;
    for (const BlendVerdict& b : j.blends) {
        if (!b.isBlend()) continue;
        if (found) return nullptr;
        found = &b;
    }
    return found;
}

// S/N of a blob like the PSF is flux / (2 sqrt(pi) sigma) a band; two bands alike.
std::vector<double> fluxOf(double snr, double sigma = 4.0 / 2.3548) {
    const double flux = snr / std::sqrt(2.0) * 2.0 * std::sqrt(M_PI) * sigma;
    return {flux, flux};
}
constexpr double kSigma = 4.0 / 2.3548;

} // namespace

Q_DECLARE_METATYPE(blendscope::Outcome)

/// Judging with real detectors on images whose truth is known.
class TestJudge : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        const Registry registry;
        QVERIFY2(registry.find(QStringLiteral("threshold")) && registry.find(QStringLiteral("partition")),
                 "the methods threshold and partition are not built");
    }

    // The five of the definition, as images.
    void canonicalPairs_data() {
        QTest::addColumn<double>("snrA");
        QTest::addColumn<double>("snrB");
        QTest::addColumn<double>("separation");
        QTest::addColumn<Outcome>("outcome");
        QTest::newRow("recognized") << 80.0 << 60.0 << 11.0 << Outcome::Recognized;
        QTest::newRow("unrecognized") << 80.0 << 15.0 << 2.0 << Outcome::Unrecognized;
        QTest::newRow("undetected") << 80.0 << 3.0 << 4.0 << Outcome::Undetected;
        QTest::newRow("merged") << 3.9 << 3.9 << 1.0 << Outcome::Merged;
    }
    void canonicalPairs() {
        QFETCH(double, snrA);
        QFETCH(double, snrB);
        QFETCH(double, separation);
        QFETCH(Outcome, outcome);
        const Scene scene =
            withTruth({96, 96}, {{42.0, 48.0, kSigma, fluxOf(snrA)}, {42.0 + separation, 48.0, kSigma, fluxOf(snrB)}});
        const Judgement j = judged(scene, *run(scene));
        const BlendVerdict* blend = onlyBlend(j);
        QVERIFY(blend);
        QVERIFY2(blend->outcome == outcome, qPrintable(blend->words));
        QVERIFY(j.notes.isEmpty());
    }

    // The five that are shipped as a recipe, with the detector's own settings.
    void shippedCanonicalPairs() {
        const QJsonObject recipe = loadRecipe(QStringLiteral("canonical"));
        for (int i = 0; i < 5; ++i) {
            const ScenePtr scene = simulateScene(recipe, 1, i);
            const QString name = scene->id.section(QLatin1Char('_'), -1);
            const Judgement j = judged(*scene, *run(*scene));
            const TruthVerdict* t = j.object(scene->truth->objects.front().id);
            const BlendVerdict* blend = t ? j.blend(t->blend) : nullptr;
            QVERIFY2(blend && blend->isBlend(), qPrintable(name));
            QVERIFY2(outcomeWord(blend->outcome) == name, qPrintable(name + QStringLiteral(": ") + blend->words));
        }
    }

    // A large field is saved without isolated images of its size; objects that no table draws keep theirs all the same.
    void savedFieldOfIrregularObjects() {
        constexpr int side = 960, count = 40;
        std::vector<test::Blob> blobs;
        for (int i = 0; i < count; ++i) {
            blobs.push_back({60.0 + 120.0 * (i % 8), 60.0 + 180.0 * (i / 8), kSigma, fluxOf(60.0)});
        }
        Scene scene = test::syntheticScene({side, side}, 2, blobs);
        Truth truth;
        truth.isolated.resize(2);
        for (int i = 0; i < count; ++i) {
            const test::Blob& blob = blobs[static_cast<size_t>(i)];
            TruthObject t;
            t.id = i + 1;
            t.kind = QStringLiteral("gal");
            t.x = blob.x;
            t.y = blob.y;
            t.flux = blob.flux;
            t.columns[QStringLiteral("irregular")] = 1.0;
            truth.objects.push_back(t);
            test::Blob own = blob;
            own.x = own.y = 20.0;
            const Scene alone = test::syntheticScene({41, 41}, 2, {own}, 1.0, 4.0, 1, false);
            for (size_t b = 0; b < 2; ++b) {
                truth.isolated[b].push_back(std::make_shared<CutoutPlane>(scene.size, alone.bands[b].image->readAll(),
                                                                          static_cast<int>(blob.x) - 20,
                                                                          static_cast<int>(blob.y) - 20));
            }
        }
        scene.truth = truth;
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("field.fits"));
        writeScene(scene, path);
        const ScenePtr saved = openScenes({path}).front();
        QVERIFY(saved->truth && saved->truth->isolated.size() == 2);
        const Box around{100, 20, 120, 80};
        for (size_t b = 0; b < 2; ++b) {
            QCOMPARE(saved->truth->isolated[b].size(), size_t(count));
            const cv::Mat before = truth.isolated[b][1]->read(around),
                          after = saved->truth->isolated[b][1]->read(around);
            QVERIFY(cv::norm(before, after, cv::NORM_INF) <= 1.01e-3); // of the noise, 1
            QVERIFY(cv::norm(after, cv::NORM_INF) > 1.0);
        }
        const ResultPtr result = run(*saved);
        const Judgement j = judged(*saved, *result);
        QVERIFY2(j.notes.isEmpty(), qPrintable(j.notes.join(QLatin1Char(' '))));
        QCOMPARE(j.bands.size(), 2);
        for (const TruthVerdict& v : j.objects) {
            QVERIFY(v.detectedAlone && v.outcome == Outcome::Recognized);
        }
        QVERIFY(scoreScene(*saved, *result).truths.front().images.size() == 2);
        // Without the image of one irregular object nothing can be told.
        Scene gap = *saved;
        for (auto& planes : gap.truth->isolated) {
            planes[3].reset();
        }
        QVERIFY_EXCEPTION_THROWN(judged(gap, *result), UsageError);
        // A regular one is drawn from its row.
        gap.truth->objects[3].columns.clear();
        gap.truth->objects[3].kind = QStringLiteral("star");
        const Judgement drawn = judged(gap, *result);
        QCOMPARE(drawn.notes.size(), 1);
        QVERIFY(drawn.notes.front().startsWith(QLatin1String("some isolated images")));
        QVERIFY(drawn.object(4)->outcome == Outcome::Recognized);
    }

    /// A scene on which a method fails is one without detections, in the outcomes too.
    void failedRunsAreJudged() {
        const Scene scene =
            withTruth({96, 96}, {{42.0, 48.0, kSigma, fluxOf(80.0)}, {47.0, 48.0, kSigma, fluxOf(60.0)}});
        const Registry registry;
        const QJsonObject pipeline = Pipeline::parse(QStringLiteral("threshold+partition")).toJson();
        Progress progress;
        ScoredRunOptions options;
        options.judge.emplace();
        const ScoredRun failed = scoredRun(
            scene, []() -> ResultPtr { throw MethodError(QStringLiteral("it broke")); }, pipeline, registry, progress,
            options);
        QCOMPARE(failed.problems, QStringList{QStringLiteral("it broke")});
        QCOMPARE(failed.score.failure, QStringLiteral("it broke"));
        QVERIFY(failed.score.judged);
        QCOMPARE(failed.score.blends.size(), size_t(1));
        QVERIFY(failed.score.blends[0].outcome == Outcome::Lost);
        for (const TruthScore& t : failed.score.truths) {
            QVERIFY(t.detectedAlone && t.verdict == Outcome::Lost && t.objectId == 0);
        }
        // Where nothing says or finds out that truth is complete, it does not count as such.
        const auto good = [&] { return run(scene); };
        QVERIFY(scoredRun(scene, good, pipeline, registry, progress, options).score.complete);
        options.judge.reset();
        QVERIFY(!scoredRun(scene, good, pipeline, registry, progress, options).score.complete);
        options.complete = true;
        QVERIFY(scoredRun(scene, good, pipeline, registry, progress, options).score.complete);
    }

    /// Truth of a table alone is drawn for scoring as for judging.
    void tableOnlyTruthIsScoredInFull() {
        Scene scene = withTruth({96, 96}, {{42.0, 48.0, kSigma, fluxOf(80.0)}, {47.0, 48.0, kSigma, fluxOf(60.0)}});
        const ResultPtr result = run(scene);
        const SceneScore given = scoreScene(scene, *result);
        scene.truth->isolated.clear();
        for (TruthObject& t : scene.truth->objects) {
            t.kind = QStringLiteral("star");
            t.y = 48.001; // no table of whole pixels
        }
        const SceneScore drawn = scoreScene(scene, *result);
        for (size_t k = 0; k < 2; ++k) {
            const TruthScore &a = given.truths[k], &b = drawn.truths[k];
            QVERIFY(b.images.size() == 2);
            QVERIFY2(std::abs(a.maskIou - b.maskIou) < 0.08,
                     qPrintable(QStringLiteral("%1, not %2").arg(b.maskIou).arg(a.maskIou)));
            QVERIFY(std::abs(a.images[0].correlation - b.images[0].correlation) < 0.01);
            QVERIFY(b.blendedness > 0.05);
        }
        ScoreOptions off;
        off.draw = false;
        QVERIFY(std::isnan(scoreScene(scene, *result, off).truths[0].blendedness));
    }

    // Two galaxies with clumps: a low contrast takes the clumps for objects.
    void shreddedPair() {
        std::vector<test::Blob> blobs = {{34.0, 48.0, 3.0, {3000, 3000}}, {62.0, 48.0, 3.0, {3000, 3000}}};
        Scene scene = withTruth({96, 96}, blobs);
        // The clump belongs to the first galaxy: into the image and into its isolated image.
        for (size_t b = 0; b < 2; ++b) {
            const Scene clump =
                test::syntheticScene({96, 96}, 2, {{43.0, 48.0, kSigma, {800, 800}}}, 1.0, 4.0, 1, false);
            const cv::Mat light = clump.bands[b].image->readAll();
            scene.bands[b].image = std::make_shared<MemoryPlane>(scene.bands[b].image->readAll() + light);
            PlanePtr& alone = scene.truth->isolated[b][0];
            alone = std::make_shared<MemoryPlane>(alone->readAll() + light);
        }
        const Judgement low = judged(scene, *run(scene));
        QVERIFY(low.objects[0].outcome == Outcome::Shredded);
        QVERIFY(low.objects[0].detectionsAlone > 1);
        QVERIFY(low.objects[1].outcome == Outcome::Recognized);
        const Judgement high = judged(scene, *run(scene, QStringLiteral("threshold.DEBLEND_MINCONT=0.5")));
        QVERIFY(high.objects[0].outcome != Outcome::Shredded);
    }

    // One scene for all objects out of reach says the same as a scene for each.
    void togetherIsAsEach() {
        std::vector<test::Blob> blobs;
        Random random(7);
        for (int i = 0; i < 40; ++i) {
            const double snr = std::exp(random.uniform(0.5, 5.0));
            blobs.push_back(
                {random.uniform(3, 250), random.uniform(3, 250), kSigma * random.uniform(1.0, 1.6), fluxOf(snr)});
        }
        const Scene scene = withTruth({256, 256}, blobs);
        const ResultPtr result = run(scene);
        const Judgement together = judged(scene, *result);
        JudgeOptions options;
        options.isolation = JudgeOptions::Isolation::Each;
        const Judgement each = judged(scene, *result, options);
        QCOMPARE(each.isolatedScenes, 40);
        QVERIFY2(together.isolatedScenes < 15, qPrintable(QString::number(together.isolatedScenes)));
        for (size_t i = 0; i < blobs.size(); ++i) {
            QCOMPARE(together.objects[i].detectionsAlone, each.objects[i].detectionsAlone);
            QVERIFY(together.objects[i].outcome == each.objects[i].outcome);
            if (each.objects[i].detectedAlone) {
                QVERIFY(std::abs(together.objects[i].significanceAlone - each.objects[i].significanceAlone) < 0.05);
            }
        }
        options = {};
        options.threads = 1;
        QCOMPARE(judged(scene, *result, options).objects[5].words, together.objects[5].words);
    }

    // A sky that the run took off is taken off the isolated scenes too, the same one.
    void skyOfTheParentHolds() {
        const std::vector<test::Blob> blobs = {
            {60, 60, 2.0, {400, 400}}, {67, 60, 2.0, {300, 300}}, {200, 190, 2.0, {90, 90}}};
        const Scene plain = withTruth({256, 256}, blobs);
        Scene scene = plain;
        for (Band& band : scene.bands) {
            band.skySubtracted = false;
            cv::Mat image = band.image->readAll().clone();
            for (int y = 0; y < image.rows; ++y) {
                image.row(y) += 500.0 + 0.2 * y;
            }
            band.image = std::make_shared<MemoryPlane>(image);
        }
        const ResultPtr result = run(scene);
        QVERIFY(!result->sky.front()->isZero());
        const Judgement with = judged(scene, *result), without = judged(plain, *run(plain));
        for (size_t i = 0; i < blobs.size(); ++i) {
            QVERIFY2(with.objects[i].outcome == without.objects[i].outcome, qPrintable(with.objects[i].words));
            // The mesh does not follow a slope to the last count.
            QVERIFY(std::abs(with.objects[i].significanceAlone / without.objects[i].significanceAlone - 1.0) < 0.25);
        }
    }

    void givenSkyAndConditionsAreUsed() {
        const Scene scene = withTruth({128, 128}, {{60, 60, 2.0, {400, 900}}});
        Progress progress;
        RunOptions options;
        options.detectionOnly = true;
        const Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold+partition"));
        const ResultPtr first = runPipeline(scene, pipeline, Registry(), progress, options);
        QVERIFY(first->objects.empty());
        QCOMPARE(first->footprints.size(), std::size_t(1));
        QVERIFY(first->conditions.contains(QStringLiteral("threshold")));
        // Another scene in the same conditions keeps them, though its own are others.
        const Scene other = withTruth({128, 128}, {{60, 60, 2.0, {900, 400}}});
        options.conditions = first->conditions;
        options.sky = first->sky;
        const ResultPtr second = runPipeline(other, pipeline, Registry(), progress, options);
        QCOMPARE(second->conditions, first->conditions);
        QVERIFY(second->sky == first->sky);
        const ResultPtr free = runPipeline(other, pipeline, Registry(), progress);
        QVERIFY(free->conditions != first->conditions);
    }

    void probabilitiesNearThreshold() {
        const Scene scene = withTruth({96, 96}, {{30, 48, kSigma, fluxOf(60)}, {38, 48, kSigma, fluxOf(5.0)}});
        JudgeOptions options;
        options.realisations = 24;
        const ResultPtr result = run(scene);
        const Judgement j = judged(scene, *result, options);
        QCOMPARE(j.realisations, 24);
        QVERIFY(j.objects[0].aloneProbability > 0.99);
        QVERIFY(j.objects[1].aloneProbability > 0.1 && j.objects[1].aloneProbability < 0.9);
        const BlendVerdict* blend = onlyBlend(j);
        QVERIFY(blend);
        double sum = 0.0;
        for (const double p : blend->probability) {
            sum += p;
        }
        QVERIFY(std::abs(sum - 1.0) < 1e-9);
        QVERIFY(blend->probability.size() > 1);
        // The same seed draws the same noise.
        QCOMPARE(judged(scene, *result, options).blends.front().probability, j.blends.front().probability);
    }

    // An injection beside a real galaxy that truth does not name.
    void injectionsBesideUnknownObjects() {
        const std::vector<test::Blob> all = {
            {60, 60, 2.0, {900, 900}}, {64, 60, 2.0, {250, 250}}, {30, 100, 2.0, {900, 900}}};
        Scene scene = withTruth({128, 128}, all);
        Truth& truth = *scene.truth;
        truth.objects = {truth.objects[1]};
        truth.objects[0].id = 1;
        for (auto& band : truth.isolated) {
            band = {band[1]};
        }
        const Judgement j = judged(scene, *run(scene));
        QVERIFY(!j.notes.isEmpty());
        QVERIFY2(j.objects[0].outcome == Outcome::Unrecognized, qPrintable(j.objects[0].words));
        QVERIFY(j.objects.size() >= 2 && !j.objects[1].known);
        for (const DetectionVerdict& d : j.detections) {
            QVERIFY(d.outcome != Outcome::Spurious);
        }
    }

    void garbageAndNothing() {
        Scene scene =
            withTruth({64, 64}, {{30, 30, 2.0, {500, 500}}, {10, 10, 2.0, {500, 500}}, {50, 50, 2.0, {500, 500}}});
        scene.truth->objects[1].x = std::numeric_limits<double>::quiet_NaN();
        scene.truth->objects[2].x = 1e9;
        const ResultPtr result = run(scene);
        Judgement j = judged(scene, *result);
        QVERIFY(j.objects[0].outcome == Outcome::Recognized);
        QVERIFY(j.objects[1].outcome == Outcome::Outside);
        QVERIFY(j.objects[2].outcome == Outcome::Outside);
        Result nothing;
        nothing.pipeline = result->pipeline;
        j = judged(scene, nothing);
        QVERIFY(j.objects[0].outcome == Outcome::Lost);
        // Images full of holes.
        cv::Mat image = scene.bands[0].image->readAll().clone();
        image(cv::Rect(0, 0, 64, 31)).setTo(std::numeric_limits<float>::quiet_NaN());
        scene.bands[0].image = std::make_shared<MemoryPlane>(image);
        scene.bands[1].variance = std::make_shared<ConstantPlane>(scene.size, 0.0f);
        (void)judged(scene, nothing);
        // What cannot be judged says why.
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)judged(scene, Result{}));
        Scene bare = scene;
        bare.truth.reset();
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)judged(bare, *result));
        Scene unknown = scene;
        unknown.truth->isolated.clear();
        for (TruthObject& t : unknown.truth->objects) {
            t.flux.clear();
        }
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)judged(unknown, *result));
    }

    // One band without isolated images, which cannot be rendered either: the others judge, and it is said.
    void bandsWithoutImages() {
        Scene scene = withTruth({64, 64}, {{30, 30, 2.0, {500, 500}}});
        scene.truth->isolated[1].clear();
        scene.bands[1].psf = Psf();
        const Judgement j = judged(scene, *run(scene));
        QCOMPARE(j.bands, QStringList{QStringLiteral("g")});
        QVERIFY(j.notes.join(QLatin1Char(' ')).contains(QStringLiteral("leave out r")));
        QVERIFY(j.objects[0].outcome == Outcome::Recognized);
    }

    void cancelled() {
        const Scene scene = withTruth({64, 64}, {{30, 30, 2.0, {500, 500}}});
        const ResultPtr result = run(scene);
        CancelToken token;
        token.cancel();
        Progress progress(token);
        QVERIFY_THROWS_EXCEPTION(CancelledError, (void)judge(scene, *result, Registry(), progress));
    }

    // Rendered isolated images judge as those of the file do.
    void renderedIsAsGiven() {
        const QString path = test::sharedData(QStringLiteral("btk/stamps/b020.fits.gz"));
        if (path.isEmpty()) QSKIP(test::sharedDataMissing());
        const ScenePtr scene = openScenes({path}).front();
        const ResultPtr result = run(*scene);
        const Judgement given = judged(*scene, *result);
        Scene bare = *scene;
        bare.truth->isolated.clear();
        const Judgement rendered = judged(bare, *result);
        QVERIFY(!rendered.notes.isEmpty());
        for (size_t i = 0; i < given.objects.size(); ++i) {
            QVERIFY(given.objects[i].outcome == rendered.objects[i].outcome);
        }
    }

    /// Two remains of like S/N on both sides of an object are lobes of a drawing with a wrong shape, no neighbours.
    void lobesAreNoNeighbours() {
        const auto neighbours = [](const std::vector<test::Blob>& around) {
            std::vector<test::Blob> blobs = {{48, 48, kSigma, fluxOf(400.0)}};
            Scene scene = withTruth({96, 96}, blobs);
            blobs.insert(blobs.end(), around.begin(), around.end());
            const Scene all = test::syntheticScene({96, 96}, 2, blobs, 1.0, 4.0, 1);
            for (size_t b = 0; b < scene.bands.size(); ++b) {
                scene.bands[b].image = all.bands[b].image;
            }
            JudgeOptions options;
            options.complete = false;
            const Judgement j = judged(scene, *run(scene), options);
            return std::count_if(j.objects.begin(), j.objects.end(), [](const TruthVerdict& t) { return !t.known; });
        };
        const test::Blob right{57.5, 51.5, kSigma, fluxOf(24.0)};
        QCOMPARE(neighbours({right}), 1);
        QCOMPARE(neighbours({right, {38.5, 44.5, kSigma, fluxOf(20.0)}}), 0);
        QCOMPARE(neighbours({right, {38.5, 44.5, kSigma, fluxOf(70.0)}}), 2); // too different
        QCOMPARE(neighbours({right, {57.5, 44.5, kSigma, fluxOf(20.0)}}), 2); // not opposite
    }
};

QTEST_APPLESS_MAIN(TestJudge)
#include "tst_Judge.moc"
