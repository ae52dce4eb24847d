#include "core/Error.h"
#include "jobs/TaskPool.h"
#include "simulate/Artefacts.h"
#include "simulate/Simulator.h"
#include "simulate/StampStream.h"
#include "simulate/TruthImages.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

QJsonObject parse(const char* text) {
    QString json = QString::fromUtf8(text);
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

const char* const kTraining = "{'survey': 'lsst', 'size': [64, 64], 'seeing': {'scatter': 0.1},"
                              "'galaxies': {'irregular': 0.2}, 'artefacts': {'cosmic_rays': 2000},"
                              "'layout': {'kind': 'default', 'number': [1, 4], 'shift': 2}}";

int marked(const cv::Mat& mask, int bit) {
    cv::Mat with;
    cv::bitwise_and(mask, cv::Mat(mask.size(), CV_32S, cv::Scalar(1 << bit)), with);
    return cv::countNonZero(with);
}

ScenePtr with(const char* artefacts, const char* objects = "[]") {
    return simulateScene(
        parse(qPrintable(QStringLiteral("{'survey': 'lsst', 'bands': ['r', 'i'], 'size': [300, 260], 'artefacts': %1,"
                                        "'objects': %2}")
                             .arg(QLatin1String(artefacts), QLatin1String(objects)))),
        4, 0);
}

cv::Mat maskOf(const ScenePtr& s) {
    return s->bands[1].mask->readAll();
}

double levelIn(const ScenePtr& s, int bit) {
    const cv::Mat mask = maskOf(s), image = s->bands[1].image->readAll();
    double sum = 0.0;
    int n = 0;
    for (int y = 0; y < mask.rows; ++y) {
        for (int x = 0; x < mask.cols; ++x) {
            if (!(mask.at<int>(y, x) & 1 << bit)) continue;
            sum += image.at<float>(y, x);
            ++n;
        }
    }
    const double sigma = std::sqrt(double(s->bands[1].variance->read({0, 0, 1, 1}).at<float>(0)));
    return n ? sum / n / sigma : 0.0;
}

} // namespace

