#include "core/Wcs.h"

#include <QTest>
#include <cmath>
#include <thread>

using namespace blendscope;

namespace {

std::string card(const std::string& text) {
    std::string line = text;
    line.resize(80, ' ');
    return line;
}

std::string header(const std::vector<std::string>& cards) {
    std::string all;
    for (const std::string& c : cards) {
        all += card(c);
    }
    return all;
}

const std::vector<std::string> kTan = {"CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'", "CRVAL1  = 150.0",
                                       "CRVAL2  = 2.0",        "CRPIX1  = 101.0",      "CRPIX2  = 51.0",
                                       "CUNIT1  = 'deg'",      "CUNIT2  = 'deg'"};

std::vector<std::string> with(std::vector<std::string> cards, const std::vector<std::string>& more) {
    cards.insert(cards.end(), more.begin(), more.end());
    return cards;
}

} // namespace

class TestWcs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void halfPixelConvention() {
        // CRPIX counts from 1 at the first pixel's centre; ours from 0.
        const Wcs wcs =
            Wcs::fromHeader(header(with(kTan, {"CD1_1   = -5E-5", "CD1_2   = 0", "CD2_1   = 0", "CD2_2   = 5E-5"})));
        QVERIFY(wcs.isValid());
        const auto sky = wcs.toSky(100.0, 50.0);
        QVERIFY(sky);
        QVERIFY(std::abs(sky->ra - 150.0) < 1e-10 && std::abs(sky->dec - 2.0) < 1e-10);
        // The gnomonic projection in closed form, 30 pixels east and 40 north.
        const double xi = 30 * 5e-5 * M_PI / 180, eta = 40 * 5e-5 * M_PI / 180, d0 = 2.0 * M_PI / 180;
        const double ra = 150.0 + std::atan2(xi, std::cos(d0) - eta * std::sin(d0)) * 180 / M_PI;
        const double dec =
            std::atan2(std::sin(d0) + eta * std::cos(d0), std::hypot(xi, std::cos(d0) - eta * std::sin(d0))) * 180 /
            M_PI;
        const auto off = wcs.toSky(70.0, 90.0);
        QVERIFY(std::abs(off->ra - ra) < 1e-10 && std::abs(off->dec - dec) < 1e-10);
        QVERIFY(std::abs(wcs.pixelScale(100, 50) - 0.18) < 1e-7);
        QVERIFY(std::abs(wcs.northAngle(100, 50) - 90.0) < 1e-3);
        QVERIFY(std::abs(std::abs(wcs.eastAngle(100, 50)) - 180.0) < 1e-3);
    }

    void rotationTurnsNorth() {
        const double a = 30.0 * M_PI / 180, s = 5e-5;
        const auto value = [](const char* key, double v) {
            return std::string(key) + "= " + std::to_string(v * 1e5) + "E-5";
        };
        const Wcs wcs = Wcs::fromHeader(
            header(with(kTan, {value("CD1_1   ", -s * std::cos(a)), value("CD1_2   ", s * std::sin(a)),
                               value("CD2_1   ", s * std::sin(a)), value("CD2_2   ", s * std::cos(a))})));
        QVERIFY(wcs.isValid());
        const double north = wcs.northAngle(100, 50) * M_PI / 180;
        const auto at = wcs.toSky(100, 50), up = wcs.toSky(100 + std::cos(north), 50 + std::sin(north));
        QVERIFY(up->dec > at->dec + 0.99 * s);
        QVERIFY(std::abs(up->ra - at->ra) < 1e-3 * s);
        const double east = wcs.eastAngle(100, 50) * M_PI / 180;
        const auto left = wcs.toSky(100 + std::cos(east), 50 + std::sin(east));
        QVERIFY(left->ra > at->ra + 0.99 * s);
    }

    void roundTrips_data() {
        QTest::addColumn<QString>("kind");
        for (const char* k : {"cd", "pc", "sip", "tpv", "tangent"}) {
            QTest::newRow(k) << QString::fromLatin1(k);
        }
    }
    void roundTrips() {
        QFETCH(QString, kind);
        const std::vector<std::string> cd = {"CD1_1   = -7.3E-5", "CD1_2   = 1E-6", "CD2_1   = 2E-6",
                                             "CD2_2   = 7.2E-5"};
        std::vector<std::string> cards = with(kTan, cd);
        if (kind == QLatin1String("pc")) {
            cards = with(kTan, {"CDELT1  = -7.3E-5", "CDELT2  = 7.3E-5", "PC1_1   = 0.8", "PC1_2   = -0.6",
                                "PC2_1   = 0.6", "PC2_2   = 0.8"});
        } else if (kind == QLatin1String("sip")) {
            cards[0] = "CTYPE1  = 'RA---TAN-SIP'";
            cards[1] = "CTYPE2  = 'DEC--TAN-SIP'";
            cards =
                with(cards, {"A_ORDER = 2", "B_ORDER = 2", "A_2_0   = 1.2E-5", "B_0_2   = -2.1E-5", "A_1_1   = 3E-6"});
        } else if (kind == QLatin1String("tpv")) {
            cards[0] = "CTYPE1  = 'RA---TPV'";
            cards[1] = "CTYPE2  = 'DEC--TPV'";
            cards = with(cards, {"PV1_0   = 0", "PV1_1   = 1.0", "PV1_4   = 0.02", "PV2_0   = 0", "PV2_1   = 1.0",
                                 "PV2_4   = 0.01"});
        }
        const Wcs wcs = kind == QLatin1String("tangent") ? Wcs::tangent({359.999, -45.0}, {99.5, 49.5}, 0.2)
                                                         : Wcs::fromHeader(header(cards));
        QVERIFY2(wcs.isValid(), qPrintable(wcs.problem()));
        const Wcs again = Wcs::fromHeader(wcs.toHeader());
        QVERIFY2(again.isValid(), qPrintable(again.problem()));
        for (const double x : {-20.0, 0.0, 99.7, 250.0}) {
            for (const double y : {-5.0, 33.3, 180.0}) {
                const auto sky = wcs.toSky(x, y);
                QVERIFY(sky && sky->ra >= 0.0 && sky->ra < 360.0);
                const auto back = wcs.toPixel(*sky);
                QVERIFY(back);
                QVERIFY2(std::hypot(back->x - x, back->y - y) < 1e-4, qPrintable(QString::number(back->x - x)));
                const auto same = again.toSky(x, y);
                QVERIFY(same);
                QVERIFY(std::abs(same->ra - sky->ra) < 1e-8 && std::abs(same->dec - sky->dec) < 1e-8);
            }
        }
    }

    void scalingPcMatrixIsWarnedOf() {
        const Wcs wcs = Wcs::fromHeader(
            header(with(kTan, {"CDELT1  = 5.5555E-6", "CDELT2  = 5.5555E-6", "PC1_1   = -0.644", "PC2_2   = 0.644"})));
        QVERIFY(wcs.isValid());
        QVERIFY(wcs.warning().contains(QStringLiteral("PC matrix")));
        QVERIFY(std::abs(wcs.pixelScale(100, 50) - 0.02 * 0.644) < 1e-5);
        // PC that is the whole matrix beside CDELT = 1 is common and right.
        const Wcs plain = Wcs::fromHeader(
            header(with(kTan, {"CDELT1  = 1.0", "CDELT2  = 1.0", "PC1_1   = -5E-5", "PC2_2   = 5E-5"})));
        QVERIFY(plain.isValid() && plain.warning().isEmpty());
    }

    void oddHeadersAreNoReasonToCrash_data() {
        QTest::addColumn<QString>("text");
        const auto row = [](const char* name, const std::vector<std::string>& cards) {
            QTest::newRow(name) << QString::fromLatin1(header(cards).c_str());
        };
        row("empty", {});
        row("blank types", {"CTYPE1  = ''", "CTYPE2  = ''", "CRVAL1  = 1.0"});
        row("linear", {"CTYPE1  = 'LINEAR'", "CTYPE2  = 'LINEAR'"});
        row("singular", with(kTan, {"CD1_1   = 0", "CD1_2   = 0", "CD2_1   = 0", "CD2_2   = 0"}));
        row("one axis", {"CTYPE1  = 'RA---TAN'", "CRVAL1  = 3.0"});
        row("unknown projection", {"CTYPE1  = 'RA---XYZ'", "CTYPE2  = 'DEC--XYZ'", "CDELT1  = 1E-4", "CDELT2  = 1E-4"});
        row("infinite", with(kTan, {"CD1_1   = 1E400", "CD2_2   = NaN"}));
        row("sip of order 99",
            with({"CTYPE1  = 'RA---TAN-SIP'", "CTYPE2  = 'DEC--TAN-SIP'", "CDELT1  = 1E-4", "CDELT2  = 1E-4"},
                 {"A_ORDER = 99", "B_ORDER = 99"}));
        row("many axes", {"NAXIS   = 999", "WCSAXES = 999", "CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'"});
        row("garbage", {std::string(80, '\xfe'), "CTYPE1  = 'RA---TAN", "CTYPE2  = DEC--TAN'"});
        QTest::newRow("cut card") << QStringLiteral("CTYPE1  = 'RA---T");
    }
    void oddHeadersAreNoReasonToCrash() {
        QFETCH(QString, text);
        const Wcs wcs = Wcs::fromHeader(text.toLatin1().toStdString());
        QCOMPARE(wcs.isValid(), wcs.problem().isEmpty());
        (void)wcs.toSky(0, 0);
        (void)wcs.toPixel({1, 2});
        (void)wcs.pixelScale(3, 4);
        (void)wcs.northAngle(3, 4);
        (void)wcs.toHeader();
        QVERIFY(!wcs.toSky(std::nan(""), 0));
    }

    void otherSideOfTheSkyHasNoPixel() {
        const Wcs wcs = Wcs::tangent({150.0, 2.0}, {0, 0}, 0.2);
        QVERIFY(!wcs.toPixel({330.0, -2.0}));
    }

    void manyThreads() {
        const Wcs wcs = Wcs::tangent({10.0, 20.0}, {50, 50}, 0.2);
        const auto reference = wcs.toSky(12.5, 77.0);
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int k = 0; k < 2000; ++k) {
                    const auto sky = wcs.toSky(12.5, 77.0);
                    if (!sky || sky->ra != reference->ra || !wcs.toPixel(*sky)) ++wrong;
                }
            });
        }
        for (std::thread& t : threads) {
            t.join();
        }
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_APPLESS_MAIN(TestWcs)
#include "tst_Wcs.moc"
