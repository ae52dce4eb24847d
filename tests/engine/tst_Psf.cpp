#include "core/Error.h"
#include "core/Psf.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

/// A Gaussian sampled at pixel centres, off the middle by (dx, dy).
cv::Mat gaussianImage(cv::Size size, double fwhm, double dx, double dy, float scale = 1.0f) {
    cv::Mat m(size, CV_32F);
    const double s2 = std::pow(fwhm / 2.3548, 2);
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            const double ax = x - size.width / 2 - dx, ay = y - size.height / 2 - dy;
            m.at<float>(y, x) = scale * static_cast<float>(std::exp(-0.5 * (ax * ax + ay * ay) / s2));
        }
    }
    return m;
}

cv::Point2d moments(const cv::Mat& m) {
    double sx = 0, sy = 0, s = 0;
    for (int y = 0; y < m.rows; ++y) {
        for (int x = 0; x < m.cols; ++x) {
            sx += double(x) * m.at<float>(y, x);
            sy += double(y) * m.at<float>(y, x);
            s += m.at<float>(y, x);
        }
    }
    return {sx / s, sy / s};
}

} // namespace

class TestPsf : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void profilesHaveTheirWidth_data() {
        QTest::addColumn<double>("fwhm");
        for (const double f : {1.0, 2.0, 3.3, 6.0, 15.0}) {
            QTest::addRow("%g", f) << f;
        }
    }
    void profilesHaveTheirWidth() {
        QFETCH(double, fwhm);
        for (const Psf& psf : {Psf::moffat(fwhm), Psf::gaussian(fwhm), Psf::moffat(fwhm, 4.5)}) {
            QVERIFY(psf.known());
            QCOMPARE(psf.image.rows % 2, 1);
            QCOMPARE(psf.image.rows, psf.image.cols);
            QVERIFY(std::abs(cv::sum(psf.image)[0] - 1.0) < 1e-5);
            // Integration over pixels adds the pixel's own width, about 1/12 px^2 in second moment.
            QVERIFY2(psf.fwhmPixels > 0.99 * fwhm && psf.fwhmPixels < std::hypot(fwhm, 1.15),
                     qPrintable(QString::number(psf.fwhmPixels)));
            cv::Point peak;
            cv::minMaxLoc(psf.image, nullptr, nullptr, nullptr, &peak);
            QCOMPARE(peak, cv::Point(psf.image.cols / 2, psf.image.rows / 2));
            // Four-fold symmetric, so that convolution does not shift.
            cv::Mat turned;
            cv::flip(psf.image, turned, -1);
            QVERIFY(cv::norm(psf.image, turned, cv::NORM_INF) < 1e-7);
        }
    }

    void nonsenseIsRefused() {
        QVERIFY_EXCEPTION_THROWN((void)Psf::moffat(0.0), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)Psf::moffat(std::nan("")), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)Psf::gaussian(-2.0), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)Psf::fromImage(cv::Mat(), Psf::Origin::Given), ReadError);
        QVERIFY_EXCEPTION_THROWN((void)Psf::fromImage(cv::Mat::zeros(9, 9, CV_32F), Psf::Origin::Given), ReadError);
        QVERIFY_EXCEPTION_THROWN((void)Psf::fromImage(cv::Mat(9, 9, CV_32F, cv::Scalar(-1)), Psf::Origin::Given),
                                 ReadError);
    }

    void anyImageIsCentred_data() {
        QTest::addColumn<cv::Size>("size");
        QTest::addColumn<double>("dx");
        QTest::addColumn<double>("dy");
        QTest::addColumn<double>("fwhm");
        QTest::newRow("centred") << cv::Size(41, 41) << 0.0 << 0.0 << 3.0;
        QTest::newRow("even") << cv::Size(40, 40) << -0.5 << -0.5 << 3.0;
        QTest::newRow("one off") << cv::Size(41, 41) << 1.0 << 0.0 << 3.0;
        QTest::newRow("sub-pixel") << cv::Size(43, 43) << 0.3 << -0.4 << 4.0;
        QTest::newRow("oblong") << cv::Size(31, 45) << 2.2 << 1.1 << 3.5;
        QTest::newRow("narrow") << cv::Size(25, 25) << 0.0 << 0.0 << 1.6;
    }
    void anyImageIsCentred() {
        QFETCH(cv::Size, size);
        QFETCH(double, dx);
        QFETCH(double, dy);
        QFETCH(double, fwhm);
        const Psf psf = Psf::fromImage(gaussianImage(size, fwhm, dx, dy, 1e-9f), Psf::Origin::Given);
        QCOMPARE(psf.image.cols % 2, 1);
        QVERIFY(std::abs(cv::sum(psf.image)[0] - 1.0) < 1e-5);
        const cv::Point2d c = moments(psf.image);
        QVERIFY2(std::abs(c.x - psf.image.cols / 2) < 0.03 && std::abs(c.y - psf.image.rows / 2) < 0.03,
                 qPrintable(QStringLiteral("%1 %2").arg(c.x).arg(c.y)));
        QVERIFY2(std::abs(psf.fwhmPixels / fwhm - 1.0) < 0.05, qPrintable(QString::number(psf.fwhmPixels)));
    }

    void nanCountsAsNoLight() {
        cv::Mat m = gaussianImage({21, 21}, 3.0, 0, 0);
        m.at<float>(2, 2) = std::nanf("");
        m.at<float>(18, 3) = INFINITY;
        const Psf psf = Psf::fromImage(m, Psf::Origin::Given);
        QVERIFY(std::isfinite(cv::sum(psf.image)[0]));
    }

    void tinyImagesWork() {
        for (const int side : {1, 2, 3, 4}) {
            const Psf psf = Psf::fromImage(cv::Mat(side, side, CV_32F, cv::Scalar(1.0)), Psf::Origin::Given);
            QVERIFY(psf.known() && psf.image.cols % 2 == 1);
            QVERIFY(std::abs(cv::sum(psf.image)[0] - 1.0) < 1e-5);
        }
    }

    void fwhmOfKnownProfiles() {
        for (const double f : {2.0, 3.0, 7.5}) {
            QVERIFY(std::abs(measureFwhm(gaussianImage({61, 61}, f, 0, 0)) / f - 1.0) < 0.04);
        }
        QCOMPARE(measureFwhm(cv::Mat()), 0.0);
        QCOMPARE(measureFwhm(cv::Mat::zeros(5, 5, CV_32F)), 0.0);
    }
};

QTEST_APPLESS_MAIN(TestPsf)
#include "tst_Psf.moc"
