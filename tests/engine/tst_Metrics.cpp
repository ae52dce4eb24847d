#include "core/Random.h"
#include "judge/Bootstrap.h"
#include "judge/ImageMetrics.h"
#include "judge/PrecisionRecall.h"
#include "judge/Reliability.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

bool near(double a, double b, double tolerance = 1e-9) {
    return std::abs(a - b) <= tolerance;
}

} // namespace

/// Each number against a value worked out by hand.
class TestMetrics : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void robustStatistics() {
        QCOMPARE(medianOf({3, 1, 2}), 2.0);
        QCOMPARE(medianOf({4, 1, 2, 3}), 2.5);
        QVERIFY(std::isnan(medianOf({})));
        QCOMPARE(medianOf({1, std::nan(""), 3}), 2.0);
        // Distances from the median 3 are 2, 1, 0, 1, 97: their median is 1.
        QVERIFY(near(scatterOf({1, 2, 3, 4, 100}), 1.4826));
    }

    void bootstrapCountsWhatItSays() {
        UnitSample sample;
        Random random(5);
        constexpr int units = 400;
        std::vector<double> values;
        for (int u = 0; u < units; ++u) {
            for (int k = 0; k < 3; ++k) {
                values.push_back(random.normal(2.0, 1.0));
                sample.add(values.back(), u);
            }
        }
        sample.add(std::nan(""), 0);
        const Bootstrap bootstrap(units, 400);
        const Estimate mean = bootstrap.mean(sample), median = bootstrap.median(sample);
        const Estimate scatter = bootstrap.scatter(sample);
        QCOMPARE(mean.count, 3 * units);
        QVERIFY(near(median.value, medianOf(values)) && near(scatter.value, scatterOf(values)));
        // Standard errors of 1200 normal values: 1 / sqrt n of the mean, 1.2533 times that of the median, 1.17 of the
        // MAD.
        const double unit = 1.0 / std::sqrt(3.0 * units);
        QVERIFY2(near(mean.error, unit, 0.15 * unit), qPrintable(QString::number(mean.error / unit)));
        QVERIFY2(near(median.error, 1.2533 * unit, 0.3 * unit), qPrintable(QString::number(median.error / unit)));
        QVERIFY2(near(scatter.error, 1.17 * unit, 0.3 * unit), qPrintable(QString::number(scatter.error / unit)));
        // The same draws every time and for every number.
        QCOMPARE(Bootstrap(units, 400).median(sample).replicates, median.replicates);
        // Correlated values count as what they are: three copies are no better than one.
        UnitSample copies, singles;
        for (int u = 0; u < units; ++u) {
            const double v = random.normal();
            singles.add(v, u);
            for (int k = 0; k < 3; ++k) {
                copies.add(v, u);
            }
        }
        QVERIFY(near(bootstrap.mean(copies).error, bootstrap.mean(singles).error, 1e-12));
        QVERIFY(std::isnan(Bootstrap(2).mean(UnitSample()).error));
        UnitSample one;
        one.add(3.0, 0);
        QVERIFY(std::isnan(bootstrap.scatter(one).value) && near(bootstrap.median(one).value, 3.0));
    }

    void bootstrapOfRatio() {
        const Bootstrap bootstrap(4, 50);
        const Estimate r = bootstrap.ratio({1, 2, 0, 1}, {2, 2, 1, 3});
        QCOMPARE(r.value, 0.5);
        QCOMPARE(r.count, 8);
        QVERIFY(r.error > 0.0);
        QVERIFY(std::isnan(bootstrap.ratio({0, 0, 0, 0}, {0, 0, 0, 0}).value));
    }

    void exponents() {
        // t = 3 p^0.25 n^0.75
        std::vector<double> p, n, t;
        for (const double a : {1.0, 2.0, 4.0}) {
            for (const double b : {1.0, 3.0, 9.0}) {
                p.push_back(std::log(a));
                n.push_back(std::log(b));
                t.push_back(std::log(3.0) + 0.25 * std::log(a) + 0.75 * std::log(b));
            }
        }
        const std::vector<double> c = linearFit({p, n}, t);
        QCOMPARE(c.size(), size_t(3));
        QVERIFY(near(c[0], 0.25) && near(c[1], 0.75) && near(c[2], std::log(3.0)));
        QVERIFY(linearFit({p, p}, t).empty()); // nothing can tell the two apart
    }

    void images() {
        cv::Mat truth = cv::Mat::zeros(9, 9, CV_32F);
        truth.at<float>(4, 4) = 4.0f;
        truth.at<float>(4, 5) = 2.0f;
        const ImageMetrics same = compareImages(truth, truth, 4, 4);
        QVERIFY(near(same.correlation, 1.0) && near(same.ssim, 1.0) && near(same.ssimOwnNear, 1.0));
        QVERIFY(near(same.msr, 0.0) && near(same.fluxError, 0.0) && near(same.psnr, 200.0)); // of the least square

        // Half the light: blind to it are the correlation and the numbers on own ranges.
        const ImageMetrics half = compareImages(0.5 * truth, truth, 4, 4);
        QVERIFY(near(half.correlation, 1.0) && near(half.psnrOwn, 200.0) && near(half.ssimOwn, 1.0));
        QVERIFY(near(half.fluxError, -0.5));
        // Residuals 2 and 1 in 81 pixels, range 4: mean square 5 / 81, PSNR = 10 log10(16 * 81 / 5).
        QVERIFY(near(half.msr, 5.0 / 81.0));
        QVERIFY(near(half.psnr, 10.0 * std::log10(16.0 * 81.0 / 5.0), 1e-6));
        QVERIFY(half.ssim < 0.99);

        // Light in the wrong pixel: correlation 2 x 2 / (sqrt(20) x 2).
        cv::Mat other = cv::Mat::zeros(9, 9, CV_32F);
        other.at<float>(4, 5) = 2.0f;
        other.at<float>(0, 0) = std::numeric_limits<float>::quiet_NaN();
        other.at<float>(1, 1) = -5.0f;
        QVERIFY(near(compareImages(other, truth, 4, 4).correlation, 4.0 / (std::sqrt(20.0) * 2.0), 1e-6));

        const ImageMetrics empty = compareImages(cv::Mat::zeros(9, 9, CV_32F), truth, 4, 4);
        QCOMPARE(empty.correlation, 0.0);
        QVERIFY(near(empty.fluxError, -1.0) && std::isnan(empty.psnrOwn) && std::isfinite(empty.psnr));
    }

    void structuralSimilarityByHand() {
        // One window. a: a single pixel of 1 in 49; b: of 0.5. Means 1/49 and 1/98; sample variances and covariance of
        // values v and 0: (v^2 - v^2 / 49) / 48 and so on.
        cv::Mat a = cv::Mat::zeros(7, 7, CV_64F), b = a.clone();
        a.at<double>(3, 3) = 1.0;
        b.at<double>(3, 3) = 0.5;
        const double ma = 1.0 / 49, mb = 0.5 / 49, k = (1.0 - 1.0 / 49) / 48;
        const double va = k, vb = 0.25 * k, vab = 0.5 * k, c1 = 1e-4, c2 = 9e-4;
        const double expected = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
        QVERIFY2(near(structuralSimilarity(a, b), expected, 1e-9), qPrintable(QString::number(expected)));
        QVERIFY(std::isnan(structuralSimilarity(cv::Mat::zeros(6, 6, CV_64F), cv::Mat::zeros(6, 6, CV_64F))));
    }

    void averagePrecisionByHand() {
        // Four asked; detections by confidence: right, wrong, right, right (IoU 0.6 only), and one spent on a faint
        // one.
        OverlapScene s;
        s.confidence = {9, 8, 7, 6, 5};
        s.asked = {true, true, true, true, false};
        s.overlaps = {{0, 0, 0.9}, {2, 1, 0.8}, {3, 2, 0.6}, {4, 4, 0.9}};
        const PrecisionRecallCurve loose = PrecisionRecall({s}, 0.5).curve();
        QCOMPARE(loose.recall, (std::vector<double>{0.25, 0.25, 0.5, 0.75}));
        // Precisions 1, 1/2, 2/3, 3/4 made monotonic: 1, 3/4, 3/4, 3/4. Recalls 0..0.25 (26 of 101) at 1, 0.26..0.75
        // (50) at 3/4.
        QVERIFY(near(loose.precision[0], 1.0) && near(loose.precision[1], 0.75));
        QVERIFY2(near(loose.averagePrecision, (26 * 1.0 + 50 * 0.75) / 101.0),
                 qPrintable(QString::number(loose.averagePrecision)));
        const PrecisionRecallCurve strict = PrecisionRecall({s}, 0.75).curve();
        QVERIFY(near(strict.averagePrecision, (26 * 1.0 + 25 * 2.0 / 3.0) / 101.0));
        // Two detections of one object: the second is wrong.
        OverlapScene twice;
        twice.confidence = {1, 2};
        twice.asked = {true};
        twice.overlaps = {{0, 0, 0.9}, {1, 0, 0.7}};
        QVERIFY(near(PrecisionRecall({twice}, 0.5).curve().averagePrecision, 1.0));
        QCOMPARE(PrecisionRecall({twice}, 0.5).curve().precision.back(), 0.5);
        QVERIFY(near(PrecisionRecall({twice}, 0.8).curve().averagePrecision, 0.5));
        QVERIFY(std::isnan(PrecisionRecall({OverlapScene{}}, 0.5).curve().averagePrecision));
        // A scene drawn twice is two scenes.
        QVERIFY(near(PrecisionRecall({s, twice}, 0.5).curve({2, 0}).averagePrecision,
                     PrecisionRecall({s, s}, 0.5).curve().averagePrecision));
    }

    void reliabilityByHand() {
        // Bin 0.1..0.2 holds 0.12 and 0.18, one came true; bin 0.9..1 holds 0.9 and 1, both did.
        const Reliability r =
            reliabilityOf({{0.12, false}, {0.18, true}, {0.9, true}, {1.0, true}, {std::nan(""), true}});
        QCOMPARE(r.count, 4);
        QVERIFY(near(r.bins[1].meanProbability, 0.15) && near(r.bins[1].frequency, 0.5));
        QVERIFY(near(r.bins[9].meanProbability, 0.95) && near(r.bins[9].frequency, 1.0));
        // |0.15 - 0.5| x 2/4 + |0.95 - 1| x 2/4
        QVERIFY(near(r.calibrationError, 0.2));
        QVERIFY(near(r.brier, (0.0144 + 0.6724 + 0.01 + 0.0) / 4.0));
        QVERIFY(std::isnan(reliabilityOf({}).calibrationError));
    }

    void honestProbabilitiesAreCalibrated() {
        Random random(2);
        std::vector<Forecast> honest, bold;
        for (int i = 0; i < 20000; ++i) {
            const double p = random.uniform();
            const bool happened = random.uniform() < p;
            honest.push_back({p, happened});
            bold.push_back({p > 0.5 ? 1.0 : 0.0, happened});
        }
        QVERIFY(reliabilityOf(honest).calibrationError < 0.015);
        QVERIFY(near(reliabilityOf(bold).calibrationError, 0.25, 0.02));
    }

    void integralTransform() {
        QVERIFY(near(gaussianPit(5.0, 1.0, 5.0), 0.5));
        QVERIFY(near(gaussianPit(5.0, 2.0, 7.0), 0.841344746, 1e-8)); // the truth one sigma above
        QVERIFY(std::isnan(gaussianPit(5.0, 0.0, 7.0)));
        QVERIFY(near(distanceFromUniform({0.25, 0.75}), 0.25));
        QVERIFY(near(distanceFromUniform({0.0, 0.0}), 1.0));
        Random random(8);
        std::vector<double> honest, bold;
        for (int i = 0; i < 4000; ++i) {
            const double x = random.normal();
            honest.push_back(gaussianPit(x, 1.0, 0.0));
            bold.push_back(gaussianPit(x, 0.4, 0.0));
        }
        QVERIFY(distanceFromUniform(honest) < 0.03);
        QVERIFY(distanceFromUniform(bold) > 0.15);
    }
};

QTEST_APPLESS_MAIN(TestMetrics)
#include "tst_Metrics.moc"
