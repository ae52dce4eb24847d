#include "core/Random.h"
#include "judge/MatchOutcome.h"
#include "judge/Matching.h"

#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <cmath>

using namespace blendscope;

namespace {
using Points = std::vector<PixelPosition>;
} // namespace

Q_DECLARE_METATYPE(Points)

class TestMatching : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nearestFirstOneToOne() {
        const Points truths = {{20, 20}, {21.5, 20}, {60, 60}, {70, 10}};
        const Points detections = {{21.2, 20}, {60.1, 60}, {61, 60}, {70, 13}};
        const Matches m = matchNearestFirst(truths, detections, 2.0);
        QCOMPARE(m.partner, (std::vector<int>{-1, 0, 1, -1}));
        QVERIFY(std::isnan(m.distance[0]) && std::abs(m.distance[1] - 0.3) < 1e-12);
        QCOMPARE(m.count(), 2);
        // The border of the circle counts, and ties go to the lower numbers.
        const Matches tie = matchNearestFirst({{0, 0}, {4, 0}}, {{2, 0}}, 2.0);
        QCOMPARE(tie.partner, (std::vector<int>{0, -1}));
    }

    void hungarianPairsMore() {
        // The nearest pair leaves the second truth without; the assignment serves both.
        const Points truths = {{0, 0}, {-1.9, 0}}, detections = {{-0.5, 0}, {1.5, 0}};
        QCOMPARE(matchNearestFirst(truths, detections, 2.0).partner, (std::vector<int>{0, -1}));
        const Matches best = matchHungarian(truths, detections, 2.0);
        QCOMPARE(best.partner, (std::vector<int>{1, 0}));
        QCOMPARE(best.count(), 2);
        // More detections than truths and the other way round.
        QCOMPARE(matchHungarian({{0, 0}}, {{1, 0}, {0.5, 0}}, 2.0).partner, std::vector<int>{1});
        QCOMPARE(matchHungarian({{1, 0}, {0.5, 0}}, {{0, 0}}, 2.0).partner, (std::vector<int>{-1, 0}));
        QCOMPARE(matchHungarian({{0, 0}}, {}, 2.0).partner, std::vector<int>{-1});
    }

    void hungarianIsBestOfAllPermutations() {
        Random random(3);
        for (int trial = 0; trial < 50; ++trial) {
            Points t, d;
            for (int i = 0; i < 5; ++i) {
                t.push_back({random.uniform(0, 10), random.uniform(0, 10)});
                d.push_back({random.uniform(0, 10), random.uniform(0, 10)});
            }
            std::vector<int> order = {0, 1, 2, 3, 4};
            double best = 1e9;
            do {
                double sum = 0.0;
                for (size_t i = 0; i < 5; ++i) {
                    const auto j = static_cast<size_t>(order[i]);
                    sum += std::hypot(t[i].x - d[j].x, t[i].y - d[j].y);
                }
                best = std::min(best, sum);
            } while (std::next_permutation(order.begin(), order.end()));
            const Matches m = matchHungarian(t, d, 100.0);
            double sum = 0.0;
            for (const double v : m.distance) {
                sum += v;
            }
            QVERIFY2(std::abs(sum - best) < 1e-9, qPrintable(QStringLiteral("%1 %2").arg(sum).arg(best)));
        }
    }

    void gridFindsWhatAPlainLoopFinds() {
        Random random(7);
        Points points;
        for (int i = 0; i < 400; ++i) {
            points.push_back({random.uniform(-50, 300), random.uniform(0, 90)});
        }
        points.push_back({std::nan(""), 3.0});
        const PointGrid grid(points, 4.0);
        for (int k = 0; k < 200; ++k) {
            const double x = random.uniform(-80, 330), y = random.uniform(-20, 110), r = random.uniform(0, 30);
            std::vector<int> plain;
            int nearest = -1;
            for (size_t i = 0; i + 1 < points.size(); ++i) {
                const double d = std::hypot(points[i].x - x, points[i].y - y);
                if (d > r) continue;
                plain.push_back(static_cast<int>(i));
                const auto n = static_cast<size_t>(std::max(nearest, 0));
                if (nearest < 0 || d < std::hypot(points[n].x - x, points[n].y - y)) nearest = static_cast<int>(i);
            }
            std::vector<int> found;
            for (const PointGrid::Hit& hit : grid.within(x, y, r)) {
                found.push_back(hit.index);
            }
            QCOMPARE(found, plain);
            QCOMPARE(grid.nearest(x, y, r).index, nearest);
        }
        QVERIFY(PointGrid({}, 1.0).within(0, 0, 10).empty());
        // Points far apart do not ask for the memory of the area between them.
        QCOMPARE(PointGrid({{0, 0}, {1e9, 1e9}}, 1.0).within(1e9, 1e9, 2.0).size(), size_t(1));
    }

    void friends() {
        const std::vector<int> label = friendsOfFriends({{0, 0}, {10, 0}, {1.5, 0}, {3, 0}, {12, 0}}, 2.0);
        QCOMPARE(label, (std::vector<int>{0, 1, 0, 0, 1}));
        QVERIFY(friendsOfFriends({}, 2.0).empty());
    }

    void hundredThousandInSeconds() {
        Random random(11);
        Points t, d;
        for (int i = 0; i < 100000; ++i) {
            t.push_back({random.uniform(0, 8000), random.uniform(0, 8000)});
            d.push_back({t.back().x + random.normal(), t.back().y + random.normal()});
        }
        QElapsedTimer timer;
        timer.start();
        QVERIFY(matchNearestFirst(t, d, 5.0).count() > 90000);
        QVERIFY2(timer.elapsed() < 5000, qPrintable(QStringLiteral("%1 ms").arg(timer.elapsed())));
    }

    void positionsAlone_data() {
        // FWHM 0.8 arcsec and 0.2 arcsec a pixel: own within 2 pixels, host within 6.
        QTest::addColumn<Points>("truths");
        QTest::addColumn<Points>("detections");
        QTest::addColumn<Points>("faint");
        QTest::addColumn<QString>("outcomes");
        QTest::addColumn<int>("spurious");
        QTest::newRow("found") << Points{{10, 10}, {30, 10}} << Points{{10.5, 10}, {30, 11}} << Points{}
                               << QStringLiteral("found found") << 0;
        QTest::newRow("shared") << Points{{10, 10}, {14, 10}} << Points{{10.5, 10}} << Points{}
                                << QStringLiteral("shared shared*") << 0;
        QTest::newRow("shared, between them")
            << Points{{10, 10}, {16, 10}} << Points{{12.9, 10}} << Points{} << QStringLiteral("shared shared*") << 0;
        QTest::newRow("shredded") << Points{{10, 10}} << Points{{10.5, 10}, {14, 10}} << Points{}
                                  << QStringLiteral("shredded") << 0;
        QTest::newRow("a faint one explains it")
            << Points{{10, 10}} << Points{{10.5, 10}, {14, 10}} << Points{{15, 10}} << QStringLiteral("found") << 0;
        QTest::newRow("missed, and spurious elsewhere")
            << Points{{10, 10}} << Points{{40, 40}} << Points{} << QStringLiteral("missed") << 1;
        QTest::newRow("no detection") << Points{{10, 10}} << Points{} << Points{} << QStringLiteral("missed") << 0;
        QTest::newRow("no truth") << Points{} << Points{{1, 1}} << Points{} << QString() << 1;
    }
    void positionsAlone() {
        QFETCH(Points, truths);
        QFETCH(Points, detections);
        QFETCH(Points, faint);
        QFETCH(QString, outcomes);
        QFETCH(int, spurious);
        const MatchOutcomes m =
            matchOutcomes(truths, std::vector<double>(truths.size(), 0.3), detections, faint, 0.8, 0.2);
        QStringList words;
        for (size_t i = 0; i < truths.size(); ++i) {
            words << matchOutcomeName(m.outcome[i]) + (m.secondary[i] ? QStringLiteral("*") : QString());
        }
        QCOMPARE(words.join(QLatin1Char(' ')), outcomes);
        QCOMPARE(m.spurious, spurious);
    }
};

QTEST_APPLESS_MAIN(TestMatching)
#include "tst_Matching.moc"
