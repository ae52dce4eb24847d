#include "image/Resample.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

PlanePtr blob(cv::Size size, double cx, double cy, double sigma, double flux) {
    cv::Mat m(size, CV_32F);
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            m.at<float>(y, x) =
                static_cast<float>(flux / (2 * CV_PI * sigma * sigma) *
                                   std::exp(-0.5 * ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (sigma * sigma)));
        }
    }
    return std::make_shared<MemoryPlane>(m);
}

} // namespace

class TestResample : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fluxIsKeptOnAnyScale_data() {
        QTest::addColumn<double>("scale");
        for (const double s : {0.05, 0.1, 0.17, 0.2, 0.33, 0.5}) {
            QTest::addRow("%g arcsec", s) << s;
        }
    }
    void fluxIsKeptOnAnyScale() {
        QFETCH(double, scale);
        // The source at 0.2 arcsec, its blob at a known place of the sky.
        const Wcs from = Wcs::tangent({150, 2}, {60, 60}, 0.2);
        const int side = static_cast<int>(16.0 / scale);
        const Wcs to = Wcs::tangent({150.0, 2.0}, {side / 2.0 + 0.3, side / 2.0 - 0.2}, scale);
        const auto grid = std::make_shared<const ResampleGrid>(from, to, cv::Size(121, 121), cv::Size(side, side));
        QVERIFY(grid->overlaps());
        const cv::Mat out = resampleImage(blob({121, 121}, 63, 58, 3.0, 1000.0), grid)->readAll();
        QVERIFY2(std::abs(cv::sum(out)[0] - 1000.0) < 2.0, qPrintable(QString::number(cv::sum(out)[0])));
        const auto sky = from.toSky(63, 58);
        const auto at = to.toPixel(*sky);
        double sx = 0, sy = 0;
        for (int y = 0; y < out.rows; ++y) {
            for (int x = 0; x < out.cols; ++x) {
                sx += x * double(out.at<float>(y, x));
                sy += y * double(out.at<float>(y, x));
            }
        }
        const double sum = cv::sum(out)[0];
        QVERIFY2(std::abs(sx / sum - at->x) < 0.02 && std::abs(sy / sum - at->y) < 0.02,
                 qPrintable(QString::number(sx / sum - at->x)));
        // Noise of apertures: variance per area of sky stays.
        const cv::Mat variance =
            resampleVariance(std::make_shared<ConstantPlane>(cv::Size(121, 121), 4.0f), grid)->readAll();
        const float expected = static_cast<float>(4.0 * scale * scale / 0.04);
        QVERIFY(std::abs(variance.at<float>(side / 2, side / 2) / expected - 1.0f) < 1e-3f);
        // The PSF keeps its width on the sky.
        const Psf psf = resamplePsf(Psf::gaussian(4.0), *grid);
        QVERIFY2(std::abs(psf.fwhmPixels * scale / (Psf::gaussian(4.0).fwhmPixels * 0.2) - 1.0) <
                     (scale > 0.3 ? 0.2 : 0.03),
                 qPrintable(QString::number(psf.fwhmPixels * scale)));
    }

    void bordersAndHolesAreNan() {
        const Wcs from = Wcs::tangent({10, -30}, {20, 20}, 0.2), to = Wcs::tangent({10, -30}, {35.25, 20}, 0.2);
        cv::Mat holes(41, 41, CV_32F, cv::Scalar(5));
        holes.at<float>(20, 20) = std::nanf("");
        const auto grid = std::make_shared<const ResampleGrid>(from, to, cv::Size(41, 41), cv::Size(41, 41));
        const cv::Mat out = resampleImage(std::make_shared<MemoryPlane>(holes), grid)->readAll();
        QVERIFY(std::isnan(out.at<float>(20, 5)));  // left of the source's border
        QVERIFY(std::isnan(out.at<float>(20, 35))); // the hole
        QVERIFY(std::abs(out.at<float>(20, 33) - 5.0f) < 1e-4f);
        const cv::Mat variance = resampleVariance(std::make_shared<MemoryPlane>(holes), grid)->readAll();
        QVERIFY(std::isinf(variance.at<float>(20, 5)) && std::isinf(variance.at<float>(20, 35)));
        cv::Mat bits = cv::Mat::zeros(41, 41, CV_32S);
        bits.at<int>(20, 18) = 6;
        const cv::Mat mask = resampleMask(std::make_shared<MemoryPlane>(bits), grid)->readAll();
        QCOMPARE(mask.at<int>(20, 33), 6);
        QCOMPARE(mask.at<int>(20, 5), 0);
    }

    void anotherPartOfTheSkyDoesNotOverlap() {
        const Wcs from = Wcs::tangent({10, -30}, {20, 20}, 0.2), to = Wcs::tangent({200, 30}, {20, 20}, 0.2);
        QVERIFY(!ResampleGrid(from, to, {41, 41}, {41, 41}).overlaps());
    }
};

QTEST_APPLESS_MAIN(TestResample)
#include "tst_Resample.moc"
