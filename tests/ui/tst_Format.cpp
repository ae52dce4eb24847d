#include "models/Format.h"

#include <QtTest>
#include <cmath>

using namespace blendscope;

class TestFormat : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void fluxShowsTheDigitsThatItsErrorAllows() {
        QCOMPARE(formatFlux(412.3, 8.2), QStringLiteral("412 \u00b1 8"));
        QCOMPARE(formatFlux(12.34, 0.42), QStringLiteral("12.3 \u00b1 0.4"));
        QCOMPARE(formatFlux(12.345, 0.124), QStringLiteral("12.35 \u00b1 0.12"));
        QCOMPARE(formatFlux(123987, 310), QStringLiteral("1.240e5 \u00b1 300"));
        QCOMPARE(formatFlux(-5.2, 8.0), QStringLiteral("\u22125 \u00b1 8"));
        QCOMPARE(formatFlux(std::nan(""), 1), QStringLiteral("\u2013"));
        QCOMPARE(formatFlux(1234.0, std::nan("")), QStringLiteral("1230"));
    }
    void magnitudes() {
        QCOMPARE(formatMagnitude(100.0, 2.0, 28.41), QStringLiteral("23.41 \u00b1 0.02"));
        QCOMPARE(formatMagnitude(1.0, 10.0, 27.0), QStringLiteral("> 24.5"));
        QCOMPARE(formatMagnitude(-5.0, 1.0, std::nan("")), QStringLiteral("\u2013"));
        QCOMPARE(formatMagnitude(1e6, 1.0, 30.0), QStringLiteral("15.000 \u00b1 0.001"));
    }
    void durationsAndCounts() {
        QCOMPARE(formatDuration(4.2), QStringLiteral("4.2 s"));
        QCOMPARE(formatDuration(80), QStringLiteral("1 min 20 s"));
        QCOMPARE(formatDuration(7500), QStringLiteral("2 h 5 min"));
        QCOMPARE(formatDuration(-1), QString());
        QCOMPARE(formatCount(12340), QStringLiteral("12\u2009340"));
        QCOMPARE(formatCount(999), QStringLiteral("999"));
    }
    void skyNeverShowsSixtySeconds() {
        QCOMPARE(formatSky(150.0, 2.2), QStringLiteral("10:00:00.00 +02:12:00.0"));
        QCOMPARE(formatSky(14.9999999, -0.00001), QStringLiteral("01:00:00.00 \u221200:00:00.0"));
        QCOMPARE(formatSky(359.99999999, 0.0), QStringLiteral("00:00:00.00 +00:00:00.0"));
    }
    void valuesKeepThreeDigits() {
        QCOMPARE(formatValue(0.01234), QStringLiteral("0.0123"));
        QCOMPARE(formatValue(1234), QStringLiteral("1230"));
        QCOMPARE(formatValue(123456), QStringLiteral("1.23e5"));
        QCOMPARE(formatValue(-0.00001), QStringLiteral("\u22121.00e\u22125"));
    }
};

QTEST_GUILESS_MAIN(TestFormat)
#include "tst_Format.moc"
