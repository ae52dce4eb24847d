#include "core/Random.h"
#include "deblend/DifferenceKernel.h"
#include "deblend/GaussianMixture.h"
#include "deblend/Monotonic.h"
#include "deblend/Nnls.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

using namespace blendscope;

namespace {

cv::Mat moffat(int size, double fwhm, double beta, double stretch = 1.0) {
    cv::Mat out(size, size, CV_32F);
    const double a = fwhm / (2.0 * std::sqrt(std::pow(2.0, 1.0 / beta) - 1.0));
    const int c = (size - 1) / 2;
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x) {
            const double dx = (x - c) * stretch, dy = (y - c) / stretch;
            out.at<float>(y, x) = float(std::pow(1.0 + (dx * dx + dy * dy) / (a * a), -beta));
        }
    }
    return out / cv::sum(out)[0];
}

double difference(const cv::Mat& a, const cv::Mat& b) {
    double top = 0.0;
    cv::minMaxLoc(b, nullptr, &top);
    return cv::norm(a, b, cv::NORM_INF) / top;
}

} // namespace

/// The blocks of model-based deblending, each against what can be known without it.
class TestModelFit : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nnlsFindsTheBestFeasiblePoint() {
        Random random(3);
        Nnls nnls;
        for (int trial = 0; trial < 200; ++trial) {
            const int n = random.integer(1, 12), rows = n + random.integer(0, 10);
            std::vector<double> a(std::size_t(rows) * n), y(static_cast<std::size_t>(rows));
            for (double& v : a)
                v = random.normal();
            for (double& v : y)
                v = random.normal();
            std::vector<double> gram(std::size_t(n) * n, 0.0), rhs(static_cast<std::size_t>(n), 0.0), x;
            for (int r = 0; r < rows; ++r) {
                for (int i = 0; i < n; ++i) {
                    rhs[i] += a[std::size_t(r) * n + i] * y[r];
                    for (int j = 0; j < n; ++j) {
                        gram[std::size_t(i) * n + j] += a[std::size_t(r) * n + i] * a[std::size_t(r) * n + j];
                    }
                }
            }
            nnls.solve(gram, rhs, n, x);
            // Karush-Kuhn-Tucker: gradient zero where positive, not downhill where zero.
            for (int i = 0; i < n; ++i) {
                double g = rhs[i];
                for (int j = 0; j < n; ++j)
                    g -= gram[std::size_t(i) * n + j] * x[j];
                QVERIFY(x[i] >= 0.0);
                if (x[i] > 0.0) {
                    QVERIFY(std::abs(g) < 1e-4 * gram[std::size_t(i) * n + i]);
                } else {
                    QVERIFY(g < 1e-4 * gram[std::size_t(i) * n + i]);
                }
            }
        }
    }

    void nnlsSurvivesEqualAndEmptyColumns() {
        Nnls nnls;
        std::vector<double> x;
        nnls.solve({2, 2, 0, 2, 2, 0, 0, 0, 0}, {4, 4, 0}, 3, x);
        QVERIFY(std::abs(x[0] + x[1] - 2.0) < 1e-3);
        QCOMPARE(x[2], 0.0);
        const double nan = std::numeric_limits<double>::quiet_NaN();
        x.clear();
        nnls.solve({nan, 0, 0, 1}, {nan, 3}, 2, x);
        QCOMPARE(x[0], 0.0);
        QVERIFY(std::abs(x[1] - 3.0) < 1e-5);
    }

    void monotonicLeavesFallingImagesAlone() {
        for (const double stretch : {1.0, 1.6}) {
            const cv::Mat falling = moffat(31, 5.0, 2.5, stretch);
            cv::Mat image = falling.clone();
            Monotonic::apply(image, 15, 15);
            QVERIFY(difference(image, falling) < 0.02); // a stretched ellipse falls between the pixels of a ray
            if (stretch == 1.0) QVERIFY(difference(image, falling) < 1e-3);
        }
    }

    void monotonicTakesTheNeighbourOut() {
        Random random(5);
        cv::Mat image = moffat(41, 4.0, 3.0) * 100.0;
        cv::Mat neighbour = cv::Mat::zeros(41, 41, CV_32F);
        moffat(21, 4.0, 3.0).copyTo(neighbour(cv::Rect(20, 12, 21, 21)));
        image += neighbour * 80.0;
        for (int y = 0; y < 41; ++y) {
            for (int x = 0; x < 41; ++x)
                image.at<float>(y, x) += float(random.normal(0.0, 0.05));
        }
        const cv::Mat before = image.clone();
        Monotonic::apply(image, 20, 20);
        QVERIFY(Monotonic::holds(image, 20, 20, 1e-6f));
        QCOMPARE(cv::countNonZero(image > before), 0); // only ever takes light
        const cv::Mat once = image.clone();
        Monotonic::apply(image, 20, 20);
        QCOMPARE(cv::norm(image, once, cv::NORM_INF), 0.0); // doing it again changes nothing
        QVERIFY(image.at<float>(22, 30) < 0.2f * before.at<float>(22, 30));
    }

    void monotonicTakesAnyCentre() {
        cv::Mat image = moffat(9, 3.0, 2.5);
        for (const cv::Point c : {cv::Point(0, 0), cv::Point(8, 3), cv::Point(-5, 20)}) {
            cv::Mat copy = image.clone();
            Monotonic::apply(copy, c.x, c.y);
            QVERIFY(Monotonic::holds(copy, c.x, c.y, 1e-7f));
        }
        cv::Mat row(1, 7, CV_32F, cv::Scalar(1)), empty;
        Monotonic::apply(row, 3, 0);
        Monotonic::apply(empty, 0, 0);
        QCOMPARE(cv::countNonZero(row == 1.0f), 7);
    }

    void kernelTakesOnePsfToAnother_data() {
        QTest::addColumn<double>("fwhm");
        QTest::addColumn<double>("stretch");
        QTest::addRow("a little wider") << 3.2 << 1.0;
        QTest::addRow("twice as wide") << 5.0 << 1.0;
        QTest::addRow("elliptical") << 4.5 << 1.12;
        QTest::addRow("the same") << 2.5 << 1.0;
    }
    void kernelTakesOnePsfToAnother() {
        QFETCH(double, fwhm);
        QFETCH(double, stretch);
        const cv::Mat from = moffat(41, 2.5, 2.5), to = moffat(41, fwhm, 2.5, stretch);
        const DifferenceKernel kernel(from, to);
        cv::Mat out;
        kernel.convolve(from, out);
        QVERIFY2(difference(out, to) < 0.01, qPrintable(QString::number(difference(out, to))));
        QVERIFY(std::abs(cv::sum(kernel.image())[0] - 1.0) < 1e-4);
        QVERIFY(kernel.terms() <= 8);
        // From a narrow Gaussian, as the factorization does it.
        const cv::Mat frame = GaussianPsf::gaussian(1.5).image(41);
        const DifferenceKernel fromFrame(frame, to);
        fromFrame.convolve(frame, out);
        QVERIFY2(difference(out, to) < 0.01, qPrintable(QString::number(difference(out, to))));
    }

    void kernelToANoisyPsfStaysSmooth() {
        const cv::Mat from = GaussianPsf::gaussian(2.5).image(41), clean = moffat(41, 4.5, 3.0);
        double peak = 0.0;
        cv::minMaxLoc(clean, nullptr, &peak);
        cv::Mat to = clean.clone();
        Random random(5);
        for (int y = 0; y < to.rows; ++y) {
            for (int x = 0; x < to.cols; ++x)
                to.at<float>(y, x) += float(random.normal(0.0, 0.003 * peak));
        }
        QVERIFY(!DifferenceKernel(from, clean).damped());
        const DifferenceKernel kernel(from, to);
        QVERIFY(kernel.damped());
        cv::Mat out;
        kernel.convolve(from, out);
        QVERIFY2(difference(out, clean) < 0.03, qPrintable(QString::number(difference(out, clean))));
    }

    void correlationIsTheTransposeOfConvolution() {
        Random random(9);
        cv::Mat a(30, 37, CV_32F), b(30, 37, CV_32F), ka, kb;
        for (int y = 0; y < a.rows; ++y) {
            for (int x = 0; x < a.cols; ++x) {
                a.at<float>(y, x) = float(random.normal());
                b.at<float>(y, x) = float(random.normal());
            }
        }
        cv::Mat skew = moffat(21, 4.0, 2.5, 1.3);
        cv::Mat shifted = cv::Mat::zeros(21, 21, CV_32F);
        skew(cv::Rect(0, 0, 20, 21)).copyTo(shifted(cv::Rect(1, 0, 20, 21)));
        const DifferenceKernel kernel(moffat(21, 2.0, 2.5), shifted);
        kernel.convolve(a, ka);
        kernel.correlate(b, kb);
        QVERIFY(std::abs(ka.dot(b) - a.dot(kb)) < 1e-4 * cv::norm(a) * cv::norm(b));
    }

    void kernelOfNothingIsTheIdentity() {
        const cv::Mat image = moffat(15, 3.0, 2.5);
        cv::Mat out;
        DifferenceKernel(cv::Mat(), image).convolve(image, out);
        QCOMPARE(cv::norm(out, image, cv::NORM_INF), 0.0);
        DifferenceKernel(cv::Mat::zeros(5, 5, CV_32F), image).convolve(image, out);
        QCOMPARE(cv::norm(out, image, cv::NORM_INF), 0.0);
    }

    void mixtureFollowsThePsf_data() {
        QTest::addColumn<double>("fwhm");
        QTest::addColumn<double>("beta");
        QTest::addColumn<double>("stretch");
        QTest::addRow("narrow") << 2.2 << 3.0 << 1.0;
        QTest::addRow("moffat") << 4.0 << 2.5 << 1.0;
        QTest::addRow("wings") << 4.0 << 3.5 << 1.0;
        QTest::addRow("elliptical") << 5.0 << 2.5 << 1.08;
    }
    void mixtureFollowsThePsf() {
        QFETCH(double, fwhm);
        QFETCH(double, beta);
        QFETCH(double, stretch);
        const cv::Mat psf = moffat(41, fwhm, beta, stretch);
        const GaussianPsf mixture = GaussianPsf::fit(psf, 3.0);
        QVERIFY(difference(mixture.image(41), psf) < 0.02);
        QVERIFY(std::abs(cv::sum(mixture.image(201))[0] - 1.0) < 2e-3);
    }

    void mixtureOfABrokenPsfIsAGaussian() {
        cv::Mat broken(11, 11, CV_32F, cv::Scalar(std::numeric_limits<float>::quiet_NaN()));
        for (const cv::Mat& psf : {broken, cv::Mat(), cv::Mat(cv::Mat::zeros(11, 11, CV_32F))}) {
            const GaussianPsf mixture = GaussianPsf::fit(psf, 4.0);
            QCOMPARE(mixture.terms.size(), std::size_t(1));
            QCOMPARE(mixture.fwhmPixels, 4.0);
        }
    }

    void profilesHoldTheirLight() {
        for (const auto* terms : {&exponentialGaussians(), &deVaucouleursGaussians()}) {
            double total = 0.0, half = 0.0;
            for (const GaussianTerm& t : *terms) {
                total += t.amplitude;
                half += t.amplitude * (1.0 - std::exp(-0.5 / t.variance));
            }
            QVERIFY(std::abs(total - 1.0) < 1e-3);
            QVERIFY(std::abs(half - 0.5) < 5e-3);
        }
    }
};

QTEST_APPLESS_MAIN(TestModelFit)
#include "tst_ModelFit.moc"
