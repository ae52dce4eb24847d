#include "core/Error.h"
#include "simulate/Survey.h"

#include <QJsonArray>
#include <QTest>
#include <cmath>

using namespace blendscope;

class TestSurvey : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Electrons of a 24 mag source and of the sky in a pixel, from the public table of the survey.
    void lsstFigures_data() {
        QTest::addColumn<QString>("band");
        QTest::addColumn<double>("counts");
        QTest::addColumn<double>("sky");
        QTest::newRow("u") << QStringLiteral("u") << 15321.0 << 1553.7;
        QTest::newRow("g") << QStringLiteral("g") << 121397.0 << 24114.0;
        QTest::newRow("r") << QStringLiteral("r") << 240956.0 << 127057.0;
        QTest::newRow("i") << QStringLiteral("i") << 179448.0 << 183654.0;
        QTest::newRow("z") << QStringLiteral("z") << 108953.0 << 250785.0;
        QTest::newRow("y") << QStringLiteral("y") << 50727.0 << 290604.0;
    }
    void lsstFigures() {
        QFETCH(QString, band);
        QFETCH(double, counts);
        QFETCH(double, sky);
        const Survey s = Survey::load(QStringLiteral("lsst"));
        QCOMPARE(s.bands.size(), size_t(6));
        QCOMPARE(s.pixelScale, 0.2);
        const int i = s.bandIndex(band.toUpper());
        QVERIFY(i >= 0);
        const SurveyBand& b = s.bands[static_cast<size_t>(i)];
        QCOMPARE(std::floor(s.electrons(b, 24.0)), counts);
        QVERIFY(std::abs(s.skyElectrons(b) / sky - 1.0) < 5e-5);
        QVERIFY(std::abs(std::pow(10.0, 0.4 * (s.countZeroPoint(b) - 24.0)) / s.electrons(b, 24.0) - 1.0) < 1e-9);
    }

    void unfitSurveys_data() {
        QTest::addColumn<QJsonObject>("json");
        QTest::addColumn<QString>("named");
        const QJsonObject band{{"name", "r"}, {"exposure", 100},  {"sky", 21.0},
                               {"fwhm", 0.8}, {"zero_point", 28}, {"wavelength", 620}};
        const QJsonObject good{{"id", "x"}, {"pixel_scale", 0.2}, {"bands", QJsonArray{band}}};
        QJsonObject bad = good;
        bad[QStringLiteral("pixel_scale")] = -1;
        QTest::newRow("scale") << bad << QStringLiteral("survey.pixel_scale");
        bad = good;
        bad[QStringLiteral("pixelscale")] = 1;
        QTest::newRow("unknown key") << bad << QStringLiteral("survey.pixelscale");
        bad = good;
        bad[QStringLiteral("bands")] = QJsonArray{};
        QTest::newRow("no bands") << bad << QStringLiteral("bands");
        bad = good;
        bad[QStringLiteral("bands")] = QJsonArray{band, band};
        QTest::newRow("twice") << bad << QStringLiteral("\"r\"");
        QJsonObject dark = band;
        dark[QStringLiteral("fwhm")] = QStringLiteral("wide");
        bad[QStringLiteral("bands")] = QJsonArray{dark};
        QTest::newRow("text") << bad << QStringLiteral("survey.bands[0].fwhm is \"wide\"");
    }
    void unfitSurveys() {
        QFETCH(QJsonObject, json);
        QFETCH(QString, named);
        try {
            (void)Survey::fromJson(json);
            QFAIL("was taken");
        } catch (const UsageError& e) {
            QVERIFY2(e.message().contains(named), qPrintable(e.message()));
        }
    }

    void unknownSurveyNamesTheKnown() {
        try {
            (void)Survey::load(QStringLiteral("lsts"));
            QFAIL("was taken");
        } catch (const UsageError& e) {
            QVERIFY(e.message().contains(QStringLiteral("lsts")) && e.message().contains(QStringLiteral("lsst")));
        }
    }
};

QTEST_APPLESS_MAIN(TestSurvey)
#include "tst_Survey.moc"
