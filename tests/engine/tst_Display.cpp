#include "core/Error.h"
#include "core/Random.h"
#include "image/Display.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

Band bandOf(const QString& name, cv::Mat pixels, double zeroPoint) {
    Band band;
    band.name = name;
    band.image = std::make_shared<MemoryPlane>(std::move(pixels));
    band.zeroPoint = zeroPoint;
    return band;
}

/// Noise and round objects whose counts per band are flux[band], with one colour for all.
Scene sceneOf(const std::vector<double>& flux, double noise, double unit, bool calibrated) {
    const std::vector<double> wavelengths = {368, 486, 625, 756, 870, 972};
    Scene scene;
    scene.size = {96, 96};
    for (size_t b = 0; b < flux.size(); ++b) {
        Random random(3, b);
        cv::Mat m(96, 96, CV_32F);
        for (int y = 0; y < 96; ++y) {
            for (int x = 0; x < 96; ++x) {
                double v = 5.0 + noise * random.normal();
                for (const auto& [cx, cy] : {std::pair{25.0, 30.0}, {70.0, 60.0}}) {
                    v += flux[b] * std::exp(-0.5 * ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / 16.0);
                }
                m.at<float>(y, x) = static_cast<float>(unit * v);
            }
        }
        scene.bands.push_back(bandOf(QString::number(b), m, calibrated ? 30.0 : std::nan("")));
        scene.bands.back().wavelength = wavelengths[b];
    }
    return scene;
}

std::vector<cv::Mat> pixelsOf(const Scene& scene) {
    std::vector<cv::Mat> out;
    for (const Band& b : scene.bands) {
        out.push_back(b.image->readAll());
    }
    return out;
}

} // namespace