class TestStampStream : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anyOrderAnyThreads() {
        const StampStream stream(parse(kTraining), 9);
        std::vector<StampStream::Stamp> forward(12), parallel(12);
        for (int i = 11; i >= 0; --i) {
            forward[size_t(i)] = stream.stamp(i);
        }
        TaskPool::shared().parallelFor(12, [&](int i) { parallel[size_t(i)] = stream.stamp(i); });
        for (size_t i = 0; i < 12; ++i) {
            QCOMPARE(forward[i].objects.size(), parallel[i].objects.size());
            for (size_t b = 0; b < 6; ++b) {
                QCOMPARE(cv::norm(forward[i].image[b], parallel[i].image[b], cv::NORM_INF), 0.0);
                QCOMPARE(cv::norm(forward[i].mask[b], parallel[i].mask[b], cv::NORM_INF), 0.0);
            }
            if (i > 0) QVERIFY(cv::norm(forward[i].image[0], forward[i - 1].image[0], cv::NORM_INF) > 0.0);
        }
        QVERIFY_EXCEPTION_THROWN((void)stream.stamp(-1), UsageError);
    }

    void sameAsTheScene() {
        const QJsonObject recipe = parse(kTraining);
        const StampStream stream(recipe, 9);
        const ScenePtr scene = simulateScene(recipe, 9, 5);
        const StampStream::Stamp stamp = stream.stamp(5, {true, true});
        QCOMPARE(stamp.objects.size(), scene->truth->objects.size());
        for (size_t b = 0; b < 6; ++b) {
            const double sigma = double(stamp.sigma[b]);
            QVERIFY(std::abs(sigma * sigma / scene->bands[b].variance->read({0, 0, 1, 1}).at<float>(0) - 1.0) < 1e-4);
            // Light that is folded at the edge of a smaller box is all that may differ.
            QVERIFY(cv::norm(stamp.noiseless[b], scene->truth->noiseless[b]->readAll(), cv::NORM_INF) < 0.3 * sigma);
            cv::Mat sum = cv::Mat::zeros(64, 64, CV_32F);
            for (const cv::Mat& m : stamp.isolated[b]) {
                sum += m;
            }
            QVERIFY(cv::norm(sum, stamp.noiseless[b], cv::NORM_INF) < 0.01 * sigma);
            QVERIFY(std::abs(cv::sum(stamp.psf[b])[0] - 1.0) < 1e-4);
        }
    }

    void fastEnough() {
        const StampStream stream(
            parse("{'survey': 'lsst', 'size': [64, 64], 'layout': {'kind': 'default', 'number': [1, 4], 'shift': 2}}"),
            1);
        QElapsedTimer timer;
        timer.start();
        constexpr int kStamps = 60;
        for (int i = 0; i < kStamps; ++i) {
            (void)stream.stamp(i);
        }
        qInfo("%.0f six-band stamps a second on one core", kStamps * 1000.0 / double(timer.elapsed()));
    }

    void truthImages() {
        const ScenePtr s =
            simulateScene(parse("{'survey': 'lsst', 'bands': ['r'], 'size': [80, 80], 'objects':"
                                "[{'x': 35, 'y': 40, 'magnitude': 22}, {'x': 44, 'y': 41, 'magnitude': 23}]}"),
                          2, 0);
        const Box box{10, 10, 60, 60};
        const cv::Mat first = softFraction(*s, 0, 0, box), second = softFraction(*s, 0, 1, box);
        QVERIFY(std::abs(first.at<float>(30, 25) + second.at<float>(30, 25) - 1.0f) < 1e-4f);
        QVERIFY(first.at<float>(30, 24) > 0.8f && second.at<float>(31, 36) > 0.5f);
        const cv::Mat owner = dominance(*s, 0, box, 100.0);
        QCOMPARE(owner.at<int>(30, 24), 1);
        QCOMPARE(owner.at<int>(31, 37), 2);
        QCOMPARE(owner.at<int>(0, 0), 0);
        // Alone with the blend's noise: together with the other's light it is the image.
        const cv::Mat alone = aloneWithNoise(*s, 0, 0, box), other = s->truth->isolated[0][1]->read(box);
        QVERIFY(cv::norm(alone + other, s->bands[0].image->read(box), cv::NORM_INF) < 0.5);
        QVERIFY_EXCEPTION_THROWN((void)softFraction(*s, 0, 7, box), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)dominance(*s, 3, box, 1.0), UsageError);
    }

    void artefactsAndTheirMasks() {
        const auto rays = with("{'cosmic_rays': 500}");
        QVERIFY(marked(maskOf(rays), Artefacts::CosmicRay) > 30 && levelIn(rays, Artefacts::CosmicRay) > 3.0);
        QVERIFY(rays->bands[0].maskNames.contains(QStringLiteral("ART_CR")));
        QCOMPARE(rays->bands[0].unusableBits(), 0);
        const auto told = with("{'cosmic_rays': 500, 'masked': true}");
        QCOMPARE(told->bands[0].unusableBits() & 1 << Artefacts::CosmicRay, 1 << Artefacts::CosmicRay);

        const auto columns = with("{'hot_columns': 6, 'dead_columns': 4, 'hot_pixels': 300, 'dead_pixels': 300}");
        QVERIFY(marked(maskOf(columns), Artefacts::HotColumn) > 100 && levelIn(columns, Artefacts::HotColumn) > 2.0);
        QVERIFY(marked(maskOf(columns), Artefacts::DeadColumn) > 100 &&
                levelIn(columns, Artefacts::DeadColumn) < -50.0);
        QVERIFY(marked(maskOf(columns), Artefacts::HotPixel) > 5 && marked(maskOf(columns), Artefacts::DeadPixel) > 5);

        const auto trails = with("{'satellites': 5, 'planes': 2}");
        QVERIFY(marked(maskOf(trails), Artefacts::Trail) > 500 && levelIn(trails, Artefacts::Trail) > 1.0);

        const auto smooth = with("{'nebulosity': 3, 'fringes': 2, 'gradient': 10}");
        QVERIFY(marked(maskOf(smooth), Artefacts::Nebula) > 10000 && levelIn(smooth, Artefacts::Nebula) > 1.0);
        QVERIFY(marked(maskOf(smooth), Artefacts::Fringe) > 10000);
        QVERIFY(marked(smooth->bands[0].mask->readAll(), Artefacts::Fringe) == 0);
        QVERIFY(marked(maskOf(smooth), Artefacts::Background) > 10000);
    }

    void saturationKeepsTheCharge() {
        const char* const star = "[{'kind': 'star', 'x': 150, 'y': 130, 'magnitude': 15.5, 'colour': 0.5}]";
        const auto clean = with("{'saturation': 10}", star), bled = with("{'saturation': 18.5}", star);
        QVERIFY(marked(maskOf(clean), Artefacts::Saturated) == 0);
        const cv::Mat mask = maskOf(bled);
        const int saturated = marked(mask, Artefacts::Saturated);
        QVERIFY2(saturated > 30, qPrintable(QString::number(saturated)));
        const double a = cv::sum(clean->bands[1].image->readAll())[0], b = cv::sum(bled->bands[1].image->readAll())[0];
        QVERIFY2(std::abs(b / a - 1.0) < 1e-3, "charge runs along the columns and is not lost");
        // The trail is longer along the column than across.
        int tall = 0, wide = 0;
        for (int i = 0; i < mask.rows; ++i) {
            tall += (mask.at<int>(i, 150) & 1 << Artefacts::Saturated) != 0;
        }
        for (int i = 0; i < mask.cols; ++i) {
            wide += (mask.at<int>(130, i) & 1 << Artefacts::Saturated) != 0;
        }
        QVERIFY(tall > 2 * wide);
        double most = 0.0;
        cv::minMaxLoc(bled->bands[1].image->readAll(), nullptr, &most);
        double unclipped = 0.0;
        cv::minMaxLoc(clean->bands[1].image->readAll(), nullptr, &unclipped);
        QVERIFY(most < 0.2 * unclipped);
    }

    void spikesAndTracking() {
        const char* const star = "[{'kind': 'star', 'x': 150, 'y': 130, 'magnitude': 15}]";
        const auto spiked = with("{'spikes': 0.02, 'spike_angle': 45}", star);
        QVERIFY(marked(maskOf(spiked), Artefacts::Spike) > 50);
        const cv::Mat clean = with("{'saturation': 5}", star)->bands[1].image->readAll();
        const cv::Mat more = spiked->bands[1].image->readAll() - clean;
        QVERIFY(more.at<float>(130 + 20, 150 + 20) > 5.0f * std::abs(more.at<float>(130, 150 + 28)));
        const auto drifted = with("{'tracking': 12}", star);
        double a = 0.0, b = 0.0;
        cv::minMaxLoc(clean, nullptr, &a);
        cv::minMaxLoc(drifted->bands[1].image->readAll(), nullptr, &b);
        QVERIFY(b < 0.6 * a);
        QCOMPARE(marked(maskOf(drifted), Artefacts::Tracking), static_cast<int>(clean.total()));
        QVERIFY(drifted->bands[1].maskNames.contains(QStringLiteral("ART_TRK")));
        QVERIFY(drifted->assumptions.join(QString()).contains(QStringLiteral("drift")));
    }
};

QTEST_GUILESS_MAIN(TestStampStream)
#include "tst_StampStream.moc"
