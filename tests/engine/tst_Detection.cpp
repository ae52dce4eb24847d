#include "core/Random.h"
#include "detect/PeakTree.h"
#include "detect/Positions.h"
#include "detect/Spans.h"
#include "image/Convolve.h"

#include <QTest>
#include <cmath>
#include <opencv2/imgproc.hpp>

using namespace blendscope;

namespace {

Scene flatScene(int width, int height) {
    Scene scene;
    scene.size = {width, height};
    Band band;
    band.name = QStringLiteral("r");
    band.image = std::make_shared<MemoryPlane>(cv::Mat(height, width, CV_32F, cv::Scalar(1.0f)));
    band.variance = std::make_shared<ConstantPlane>(scene.size, 1.0f);
    scene.bands.push_back(band);
    return scene;
}

cv::Mat gaussian(int width, int height, double x0, double y0, double sigma, double peak) {
    cv::Mat out(height, width, CV_32F);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const double r2 = (x - x0) * (x - x0) + (y - y0) * (y - y0);
            out.at<float>(y, x) = static_cast<float>(peak * std::exp(-0.5 * r2 / (sigma * sigma)));
        }
    }
    return out;
}

} // namespace

class TestDetection : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void spansConnectAsComponentsDo() {
        Random random(1);
        for (int trial = 0; trial < 20; ++trial) {
            cv::Mat mask = cv::Mat::zeros(40, 50, CV_8U);
            for (int i = 0; i < 600; ++i) {
                mask.at<uchar>(random.integer(0, 39), random.integer(0, 49)) = 255;
            }
            const Footprint all = Footprint::fromMask(mask, 0, 0);
            std::vector<int> owner;
            const std::vector<Footprint> parts = connectSpans(all.spans, &owner);
            cv::Mat labels;
            QCOMPARE(int(parts.size()), cv::connectedComponents(mask, labels, 8) - 1);
            long long area = 0;
            for (const Footprint& f : parts) {
                area += f.area();
                const int label = labels.at<int>(f.spans.front().y, f.spans.front().x0);
                QCOMPARE(cv::countNonZero(labels == label), int(f.area()));
            }
            QCOMPARE(area, static_cast<long long>(cv::countNonZero(mask)));
            for (std::size_t i = 0; i < owner.size(); ++i) {
                QVERIFY(parts[owner[i]].contains(all.spans[i].x0, all.spans[i].y));
            }
        }
    }

    void overlappingSpansUnite() {
        const std::vector<Footprint> f = connectSpans({{5, 10, 20}, {4, 0, 10}, {5, 15, 30}, {5, 30, 31}, {9, 1, 2}});
        QCOMPARE(f.size(), std::size_t(2));
        QCOMPARE(f[0].area(), 31ll);
        QCOMPARE(f[0].box, (Box{0, 4, 31, 2}));
        QVERIFY(connectSpans({}).empty());
    }

    void discs() {
        const Box all{0, 0, 20, 20};
        long long area = 0;
        for (const Span& s : discSpans(10.0, 10.0, 5.0, all)) {
            area += s.x1 - s.x0;
        }
        QVERIFY(std::abs(double(area) - 3.14159 * 25) < 8);
        QCOMPARE(discSpans(-0.4, 19.4, 0.0, all).size(), std::size_t(1));
        QVERIFY(discSpans(qQNaN(), 3.0, 2.0, all).empty());
        QVERIFY(discSpans(-50.0, 3.0, 2.0, all).empty());
    }

    void peakTreeKnowsSaddles() {
        const cv::Mat image = gaussian(60, 40, 20.0, 20.0, 4.0, 100.0) + gaussian(60, 40, 36.0, 20.0, 4.0, 50.0);
        const std::vector<TreePeak> peaks = findPeaks(image, cv::Mat::ones(image.size(), CV_8U));
        QCOMPARE(peaks.size(), std::size_t(2));
        QVERIFY(peaks[0].highest && !peaks[1].highest);
        QCOMPARE(peaks[0].x, 20);
        QCOMPARE(peaks[1].x, 36);
        float saddle = 1e9f;
        for (int x = 20; x <= 36; ++x) {
            saddle = std::min(saddle, image.at<float>(20, x));
        }
        QCOMPARE(peaks[1].saddle, saddle);
        QVERIFY(peaks[1].excess > 0.0);
    }

    void peakTreeOnPlateausAndNothing() {
        const cv::Mat flat(10, 10, CV_32F, cv::Scalar(3.0f));
        const cv::Mat all = cv::Mat::ones(flat.size(), CV_8U);
        QCOMPARE(findPeaks(flat, all).size(), std::size_t(1));
        QVERIFY(findPeaks(flat, cv::Mat::zeros(flat.size(), CV_8U)).empty());
        QVERIFY(findPeaks(cv::Mat(5, 5, CV_32F, cv::Scalar(kNan)), cv::Mat::ones(5, 5, CV_8U)).empty());
    }

    void refinedPeakFindsTheCentre() {
        for (const double d : {-0.4, 0.0, 0.3}) {
            const cv::Point2d p = refinedPeak(gaussian(21, 21, 10.0 + d, 10.0 - d, 2.5, 7.0), 10, 10);
            QVERIFY(std::abs(p.x - 10.0 - d) < 0.03 && std::abs(p.y - 10.0 + d) < 0.03);
        }
        QCOMPARE(refinedPeak(cv::Mat::ones(1, 1, CV_32F), 0, 0), cv::Point2d(0, 0));
    }

    void separableKernelsCorrelate() {
        Random random(2);
        cv::Mat image(30, 40, CV_32F), kernel(7, 7, CV_32F), wanted;
        for (int i = 0; i < 1200; ++i) {
            image.at<float>(i / 40, i % 40) = float(random.normal());
        }
        for (int i = 0; i < 49; ++i) {
            kernel.at<float>(i / 7, i % 7) = float(random.uniform());
        }
        cv::filter2D(image, wanted, CV_32F, kernel, cv::Point(-1, -1), 0.0, cv::BORDER_CONSTANT);
        const cv::Mat got = SeparableKernel::of(kernel, 0.0, 7).correlate(image);
        QVERIFY(cv::norm(got, wanted, cv::NORM_INF) < 1e-4);
        // A round Gaussian is a product already.
        QCOMPARE(SeparableKernel::of(gaussian(15, 15, 7, 7, 2.0, 1.0)).terms(), 1);
    }

    void positionsReplacePeaks() {
        const Scene scene = flatScene(100, 80);
        Result result;
        std::vector<Footprint> f = connectSpans({{20, 20, 40}, {21, 20, 40}, {60, 60, 70}});
        f[0].peaks = {{30, 20, 9.0f, -1}};
        f[1].peaks = {{65, 60, 9.0f, -1}};
        result.footprints = f;
        const std::vector<PixelPosition> at = {{25, 20.4}, {38, 21},     {80, 10}, {82, 11},
                                               {-30, 5},   {qQNaN(), 5}, {40, 25}};
        usePositions(scene, result, at);
        // The detected footprint without a position is gone; the last position's disc touches the first footprint.
        QCOMPARE(result.footprints.size(), std::size_t(2));
        std::vector<int> seen;
        int id = 0;
        for (const Footprint& g : result.footprints) {
            QCOMPARE(g.id, ++id);
            QVERIFY(!g.peaks.empty());
            float last = std::numeric_limits<float>::max();
            for (const Peak& p : g.peaks) {
                seen.push_back(p.position);
                QVERIFY(g.contains(int(std::lround(p.x)), int(std::lround(p.y))));
                QVERIFY(p.significance <= last);
                last = p.significance;
                QCOMPARE(p.significance > 0.0f, p.position < 2);
                QCOMPARE(p.x, at[p.position].x);
            }
        }
        std::sort(seen.begin(), seen.end());
        QCOMPARE(seen, (std::vector<int>{0, 1, 2, 3, 6}));
        usePositions(scene, result, {});
        QVERIFY(result.footprints.empty());
    }
};

QTEST_APPLESS_MAIN(TestDetection)
#include "tst_Detection.moc"