class TestDisplay : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cutsOfOddSamples_data() {
        QTest::addColumn<QVector<float>>("values");
        QTest::addRow("empty") << QVector<float>{};
        QTest::addRow("one") << QVector<float>{3.0f};
        QTest::addRow("constant") << QVector<float>(100, -2e-12f);
        QTest::addRow("zero") << QVector<float>(100, 0.0f);
        QTest::addRow("nan") << QVector<float>(10, std::nanf(""));
        QTest::addRow("infinite") << QVector<float>{INFINITY, -INFINITY, 1.0f, 2.0f};
        QTest::addRow("two") << QVector<float>{1.0f, 2.0f};
        QVector<float> padded(1000, 0.0f);
        padded[3] = 1e30f;
        QTest::addRow("padded") << padded;
    }
    void cutsOfOddSamples() {
        QFETCH(QVector<float>, values);
        const std::vector<float> v(values.begin(), values.end());
        for (const Cuts& c : {zScale(v), percentileCuts(v, 99.5), minMaxCuts(v)}) {
            QVERIFY(std::isfinite(c.low) && std::isfinite(c.high));
            QVERIFY(c.low < c.high);
        }
        const SkyLevel sky = skyOfSample(v);
        QVERIFY(std::isfinite(sky.level) && std::isfinite(sky.sigma) && sky.sigma > 0.0f);
    }

    void zScaleOfALine() {
        // A uniform distribution is the line itself: z1, z2 lie at the ends, whatever the contrast below 1.
        std::vector<float> v;
        for (int i = 0; i < 1001; ++i) {
            v.push_back(static_cast<float>(i));
        }
        const Cuts c = zScale(v);
        QCOMPARE(c.low, 0.0f);
        QCOMPARE(c.high, 1000.0f);
        const Cuts narrow = zScale(v, 4.0);
        QVERIFY(std::abs(narrow.low - 375.0f) < 1.0f && std::abs(narrow.high - 625.0f) < 1.0f);
    }

    void zScaleIgnoresBrightPixels() {
        Random random(1);
        std::vector<float> v;
        for (int i = 0; i < 5000; ++i) {
            v.push_back(static_cast<float>(random.normal(100.0, 3.0) + (i % 50 == 0 ? 1e5 * random.uniform() : 0.0)));
        }
        v.push_back(std::nanf(""));
        const Cuts c = zScale(v);
        QVERIFY(c.low > 80.0f && c.low < 98.0f);
        QVERIFY(c.high > 102.0f && c.high < 160.0f);
    }

    void percentiles() {
        std::vector<float> v;
        for (int i = 0; i <= 1000; ++i) {
            v.push_back(static_cast<float>((i * 8) % 1001));
        }
        const Cuts c = percentileCuts(v, 99.0);
        QVERIFY(std::abs(c.low - 5.0f) < 1e-3f && std::abs(c.high - 995.0f) < 1e-3f);
    }

    void skyOfNoiseWithObjects() {
        Random random(2);
        std::vector<float> v;
        for (int i = 0; i < 20000; ++i) {
            v.push_back(static_cast<float>(1e-12 * (random.normal(7.0, 2.0) + (i % 20 == 0 ? 50.0 : 0.0))));
        }
        const SkyLevel sky = skyOfSample(v);
        QVERIFY(std::abs(sky.level - 7e-12f) < 1e-13f);
        QVERIFY(std::abs(sky.sigma - 2e-12f) < 1e-13f);
    }

    void samplesAreSparseAndFinite() {
        cv::Mat m(300, 500, CV_32F, cv::Scalar(1.0));
        m.at<float>(0, 0) = std::nanf("");
        const MemoryPlane plane(m);
        QVERIFY(gridSample(plane, 1000).size() <= 1000);
        QVERIFY(gridSample(plane, 1000).size() > 500);
        QCOMPARE(gridSample(plane, 1000000).size(), size_t(300 * 500 - 1));
    }

    void curvesRiseFromZeroToOne() {
        for (const Curve curve : {Curve::Linear, Curve::Log, Curve::Sqrt, Curve::Asinh}) {
            for (const float parameter : {0.0f, 0.02f, 50.0f}) {
                QCOMPARE(applyCurve(curve, 0.0f, parameter), 0.0f);
                QCOMPARE(applyCurve(curve, 1.0f, parameter), 1.0f);
                QCOMPARE(applyCurve(curve, -3.0f, parameter), 0.0f);
                QCOMPARE(applyCurve(curve, 7.0f, parameter), 1.0f);
                QCOMPARE(applyCurve(curve, std::nanf(""), parameter), 0.0f);
                float last = 0.0f;
                for (int i = 1; i <= 100; ++i) {
                    const float t = applyCurve(curve, static_cast<float>(i) / 100.0f, parameter);
                    QVERIFY(t > last);
                    last = t;
                }
            }
        }
    }

    void luptonIsMonotoneAndKeepsHue() {
        RgbSettings s;
        s.weights = {std::vector<float>{1, 0, 0}, std::vector<float>{0, 1, 0}, std::vector<float>{0, 0, 1}};
        s.level = {10.0f, 20.0f, 30.0f};
        s.stretch = 50.0f;
        const int n = 400;
        std::vector<cv::Mat> bands(3, cv::Mat());
        for (int b = 0; b < 3; ++b) {
            bands[static_cast<size_t>(b)] = cv::Mat(1, n, CV_32F);
            for (int x = 0; x < n; ++x) {
                const double brightness = std::pow(10.0, 6.0 * x / n);
                bands[static_cast<size_t>(b)].at<float>(0, x) =
                    static_cast<float>(s.level[static_cast<size_t>(b)] + brightness * (b == 0   ? 1.0
                                                                                       : b == 1 ? 0.5
                                                                                                : 0.25));
            }
        }
        cv::Mat bgr, invalid;
        luptonRgb(bands, s, bgr, &invalid);
        QCOMPARE(bgr.type(), CV_8UC3);
        QCOMPARE(cv::countNonZero(invalid), 0);
        int last = 0;
        for (int x = 0; x < n; ++x) {
            const cv::Vec3b p = bgr.at<cv::Vec3b>(0, x);
            QVERIFY(p[2] >= last);
            last = p[2];
            QVERIFY(std::abs(p[1] - 0.5 * p[2]) <= 1.0);
            QVERIFY(std::abs(p[0] - 0.25 * p[2]) <= 1.0);
        }
        QCOMPARE(last, 255);
    }

    void luptonMarksMissingPixels() {
        RgbSettings s;
        s.weights = {std::vector<float>{0, 0, 1, 0}, std::vector<float>{0, 1, 0, 0}, std::vector<float>{1, 0, 0, 0}};
        s.level.assign(4, 0.0f);
        std::vector<cv::Mat> bands(3, cv::Mat(4, 4, CV_32F, cv::Scalar(0.3)));
        for (cv::Mat& m : bands) {
            m = m.clone();
        }
        bands.push_back({}); // without weight: not needed
        for (cv::Mat& m : bands) {
            if (!m.empty()) m.at<float>(0, 0) = std::nanf("");
        }
        bands[1].at<float>(1, 1) = INFINITY;
        cv::Mat bgr, invalid;
        luptonRgb(bands, s, bgr, &invalid);
        QCOMPARE(int(invalid.at<std::uint8_t>(0, 0)), 255);
        QCOMPARE(bgr.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
        QCOMPARE(int(invalid.at<std::uint8_t>(1, 1)), 128);
        QCOMPARE(bgr.at<cv::Vec3b>(1, 1), bgr.at<cv::Vec3b>(2, 2));
        QCOMPARE(cv::countNonZero(invalid), 2);

        bands[2] = cv::Mat(3, 4, CV_32F);
        QVERIFY_EXCEPTION_THROWN(luptonRgb(bands, s, bgr), UsageError);
        bands.pop_back();
        QVERIFY_EXCEPTION_THROWN(luptonRgb(bands, s, bgr), UsageError);
    }

    void defaultPictureInAnyUnits_data() {
        QTest::addColumn<int>("bands");
        QTest::addColumn<double>("unit");
        QTest::addColumn<bool>("calibrated");
        for (const int n : {1, 2, 3, 4, 5, 6}) {
            for (const double unit : {1.0, 1e-12, 1e9}) {
                QTest::addRow("%d bands, unit %g", n, unit) << n << unit << true;
                QTest::addRow("%d bands, unit %g, no zero point", n, unit) << n << unit << false;
            }
        }
    }
    void defaultPictureInAnyUnits() {
        QFETCH(int, bands);
        QFETCH(double, unit);
        QFETCH(bool, calibrated);
        const std::vector<double> all = {40, 70, 100, 130, 150, 160};
        const Scene scene = sceneOf({all.begin(), all.begin() + bands}, 1.0, unit, calibrated);
        const RgbSettings s = defaultRgb(scene);
        cv::Mat bgr;
        luptonRgb(pixelsOf(scene), s, bgr);
        const cv::Vec3b object = bgr.at<cv::Vec3b>(30, 25);
        const int bright = std::max({object[0], object[1], object[2]});
        const int dim = std::min({object[0], object[1], object[2]});
        QVERIFY2(bright > 100 && bright < 256, qPrintable(QString::number(bright)));
        // All objects have one colour, so that the balance makes them nearly neutral; one band is exactly grey.
        QVERIFY2(bright - dim < (bands == 1 ? 1 : 60), qPrintable(QString::number(bright - dim)));
        const cv::Scalar sky = cv::mean(bgr(cv::Rect(70, 2, 24, 24)));
        QVERIFY2(sky[1] < 40.0, qPrintable(QString::number(sky[1])));
    }

    void redderObjectsLookRedder() {
        Scene scene = sceneOf({50, 100, 150}, 1.0, 1.0, true);
        // A second kind of object, bluer than the others.
        for (size_t b = 0; b < 3; ++b) {
            cv::Mat m = scene.bands[b].image->readAll().clone();
            const double flux = b == 0 ? 150.0 : b == 1 ? 100.0 : 50.0;
            for (int y = 0; y < 96; ++y) {
                for (int x = 0; x < 96; ++x) {
                    m.at<float>(y, x) += static_cast<float>(
                        flux * std::exp(-0.5 * ((x - 20.) * (x - 20.) + (y - 75.) * (y - 75.)) / 16.0));
                }
            }
            scene.bands[b].image = std::make_shared<MemoryPlane>(m);
        }
        cv::Mat bgr;
        luptonRgb(pixelsOf(scene), defaultRgb(scene), bgr);
        const cv::Vec3b blue = bgr.at<cv::Vec3b>(75, 20), red = bgr.at<cv::Vec3b>(30, 25);
        QVERIFY(blue[0] > blue[2] + 30);
        QVERIFY(double(blue[0]) / blue[2] > 2.0 * red[0] / red[2]);
    }

    void defaultPictureOfNothing() {
        Scene scene;
        QCOMPARE(defaultRgb(scene).level.size(), size_t(0));
        scene.size = {8, 8};
        for (const float value : {0.0f, 7.0f, std::nanf("")}) {
            scene.bands = {bandOf(QStringLiteral("g"), cv::Mat(8, 8, CV_32F, cv::Scalar(value)), 27.0),
                           bandOf(QStringLiteral("r"), cv::Mat(8, 8, CV_32F, cv::Scalar(value)), 27.0)};
            const RgbSettings s = defaultRgb(scene);
            QVERIFY(std::isfinite(s.stretch) && s.stretch > 0.0f);
            for (const std::vector<float>& w : s.weights) {
                for (const float x : w) {
                    QVERIFY(std::isfinite(x));
                }
            }
            cv::Mat bgr;
            luptonRgb(pixelsOf(scene), s, bgr);
            QCOMPARE(cv::countNonZero(bgr.reshape(1)), 0);
        }
    }
};

QTEST_APPLESS_MAIN(TestDisplay)
#include "tst_Display.moc"
