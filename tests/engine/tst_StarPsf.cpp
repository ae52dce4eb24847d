#include "core/Random.h"
#include "image/StarPsf.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

/// Adds `flux` times a profile that is centred on the middle of `stamp`, at a sub-pixel position (bilinear in the
/// profile that is drawn for that position).
void addMoffat(cv::Mat& image, double cx, double cy, double flux, double fwhm, double beta, double axisRatio = 1.0) {
    const double alpha = fwhm / (2.0 * std::sqrt(std::pow(2.0, 1.0 / beta) - 1.0));
    const double norm = (beta - 1.0) / (CV_PI * alpha * alpha * axisRatio);
    const int reach = static_cast<int>(8 * fwhm);
    for (int y = std::max(0, int(cy) - reach); y < std::min(image.rows, int(cy) + reach); ++y) {
        for (int x = std::max(0, int(cx) - reach); x < std::min(image.cols, int(cx) + reach); ++x) {
            double v = 0.0;
            for (int k = 0; k < 9; ++k) {
                const double dx = x + (k % 3 - 1) / 3.0 - cx, dy = (y + (k / 3 - 1) / 3.0 - cy) / axisRatio;
                v += std::pow(1.0 + (dx * dx + dy * dy) / (alpha * alpha), -beta);
            }
            image.at<float>(y, x) += static_cast<float>(flux * norm * v / 9.0);
        }
    }
}

Band field(int side, int stars, int galaxies, double fwhm, double beta, bool withMask = false) {
    cv::Mat image(side, side, CV_32F);
    Random random(42);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            image.at<float>(y, x) = static_cast<float>(random.normal(100.0, 5.0));
        }
    }
    cv::Mat mask = cv::Mat::zeros(side, side, CV_32S);
    for (int i = 0; i < stars; ++i) {
        addMoffat(image, random.uniform(0, side), random.uniform(0, side), 4000 * std::pow(30.0, random.uniform()),
                  fwhm, beta);
    }
    for (int i = 0; i < galaxies; ++i) {
        addMoffat(image, random.uniform(0, side), random.uniform(0, side), 4000 * std::pow(30.0, random.uniform()),
                  fwhm * random.uniform(1.25, 3.5), beta, random.uniform(0.5, 1.0));
    }
    for (int i = 0; i < 60; ++i) { // cosmic rays: one pixel
        image.at<float>(random.integer(0, side - 1), random.integer(0, side - 1)) += 3000;
    }
    // A saturated star: flat core and a trail.
    if (withMask) {
        for (int y = 0; y < side; ++y) {
            for (int x = side / 2 - 2; x <= side / 2 + 2; ++x) {
                image.at<float>(y, x) = 60000;
                mask.at<int>(y, x) = 1;
            }
        }
    }
    Band band;
    band.image = std::make_shared<MemoryPlane>(image);
    if (withMask) {
        band.mask = std::make_shared<MemoryPlane>(mask);
        band.maskNames.insert(QStringLiteral("SAT"), 0);
    }
    return band;
}

} // namespace

class TestStarPsf : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void recoversThePsf_data() {
        QTest::addColumn<double>("fwhm");
        QTest::addColumn<double>("beta");
        QTest::addColumn<int>("galaxies");
        QTest::newRow("stars only") << 3.5 << 2.5 << 0;
        QTest::newRow("more galaxies than stars") << 3.5 << 2.5 << 70;
        QTest::newRow("narrow") << 2.3 << 3.0 << 30;
        QTest::newRow("broad") << 6.0 << 3.5 << 20;
    }
    void recoversThePsf() {
        QFETCH(double, fwhm);
        QFETCH(double, beta);
        QFETCH(int, galaxies);
        const auto found = estimateStarPsf(field(640, 40, galaxies, fwhm, beta, true));
        QVERIFY(found);
        QVERIFY(found->stars >= 8);
        QCOMPARE(found->psf.origin, Psf::Origin::Stars);
        const Psf truth = Psf::moffat(fwhm, beta);
        QVERIFY2(std::abs(found->psf.fwhmPixels / truth.fwhmPixels - 1.0) < 0.05,
                 qPrintable(QStringLiteral("%1, not %2").arg(found->psf.fwhmPixels).arg(truth.fwhmPixels)));
        QVERIFY(std::abs(cv::sum(found->psf.image)[0] - 1.0) < 1e-5);
        // Light inside one FWHM, relative to that inside two: the shape, not only the width.
        const auto inside = [](const cv::Mat& m, double r) {
            double sum = 0.0;
            for (int y = 0; y < m.rows; ++y) {
                for (int x = 0; x < m.cols; ++x) {
                    if (std::hypot(x - m.cols / 2, y - m.rows / 2) <= r) sum += m.at<float>(y, x);
                }
            }
            return sum;
        };
        const double mine = inside(found->psf.image, fwhm) / inside(found->psf.image, 2 * fwhm);
        const double theirs = inside(truth.image, fwhm) / inside(truth.image, 2 * fwhm);
        QVERIFY2(std::abs(mine - theirs) < 0.03, qPrintable(QStringLiteral("%1, not %2").arg(mine).arg(theirs)));
    }

    void saysNothingWithoutStars() {
        QVERIFY(!estimateStarPsf(field(256, 0, 0, 3.0, 2.5)));
        Band flat;
        flat.image = std::make_shared<MemoryPlane>(cv::Mat(200, 200, CV_32F, cv::Scalar(7)));
        QVERIFY(!estimateStarPsf(flat));
        flat.image = std::make_shared<MemoryPlane>(cv::Mat(100, 100, CV_32F, cv::Scalar(std::nan(""))));
        QVERIFY(!estimateStarPsf(flat));
        flat.image = std::make_shared<MemoryPlane>(cv::Mat(3, 3, CV_32F, cv::Scalar(1)));
        QVERIFY(!estimateStarPsf(flat));
    }

    void sameAnswerTwice() {
        const Band band = field(400, 25, 10, 3.0, 2.5);
        const auto a = estimateStarPsf(band), b = estimateStarPsf(band);
        QVERIFY(a && b);
        QCOMPARE(cv::norm(a->psf.image, b->psf.image, cv::NORM_INF), 0.0);
    }
};

QTEST_APPLESS_MAIN(TestStarPsf)
#include "tst_StarPsf.moc"
