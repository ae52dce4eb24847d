#include "core/Random.h"

#include <QTest>
#include <vector>

using blendscope::Random;

class TestRandom : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sameSeedSameNumbers() {
        Random a(7, 1, 2, 3), b(7, 1, 2, 3), c(7, 1, 2, 4);
        bool differs = false;
        for (int i = 0; i < 100; ++i) {
            const auto x = a();
            QCOMPARE(x, b());
            differs |= x != c();
        }
        QVERIFY(differs);
    }

    void moments_data() {
        QTest::addColumn<double>("mean");
        for (const double mean : {0.3, 5.0, 11.9, 12.1, 80.0, 1e4, 3e6}) {
            QTest::addRow("%g", mean) << mean;
        }
    }
    void moments() {
        QFETCH(double, mean);
        Random random(11);
        const int n = 200000;
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < n; ++i) {
            const double d = double(random.poisson(mean)) - mean;
            sum += d;
            squares += d * d;
        }
        QVERIFY(std::abs(sum / n) < 5.0 * std::sqrt(mean / n));
        QVERIFY(std::abs(squares / n / mean - 1.0) < 5.0 * std::sqrt((2.0 + 1.0 / mean) / n));
    }

    void normalMoments() {
        Random random(3);
        const int n = 400000;
        double sum = 0.0, squares = 0.0, fourth = 0.0;
        for (int i = 0; i < n; ++i) {
            const double v = random.normal();
            sum += v;
            squares += v * v;
            fourth += v * v * v * v;
        }
        QVERIFY(std::abs(sum / n) < 5.0 / std::sqrt(n));
        QVERIFY(std::abs(squares / n - 1.0) < 5.0 * std::sqrt(2.0 / n));
        QVERIFY(std::abs(fourth / n - 3.0) < 5.0 * std::sqrt(96.0 / n));
    }

    void integersCoverTheRange() {
        Random random(5);
        std::vector<int> seen(6, 0);
        for (int i = 0; i < 6000; ++i) {
            ++seen.at(random.integer(-2, 3) + 2);
        }
        for (const int n : seen) {
            QVERIFY(n > 800 && n < 1200);
        }
    }
};

QTEST_APPLESS_MAIN(TestRandom)
#include "tst_Random.moc"
