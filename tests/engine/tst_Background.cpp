#include "core/Random.h"
#include "image/Background.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

cv::Mat noise(int width, int height, double sigma, std::uint64_t seed) {
    Random random(seed);
    cv::Mat out(height, width, CV_32F);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            out.at<float>(y, x) = static_cast<float>(random.normal(0.0, sigma));
        }
    }
    return out;
}

void addSources(cv::Mat& image, int count, double peak, double sigma, std::uint64_t seed) {
    Random random(seed);
    for (int k = 0; k < count; ++k) {
        const double cx = random.uniform(0, image.cols), cy = random.uniform(0, image.rows);
        const double height = peak * random.exponential();
        const int reach = static_cast<int>(5 * sigma);
        for (int y = std::max(0, int(cy) - reach); y < std::min(image.rows, int(cy) + reach); ++y) {
            for (int x = std::max(0, int(cx) - reach); x < std::min(image.cols, int(cx) + reach); ++x) {
                const double r2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
                image.at<float>(y, x) += static_cast<float>(height * std::exp(-0.5 * r2 / (sigma * sigma)));
            }
        }
    }
}

} // namespace

class TestBackground : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void flatSky() {
        cv::Mat image = noise(512, 512, 5.0, 1) + 100.0f;
        const auto sky = Background::measure(MemoryPlane(image));
        QVERIFY(std::abs(sky->globalLevel() - 100.0f) < 0.1f);
        QVERIFY(std::abs(sky->globalRms() / 5.0f - 1.0f) < 0.01f);
        QVERIFY(sky->looksUnsubtracted());
        QVERIFY(!sky->isZero());
    }

    void gradientIsFollowed() {
        cv::Mat image = noise(600, 400, 4.0, 2);
        cv::Mat truth(image.size(), CV_32F);
        for (int y = 0; y < image.rows; ++y) {
            for (int x = 0; x < image.cols; ++x) {
                truth.at<float>(y, x) = static_cast<float>(500.0 + 0.1 * x - 0.05 * y + 10.0 * std::sin(x / 200.0));
            }
        }
        image += truth;
        addSources(image, 150, 200.0, 2.0, 3);
        const auto sky = Background::measure(MemoryPlane(image));
        const cv::Mat difference = sky->level(Box::of(image.size())) - truth;
        double sum = 0.0, worst = 0.0;
        for (int y = 0; y < image.rows; ++y) {
            for (int x = 0; x < image.cols; ++x) {
                sum += difference.at<float>(y, x);
                worst = std::max(worst, std::abs(double(difference.at<float>(y, x))));
            }
        }
        QVERIFY2(std::abs(sum / double(image.total())) < 0.5, qPrintable(QString::number(sum / double(image.total()))));
        QVERIFY2(worst < 4.0, qPrintable(QString::number(worst)));
        // A part is the same as cut from the whole.
        const Box part{100, 50, 37, 41};
        const cv::Mat whole = sky->level(Box::of(image.size()))(part.rect());
        QCOMPARE(cv::countNonZero(whole != sky->level(part)), 0);
    }

    void badPixelsTakeNoPart() {
        cv::Mat image = noise(256, 256, 1.0, 4) + 10.0f, variance(256, 256, CV_32F, cv::Scalar(1.0f));
        cv::Mat bits = cv::Mat::zeros(256, 256, CV_32S);
        image(cv::Rect(0, 0, 128, 64)).setTo(std::numeric_limits<float>::quiet_NaN());
        image(cv::Rect(0, 64, 128, 64)).setTo(1e30f);
        variance(cv::Rect(0, 64, 128, 64)).setTo(0.0f);
        image(cv::Rect(128, 0, 128, 64)).setTo(-1e30f);
        bits(cv::Rect(128, 0, 128, 64)).setTo(4);
        const MemoryPlane v(variance), m(bits);
        const auto sky = Background::measure(MemoryPlane(image), &v, &m, 4);
        const cv::Mat level = sky->level(Box::of(image.size()));
        double low = 0.0, high = 0.0;
        cv::minMaxLoc(level, &low, &high);
        QVERIFY2(low > 9.5 && high < 10.5, qPrintable(QStringLiteral("%1 %2").arg(low).arg(high)));
    }

    void subtractedScenesStayAsTheyAre() {
        // Crowded, sky-subtracted: faint light lifts the level by less than a sky would.
        cv::Mat image = noise(512, 512, 5.0, 5);
        addSources(image, 800, 60.0, 2.0, 6);
        QVERIFY(!Background::measure(MemoryPlane(image))->looksUnsubtracted());
        cv::Mat stamp = noise(60, 60, 5.0, 7);
        addSources(stamp, 8, 200.0, 2.5, 8);
        const auto sky = Background::measure(MemoryPlane(stamp));
        QVERIFY(!sky->looksUnsubtracted());
        QVERIFY2(sky->globalRms() < 8.0f, qPrintable(QString::number(sky->globalRms())));
        const auto flat = sky->withoutLevel();
        QVERIFY(flat->isZero());
        QCOMPARE(flat->globalRms(), sky->globalRms());
    }

    void oddImages() {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 50), cv::Size(300, 1), cv::Size(3, 3)}) {
            const auto sky = Background::measure(MemoryPlane(cv::Mat(size, CV_32F, cv::Scalar(7.0f))));
            const cv::Mat level = sky->level(Box::of(size));
            QCOMPARE(level.at<float>(0, 0), 7.0f);
            QCOMPARE(sky->rms(Box::of(size)).at<float>(0, 0), 0.0f);
            const auto none = Background::measure(MemoryPlane(cv::Mat(size, CV_32F, cv::Scalar(nan))));
            QCOMPARE(none->level(Box::of(size)).at<float>(0, 0), 0.0f);
        }
    }

    void estimatedVariance() {
        cv::Mat image = noise(300, 200, 3.0, 9) + 50.0f;
        image(cv::Rect(10, 10, 5, 5)).setTo(std::numeric_limits<float>::quiet_NaN());
        const PlanePtr variance = estimateVariance(std::make_shared<MemoryPlane>(image));
        QCOMPARE(variance->size(), image.size());
        const cv::Mat v = variance->read({100, 100, 20, 10});
        QCOMPARE(v.size(), cv::Size(20, 10));
        QVERIFY2(std::abs(v.at<float>(5, 5) / 9.0f - 1.0f) < 0.05f, qPrintable(QString::number(v.at<float>(5, 5))));
        // Positive even without any noise.
        const PlanePtr constant =
            estimateVariance(std::make_shared<MemoryPlane>(cv::Mat(20, 20, CV_32F, cv::Scalar(3))));
        QVERIFY(constant->read({0, 0, 20, 20}).at<float>(3, 3) > 0.0f);
    }

    void sameForAnyNumberOfThreads() {
        const cv::Mat image = noise(400, 300, 2.0, 10);
        BackgroundOptions one, many;
        one.threads = 1;
        const auto a = Background::measure(MemoryPlane(image), nullptr, nullptr, 0, one);
        const auto b = Background::measure(MemoryPlane(image), nullptr, nullptr, 0, many);
        QCOMPARE(cv::countNonZero(a->levelMesh() != b->levelMesh()), 0);
        QCOMPARE(cv::countNonZero(a->rmsMesh() != b->rmsMesh()), 0);
    }
};

QTEST_APPLESS_MAIN(TestBackground)
#include "tst_Background.moc"
