#include "simulate/Population.h"
#include "simulate/StarCounts.h"

#include <QTest>
#include <algorithm>
#include <cmath>

using namespace blendscope;

namespace {

double median(std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
}

double hlr(const Galaxy& g) {
    double sum = 0.0, flux = 0.0;
    for (const SersicComponent& c : g.components) {
        sum += c.flux[3] * std::sqrt(c.aArcsec * c.bArcsec);
        flux += c.flux[3];
    }
    return sum / flux;
}

} // namespace

class TestPopulation : public QObject {
    Q_OBJECT
    const Survey m_survey = Survey::load(QStringLiteral("lsst"));
    const Population m_population{m_survey};
    enum { U, G, R, I, Z, Y };

private Q_SLOTS:
    void counts() {
        QVERIFY(std::abs(Population::galaxyDensity(10.0, 25.0) - 46.0) < 0.01);
        Random random(1);
        int faint = 0;
        const int n = 20000;
        for (int i = 0; i < n; ++i) {
            const double m = Population::drawMagnitude(random, 20.0, 26.0);
            QVERIFY(m >= 20.0 && m <= 26.0);
            faint += m > 25.0;
        }
        const double wanted = Population::galaxyDensity(25.0, 26.0) / Population::galaxyDensity(20.0, 26.0);
        QVERIFY(std::abs(double(faint) / n - wanted) < 0.015);
    }

    void fluxesAgreeWithMagnitudes() {
        Random random(2);
        for (int i = 0; i < 300; ++i) {
            Population::Wish wish;
            wish.magnitude = 20.0 + 0.02 * i;
            const Galaxy g = m_population.galaxy(random, wish);
            const Galaxy s = m_population.star(random, wish.magnitude);
            QVERIFY(std::abs(g.magnitude[I] - wish.magnitude) < 0.03);
            QVERIFY(std::abs(s.magnitude[I] - wish.magnitude) < 0.03);
            for (size_t b = 0; b < 6; ++b) {
                QVERIFY(g.totalFlux(b) >= 0.0 && std::isfinite(g.totalFlux(b)));
                if (std::isfinite(g.magnitude[b])) {
                    QVERIFY(std::abs(g.totalFlux(b) / m_survey.electrons(m_survey.bands[b], g.magnitude[b]) - 1.0) <
                            1e-9);
                }
                QVERIFY(std::abs(s.totalFlux(b) / m_survey.electrons(m_survey.bands[b], s.magnitude[b]) - 1.0) < 1e-9);
            }
            for (const SersicComponent& c : g.components) {
                QVERIFY(c.aArcsec >= c.bArcsec && c.bArcsec > 0.0 && c.angle >= 0.0 && c.angle <= 180.0);
            }
        }
    }

    void coloursOfTypes() {
        // The passive sequence reddens through g - r up to z = 0.4 (about 1.6 mag there) and leaves blue galaxies
        // behind.
        Random random(3);
        const auto colour = [&](double type, double z, int a, int b) {
            Population::Wish wish;
            wish.type = type;
            wish.redshift = z;
            const Galaxy g = m_population.galaxy(random, wish);
            return g.magnitude[static_cast<size_t>(a)] - g.magnitude[static_cast<size_t>(b)];
        };
        const double near = colour(1.0, 0.05, G, R), far = colour(1.0, 0.4, G, R);
        QVERIFY2(near > 0.6 && near < 1.0, qPrintable(QString::number(near)));
        QVERIFY2(far > 1.35 && far < 1.9, qPrintable(QString::number(far)));
        const double blue = colour(0.1, 0.4, G, R);
        QVERIFY2(blue > -0.1 && blue < 0.6, qPrintable(QString::number(blue)));
        QVERIFY(colour(0.3, 3.5, U, G) > 1.5); // beyond the Lyman limit
        QVERIFY(colour(1.0, 1.0, R, I) > 0.9);
    }

