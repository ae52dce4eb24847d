#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "jobs/Progress.h"
#include "simulate/Simulator.h"

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

const char* const kSmall = "{'name': 'small', 'survey': 'lsst', 'size': [96, 80],"
                           " 'galaxies': {'density': 150, 'magnitudes': [20, 25], 'clustered': 0.5},"
                           " 'stars': {'count': [1, 3]}}";

bool sameBits(const cv::Mat& a, const cv::Mat& b) {
    return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0.0;
}

double correlation(const cv::Mat& a, const cv::Mat& b) {
    return a.dot(b) / std::sqrt(a.dot(a) * b.dot(b));
}

} // namespace

class TestSimulator : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sceneIsComplete() {
        const ScenePtr s = simulateScene(parse(kSmall), 7, 3);
        QCOMPARE(s->id, QStringLiteral("small_0003"));
        QCOMPARE(s->size, cv::Size(96, 80));
        QCOMPARE(s->bands.size(), size_t(6));
        QVERIFY(s->truth.has_value());
        const Truth& t = *s->truth;
        QVERIFY(!t.objects.empty());
        QCOMPARE(t.isolated.size(), size_t(6));
        QCOMPARE(t.noiseless.size(), size_t(6));
        for (size_t b = 0; b < 6; ++b) {
            const Band& band = s->bands[b];
            QCOMPARE(band.image->size(), s->size);
            QVERIFY(cv::checkRange(band.image->readAll()));
            QVERIFY(band.psf.known() && band.varianceIsSkyOnly && band.skySubtracted);
            // All objects together are the sum of the single ones.
            cv::Mat sum = cv::Mat::zeros(s->size, CV_32F);
            for (const PlanePtr& plane : t.isolated[b]) {
                sum += plane->readAll();
            }
            const double sigma = std::sqrt(double(band.variance->read({0, 0, 1, 1}).at<float>(0, 0)));
            QVERIFY(cv::norm(sum, t.noiseless[b]->readAll(), cv::NORM_INF) < 1e-3 * sigma);
        }
        const cv::Mat segmentation = t.segmentation->readAll();
        double most = 0.0;
        cv::minMaxLoc(segmentation, nullptr, &most);
        QVERIFY(most >= 1.0 && most <= double(t.objects.size()));
        for (const TruthObject& o : t.objects) {
            QVERIFY(o.x >= -0.5 && o.x < 95.5 && o.y >= -0.5 && o.y < 79.5);
            QCOMPARE(o.flux.size(), size_t(6));
            for (const char* key : {"flux_i", "mag_i", "snr_r", "snr_det", "blend_g", "nn_sep", "hlr", "ellip", "pa",
                                    "btfrac", "z", "a_d", "b_b", "fluxnorm_bulge", "seg_npix"}) {
                QVERIFY2(o.columns.contains(QLatin1String(key)), key);
            }
            QVERIFY(o.columns[QStringLiteral("blend_i")] >= 0.0 && o.columns[QStringLiteral("blend_i")] <= 1.0);
        }
    }

    void sameForAnyNumberOfThreads() {
        const ScenePtr a = simulateScene(parse(kSmall), 7, 0, nullptr, 1);
        const ScenePtr b = simulateScene(parse(kSmall), 7, 0, nullptr, 2);
        const ScenePtr c = simulateScene(parse(kSmall), 7, 0, nullptr, 0);
        for (size_t i = 0; i < 6; ++i) {
            QVERIFY(sameBits(a->bands[i].image->readAll(), b->bands[i].image->readAll()));
            QVERIFY(sameBits(a->bands[i].image->readAll(), c->bands[i].image->readAll()));
        }
        QVERIFY(sameBits(a->truth->segmentation->readAll(), b->truth->segmentation->readAll()));
        QCOMPARE(a->truth->objects.back().columns, b->truth->objects.back().columns);
    }

    void seedsAndNumbersDiffer() {
        const ScenePtr a = simulateScene(parse(kSmall), 7, 0), b = simulateScene(parse(kSmall), 8, 0),
                       c = simulateScene(parse(kSmall), 7, 1);
        QVERIFY(!sameBits(a->bands[0].image->readAll(), b->bands[0].image->readAll()));
        QVERIFY(!sameBits(a->bands[0].image->readAll(), c->bands[0].image->readAll()));
    }

    void noiseIsThatOfTheSky() {
        const QJsonObject recipe = parse("{'survey': 'lsst', 'size': [200, 200]}");
        const ScenePtr s = simulateScene(recipe, 5, 0), other = simulateScene(recipe, 5, 1);
        QVERIFY(s->truth->objects.empty());
        const double n = 200.0 * 200.0;
        for (size_t b = 0; b < 6; ++b) {
            const cv::Mat m = s->bands[b].image->readAll();
            const double sigma = std::sqrt(double(s->bands[b].variance->read({0, 0, 1, 1}).at<float>(0, 0)));
            cv::Scalar mean, deviation;
            cv::meanStdDev(m, mean, deviation);
            QVERIFY(std::abs(mean[0]) < 5.0 * sigma / std::sqrt(n));
            QVERIFY(std::abs(deviation[0] / sigma - 1.0) < 5.0 / std::sqrt(2.0 * n));
            // Independent between bands and scenes.
            if (b > 0) QVERIFY(std::abs(correlation(m, s->bands[b - 1].image->readAll())) < 5.0 / std::sqrt(n));
            QVERIFY(std::abs(correlation(m, other->bands[b].image->readAll())) < 5.0 / std::sqrt(n));
        }
    }

    void sourceNoiseIsPoisson() {
        const ScenePtr s = simulateScene(parse("{'survey': 'lsst', 'bands': ['r'], 'size': [128, 128], 'objects':"
                                               "[{'kind': 'star', 'x': 64, 'y': 64, 'magnitude': 14}]}"),
                                         5, 0);
        const cv::Mat data = s->bands[0].image->readAll(), model = s->truth->noiseless[0]->readAll();
        double chi2 = 0.0;
        int n = 0;
        for (int y = 44; y < 85; ++y) {
            for (int x = 44; x < 85; ++x, ++n) {
                const double d = double(data.at<float>(y, x)) - model.at<float>(y, x);
                chi2 += d * d / (127057.0 + model.at<float>(y, x));
            }
        }
        QVERIFY2(std::abs(chi2 / n - 1.0) < 0.2, qPrintable(QString::number(chi2 / n)));
    }

    void fluxInIsFluxOut() {
        const ScenePtr s = simulateScene(
            parse(
                "{'survey': 'lsst', 'size': [600, 600], 'noise': 'none', 'objects': ["
                "{'x': 300.3, 'y': 299.6, 'magnitude': 22, 'bulge': 0, 'hlr': 1.0, 'axis_ratio': 0.3, 'redshift': 0.3},"
                "{'x': 290, 'y': 310.2, 'magnitude': 20, 'bulge': 1, 'hlr': 1.2, 'redshift': 0.3},"
                "{'kind': 'star', 'x': 305.0, 'y': 300.5, 'magnitude': 21, 'colour': 0.5}]}"),
            1, 0);
        QCOMPARE(s->truth->objects.size(), size_t(3));
        for (size_t b = 0; b < 6; ++b) {
            for (size_t i = 0; i < 3; ++i) {
                const double wanted = s->truth->objects[i].flux[b];
                const double found = cv::sum(s->truth->isolated[b][i]->readAll())[0];
                QVERIFY2(std::abs(found / wanted - 1.0) < 1e-3, qPrintable(QString::number(found / wanted)));
            }
        }
        QCOMPARE(s->truth->objects[2].kind, QStringLiteral("star"));
        QCOMPARE(s->truth->objects[0].columns[QStringLiteral("btfrac")], 0.0);
        QCOMPARE(s->truth->objects[1].columns[QStringLiteral("btfrac")], 1.0);
    }

    void seeingScatters() {
        const ScenePtr a = simulateScene(
            parse("{'survey': 'lsst', 'size': [8, 8], 'seeing': {'factor': 1.5, 'scatter': 0.1, 'beta': 2.5}}"), 1, 0);
        double product = 1.0;
        for (const Band& b : a->bands) {
            product *= b.psf.fwhmPixels;
        }
        const double mean = std::pow(product, 1.0 / 6.0) / 1.5;
        QVERIFY(mean > 3.3 && mean < 5.0);
        QVERIFY(std::abs(a->bands[0].psf.fwhmPixels / 6.75 - 1.0) > 1e-6);
    }

    void stampsHoldTheirObjects() {
        const QJsonObject recipe = parse("{'survey': 'lsst', 'size': [120, 120], 'isolated': false, 'galaxies':"
                                         "{'count': [1, 4], 'radius': 2.4, 'magnitudes': [20, 26]}}");
        for (int i = 0; i < 8; ++i) {
            const ScenePtr s = simulateScene(recipe, 9, i);
            QVERIFY(s->truth->objects.size() >= 1 && s->truth->objects.size() <= 4);
            QVERIFY(s->truth->isolated.empty());
            for (const TruthObject& o : s->truth->objects) {
                QVERIFY(std::hypot(o.x - 59.5, o.y - 59.5) <= 12.01);
            }
        }
    }

    void unfitRecipes_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* name, const char* text, const char* named) {
            QTest::newRow(name) << QByteArray(text) << QString::fromUtf8(named);
        };
        row("empty", "{}", "survey is missing");
        row("no survey", "{'survey': 'nowhere', 'size': [9, 9]}", "nowhere");
        row("no size", "{'survey': 'lsst'}", "size");
        row("odd size", "{'survey': 'lsst', 'size': [9.5, 9]}", "size");
        row("huge", "{'survey': 'lsst', 'size': [1e9, 9]}", "size");
        row("band", "{'survey': 'lsst', 'size': [9, 9], 'bands': ['q']}", "bands");
        row("unknown", "{'survey': 'lsst', 'size': [9, 9], 'galaxy': {}}", "galaxy");
        row("density", "{'survey': 'lsst', 'size': [9, 9], 'galaxies': {'density': -3}}", "galaxies.density is -3");
        row("text", "{'survey': 'lsst', 'size': [9, 9], 'galaxies': 'many'}", "galaxies is \"many\"");
        row("order", "{'survey': 'lsst', 'size': [9, 9], 'stars': {'magnitudes': [25, 20]}}", "stars.magnitudes");
        row("both", "{'survey': 'lsst', 'size': [9, 9], 'stars': {'count': [1, 2], 'density': 1}}", "stars.count");
        row("outside", "{'survey': 'lsst', 'size': [9, 9], 'objects': [{'x': 1, 'y': 90, 'magnitude': 20}]}",
            "objects[0].y is 90");
        row("noise", "{'survey': 'lsst', 'size': [9, 9], 'noise': 'loud'}", "noise is \"loud\"");
    }
    void unfitRecipes() {
        QFETCH(QByteArray, text);
        QFETCH(QString, named);
        try {
            (void)simulateScene(parse(text.constData()), 1, 0);
            QFAIL("was taken");
        } catch (const UsageError& e) {
            QVERIFY2(e.message().contains(named), qPrintable(e.message()));
        }
    }

    void cancels() {
        Progress progress;
        progress.token().cancel();
        QVERIFY_EXCEPTION_THROWN((void)simulateScene(parse(kSmall), 1, 0, &progress), CancelledError);
    }

    void demoSceneInSeconds() {
        QElapsedTimer timer;
        timer.start();
        const ScenePtr s = simulateScene(loadRecipe(QStringLiteral("demo")), 1, 0);
        qInfo("demo: %zu objects in %.2f s", s->truth->objects.size(), timer.elapsed() / 1000.0);
        QCOMPARE(s->size, cv::Size(512, 512));
        QVERIFY(s->truth->objects.size() > 200);
        QVERIFY_EXCEPTION_THROWN((void)loadRecipe(QStringLiteral("demi")), UsageError);
    }

    void cutoutPlane() {
        cv::Mat pixels(4, 5, CV_32F);
        cv::randu(pixels, 1.0, 2.0);
        const CutoutPlane plane({20, 10}, pixels, 17, -2);
        QCOMPARE(plane.cutoutBox(), (Box{17, 0, 3, 2}));
        const cv::Mat all = plane.readAll();
        QCOMPARE(all.size(), cv::Size(20, 10));
        QCOMPARE(cv::countNonZero(all), 6);
        QCOMPARE(all.at<float>(0, 17), pixels.at<float>(2, 0));
        QCOMPARE(plane.read({18, 1, 1, 1}).at<float>(0, 0), pixels.at<float>(3, 1));
        QCOMPARE(cv::countNonZero(plane.read({0, 0, 5, 5})), 0);
        QVERIFY_EXCEPTION_THROWN((void)plane.read({-1, 0, 2, 2}), ReadError);
        QVERIFY(CutoutPlane({20, 10}, pixels, 50, 0).cutoutBox().empty());
    }
};

QTEST_APPLESS_MAIN(TestSimulator)
#include "tst_Simulator.moc"
