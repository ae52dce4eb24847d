#include "measure/AdaptiveMoments.h"
#include "measure/Aperture.h"
#include "measure/Blendedness.h"
#include "measure/HalfLight.h"
#include "measure/Kron.h"
#include "support/BlendSupport.h"

#include <QTest>
#include <cmath>
#include <numbers>

using namespace blendscope;

namespace {

/// An elliptical Gaussian sampled at pixel centres, peak 100.
cv::Mat gaussian(double x0, double y0, double a, double b, double theta, int size = 101) {
    cv::Mat out(size, size, CV_32F);
    const double c = std::cos(theta * std::numbers::pi / 180.0), s = std::sin(theta * std::numbers::pi / 180.0);
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x) {
            const double u = ((x - x0) * c + (y - y0) * s) / a, v = (-(x - x0) * s + (y - y0) * c) / b;
            out.at<float>(y, x) = static_cast<float>(100.0 * std::exp(-0.5 * (u * u + v * v)));
        }
    }
    return out;
}

/// A round exponential disk of scale length h, pixel means.
cv::Mat exponential(double h, int size = 201) {
    cv::Mat out(size, size, CV_32F);
    const double c = 0.5 * (size - 1);
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x) {
            out.at<float>(y, x) = static_cast<float>(100.0 * std::exp(-std::hypot(x - c, y - c) / h));
        }
    }
    return out;
}

} // namespace

class TestMoments : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void gaussiansAreExact_data() {
        QTest::addColumn<double>("a");
        QTest::addColumn<double>("b");
        QTest::addColumn<double>("theta");
        QTest::newRow("round") << 3.0 << 3.0 << 0.0;
        QTest::newRow("flat") << 6.0 << 2.0 << 30.0;
        QTest::newRow("other way") << 5.0 << 3.0 << -60.0;
        QTest::newRow("upright") << 4.0 << 2.5 << 90.0;
    }
    void gaussiansAreExact() {
        QFETCH(double, a);
        QFETCH(double, b);
        QFETCH(double, theta);
        const Moments m = adaptiveMoments(gaussian(48.3, 52.1, a, b, theta), 49.0, 51.0, 2.0, 5.0);
        QVERIFY(m.valid);
        QVERIFY(std::abs(m.x - 48.3) < 2e-3 && std::abs(m.y - 52.1) < 2e-3);
        QVERIFY(std::abs(m.a() / a - 1.0) < 2e-3);
        QVERIFY(std::abs(m.b() / b - 1.0) < 2e-3);
        if (a != b) {
            const double off = std::remainder(m.theta() - theta, 180.0);
            QVERIFY2(std::abs(off) < 0.1, qPrintable(QString::number(m.theta())));
        }
    }

    void hopelessImagesAreNotValid() {
        QVERIFY(!adaptiveMoments(cv::Mat::zeros(20, 20, CV_32F), 10, 10, 2.0, 5.0).valid);
        QVERIFY(!adaptiveMoments(cv::Mat(20, 20, CV_32F, cv::Scalar(-3.0)), 10, 10, 2.0, 5.0).valid);
        QVERIFY(!adaptiveMoments(cv::Mat(1, 1, CV_32F, cv::Scalar(5.0)), 0, 0, 2.0, 5.0).valid);
        QVERIFY(!adaptiveMoments({}, 0, 0, 2.0, 5.0).valid);
        QVERIFY(!adaptiveMoments(gaussian(50, 50, 3, 3, 0), std::nan(""), 50, 2.0, 5.0).valid);
        QVERIFY(!positiveMoments(cv::Mat::zeros(3, 3, CV_32F)).valid);
        const Moments one = positiveMoments(cv::Mat(1, 1, CV_32F, cv::Scalar(5.0)));
        QVERIFY(one.valid && one.a() > 0.0);
    }

    void kronRadiusOfGaussian() {
        const double k = kronRadius(gaussian(50, 50, 5, 3, 40), {50, 50, 5, 3, 40});
        QVERIFY2(std::abs(k - std::sqrt(std::numbers::pi / 2.0)) < 5e-3, qPrintable(QString::number(k)));
    }
    void kronRadiusOfExponential() {
        // Integral to infinity: 2 scale lengths; 10 scale lengths hold nearly all.
        const double h = 6.0, k = kronRadius(exponential(h), {100, 100, h, h, 0}, 14.0);
        QVERIFY2(std::abs(k - 2.0) < 0.02, qPrintable(QString::number(k)));
    }
    void kronRadiusWithoutLight() {
        QVERIFY(std::isnan(kronRadius(cv::Mat::zeros(9, 9, CV_32F), {4, 4, 2, 2, 0})));
        QVERIFY(std::isnan(kronRadius(cv::Mat(9, 9, CV_32F, cv::Scalar(-1.0)), {4, 4, 2, 2, 0})));
    }

    void halfLightRadii() {
        const cv::Mat g = gaussian(50.2, 49.7, 4, 4, 0);
        const double rg = lightRadius(g, 50.2, 49.7, cv::sum(g)[0], 45.0);
        QVERIFY2(std::abs(rg / (4.0 * 1.17741) - 1.0) < 0.01, qPrintable(QString::number(rg)));
        const cv::Mat e = exponential(6.0);
        const double re = lightRadius(e, 100, 100, cv::sum(e)[0], 95.0);
        QVERIFY2(std::abs(re / (6.0 * 1.67835) - 1.0) < 0.01, qPrintable(QString::number(re)));
        QVERIFY(std::isnan(lightRadius(g, 50, 50, -1.0, 45.0)));
        QVERIFY(std::isnan(lightRadius(g, 50, 50, cv::sum(g)[0] * 3.0, 45.0)));
    }

    void aperturesAddUpToTheirArea() {
        const cv::Mat one(81, 81, CV_32F, cv::Scalar(1.0));
        for (const Ellipse& e :
             {Ellipse{40, 40, 10, 5, 30}, Ellipse{40.3, 39.6, 3.5, 3.5, 0}, Ellipse{40, 40, 20, 2, -70}}) {
            const ApertureSum s = sumInEllipse(one, one, e);
            QVERIFY2(std::abs(s.flux / e.area() - 1.0) < 0.01, qPrintable(QString::number(s.flux / e.area())));
        }
        const ApertureSum half = sumInEllipse(one, {}, {-0.5, 40, 10, 10, 0});
        QVERIFY(std::abs(half.flux / (50.0 * std::numbers::pi) - 1.0) < 0.02);
        QVERIFY(std::abs(half.missingArea / (50.0 * std::numbers::pi) - 1.0) < 0.02);
        QCOMPARE(sumInEllipse(one, one, {40, 40, 0, 0, 0}).flux, 0.0);
    }

    void blendednessOfEqualTwins() {
        // The child holds half of the light wherever it is: half buried.
        const cv::Mat g = gaussian(50, 50, 4, 4, 0);
        Moments m = adaptiveMoments(g, 50, 50, 3.0, 5.0);
        QVERIFY(std::abs(blendedness(g, g * 2.0, m) - 0.5) < 1e-6);
        QCOMPARE(blendedness(g, g, m), 0.0);
        QVERIFY(std::isnan(blendedness(g, g * 0.0, m)));
        m.xx = m.yy = m.xy = 0.0;
        QVERIFY(std::isnan(blendedness(g, g, m)));
    }
};

QTEST_APPLESS_MAIN(TestMoments)
#include "tst_Moments.moc"