    void sizesFallWithMagnitude() {
        Random random(4);
        std::vector<double> bright, faint;
        for (int i = 0; i < 2000; ++i) {
            Population::Wish wish;
            wish.magnitude = 21.0;
            bright.push_back(hlr(m_population.galaxy(random, wish)));
            wish.magnitude = 25.0;
            faint.push_back(hlr(m_population.galaxy(random, wish)));
        }
        QVERIFY(median(bright) > 0.45 && median(bright) < 0.9);
        QVERIFY(median(faint) > 0.15 && median(faint) < 0.35);
    }

    void starsFollowALocus() {
        Random random(5);
        for (int i = 0; i <= 20; ++i) {
            const Galaxy s = m_population.star(random, 20.0, 0.05 * i);
            const double gr = s.magnitude[G] - s.magnitude[R], ri = s.magnitude[R] - s.magnitude[I];
            QVERIFY(gr > 0.2 && gr < 1.7);
            QVERIFY(ri > 0.0 && ri < 2.2);
            QVERIFY(gr > 1.2 || ri < 0.6); // red in r - i means an M dwarf, red in g - r as well
        }
    }

    // The closed form of Bahcall & Soneira 1980, evaluated apart from this code.
    void starCounts_data() {
        QTest::addColumn<double>("longitude");
        QTest::addColumn<double>("latitude");
        QTest::addColumn<double>("v");
        QTest::addColumn<double>("wanted");
        QTest::newRow("pole, bright") << 0.0 << 90.0 << 10.0 << 2.0;
        QTest::newRow("pole") << 0.0 << 90.0 << 18.0 << 587.8;
        QTest::newRow("pole, faint") << 0.0 << 90.0 << 24.0 << 4700.2;
        QTest::newRow("middle") << 90.0 << 50.0 << 21.0 << 2962.1;
        QTest::newRow("south") << 90.0 << -50.0 << 21.0 << 2962.1;
        QTest::newRow("above the centre") << 0.0 << 30.0 << 20.0 << 17597.9;
        QTest::newRow("anticentre") << 180.0 << 20.0 << 22.0 << 11553.9;
    }
    void starCounts() {
        QFETCH(double, longitude);
        QFETCH(double, latitude);
        QFETCH(double, v);
        QFETCH(double, wanted);
        const StarCounts counts(longitude, latitude);
        QVERIFY(std::abs(counts.brighterThanV(v) - wanted) < 0.05);
    }

    void starMagnitudesFollowTheirCounts() {
        const StarCounts counts(120.0, 45.0);
        Random random(9);
        int bright = 0;
        const int n = 20000;
        for (int i = 0; i < n; ++i) {
            const double m = counts.drawMagnitude(random, 16.0, 24.0);
            QVERIFY(m >= 16.0 && m <= 24.0);
            bright += m < 20.0;
        }
        const double wanted = counts.density(16.0, 20.0) / counts.density(16.0, 24.0);
        QVERIFY(std::abs(double(bright) / n - wanted) < 0.015);
        // Faint stars are M dwarfs, fainter in V than in i, so that i counts lie above V counts.
        QVERIFY(counts.density(-20.0, 22.0) * 3600.0 > counts.brighterThanV(22.0));
        QVERIFY_EXCEPTION_THROWN(StarCounts(0.0, 10.0), std::invalid_argument);
    }

    void aWishChangesNothingElse() {
        Population::Wish wish;
        Random a(6), b(6);
        const Galaxy first = m_population.galaxy(a, wish);
        wish.angle = 12.0;
        const Galaxy second = m_population.galaxy(b, wish);
        QCOMPARE(second.components.front().angle, 12.0);
        QCOMPARE(first.redshift, second.redshift);
        QCOMPARE(first.magnitude, second.magnitude);
        QCOMPARE(a(), b());
    }
};

QTEST_APPLESS_MAIN(TestPopulation)
#include "tst_Population.moc"
