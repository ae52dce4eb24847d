#include "core/Error.h"
#include "simulate/Morphology.h"
#include "simulate/Simulator.h"

#include <QJsonDocument>
#include <QTest>
#include <cmath>
#include <opencv2/imgproc.hpp>

using namespace blendscope;

namespace {

QJsonObject parse(const char* text) {
    QString json = QString::fromUtf8(text);
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

SersicComponent disk(double axisRatio) {
    SersicComponent d;
    d.aArcsec = 2.0;
    d.bArcsec = 2.0 * axisRatio;
    d.angle = 30.0;
    return d;
}

/// Share of the light that a smooth, point-symmetric galaxy could not have.
double asymmetry(const cv::Mat& image) {
    cv::Mat turned;
    cv::rotate(image, turned, cv::ROTATE_180);
    return cv::norm(image, turned, cv::NORM_L1) / (2.0 * cv::sum(image)[0]);
}

} // namespace

class TestMorphology : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void mapsAreLight_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<double>("axisRatio");
        for (const char* kind : {"spiral", "flocculent", "clumpy"}) {
            for (const double q : {1.0, 0.5, 0.15}) {
                QTest::addRow("%s %g", kind, q) << QString::fromLatin1(kind) << q;
            }
        }
    }
    void mapsAreLight() {
        QFETCH(QString, kind);
        QFETCH(double, axisRatio);
        for (int seed = 0; seed < 5; ++seed) {
            Random random(static_cast<std::uint64_t>(seed));
            const Morphology m = Morphology::draw(random, {true, true, true, true, kind}, axisRatio);
            const MorphologyMaps maps = drawMorphology(m, random, disk(axisRatio), 0.08);
            for (const LightMap* map : {&maps.young, &maps.oldBlue, &maps.oldRed}) {
                QVERIFY(cv::checkRange(map->pixels, true, nullptr, 0.0, 1.0));
                QVERIFY(std::abs(cv::sum(map->pixels)[0] - 1.0) < 1e-4);
            }
            QVERIFY(maps.passedBlue > 0.0 && maps.passedBlue <= 1.0 + 1e-6);
            QVERIFY2(maps.passedBlue <= maps.passedRed + 1e-6, "dust dims the blue more");
            // Irregular, but still a disk of that size.
            const double wanted = 2.0 * std::sqrt(axisRatio);
            QVERIFY2(maps.hlrArcsec > 0.6 * wanted && maps.hlrArcsec < 1.9 * wanted,
                     qPrintable(QString::number(maps.hlrArcsec / wanted)));
        }
    }

    void switchesSwitch() {
        Random random(3);
        const Morphology none = Morphology::draw(random, {false, false, false, false, {}}, 0.8);
        QVERIFY(none.knots == 0 && none.arms == 0 && none.dust == 0.0 && none.tails == 0 && none.shells == 0);
        int tidal = 0, spiral = 0, clumpy = 0;
        for (int i = 0; i < 400; ++i) {
            Random r(9, static_cast<std::uint64_t>(i));
            const QString name = Morphology::draw(r, {}, 0.8).name(0.8);
            tidal += name.contains(QStringLiteral("tidal"));
            spiral += name.startsWith(QStringLiteral("spiral"));
            clumpy += name.startsWith(QStringLiteral("clumpy"));
        }
        QVERIFY(tidal > 40 && tidal < 100 && spiral > 120 && spiral < 200 && clumpy > 100 && clumpy < 180);
        QVERIFY(std::abs(MorphologyMaps::blueness(365.0) - 1.0) < 1e-9 && MorphologyMaps::blueness(1600.0) == 0.0);
    }

    void oneObjectAtTheSnr() {
        const QJsonObject recipe = loadRecipe(QStringLiteral("irregular"));
        double uneven = 0.0;
        for (int i = 0; i < 6; ++i) {
            const ScenePtr s = simulateScene(recipe, 5, i);
            QCOMPARE(s->truth->objects.size(), size_t(1));
            const TruthObject& o = s->truth->objects.front();
            QCOMPARE(o.columns[QStringLiteral("irregular")], 1.0);
            QVERIFY(std::abs(o.columns[QStringLiteral("snr_det")] - 100.0) < 0.2);
            for (size_t b = 0; b < s->bands.size(); ++b) {
                const cv::Mat alone = s->truth->isolated[b][0]->readAll();
                QVERIFY(std::abs(cv::sum(alone)[0] / o.flux[b] - 1.0) < 2e-2);
                const double magnitude = o.columns[QStringLiteral("mag_") + s->bands[b].name];
                QVERIFY(std::abs(magnitude - s->bands[b].zeroPoint + 2.5 * std::log10(o.flux[b])) < 1e-6);
            }
            const int x = static_cast<int>(std::lround(o.x)), y = static_cast<int>(std::lround(o.y));
            uneven += asymmetry(s->truth->isolated[1][0]->read({x - 20, y - 20, 41, 41}));
        }
        QVERIFY2(uneven / 6.0 > 0.03, "irregular galaxies are not symmetric");
    }

    void knotsAreBlue() {
        const ScenePtr s = simulateScene(
            parse("{'survey': 'lsst', 'size': [200, 200], 'noise': 'none', 'objects': [{'x': 100, 'y': 100,"
                  "'magnitude': 18, 'hlr': 4, 'axis_ratio': 0.9, 'bulge': 0.2, 'redshift': 0.05,"
                  "'irregular': 'spiral'}]}"),
            4, 0);
        const cv::Mat g = s->truth->noiseless[1]->readAll(), i = s->truth->noiseless[3]->readAll();
        // Where g stands out of its surroundings, it is bluer than they are.
        cv::Mat smoothG, smoothI;
        cv::boxFilter(g, smoothG, -1, {41, 41});
        cv::boxFilter(i, smoothI, -1, {41, 41});
        cv::Point at;
        cv::Mat excess = g / smoothG;
        cv::minMaxLoc(excess(cv::Rect(50, 50, 100, 100)), nullptr, nullptr, nullptr, &at);
        double bluer = 0.0;
        int n = 0;
        for (int y = 60; y < 140; ++y) {
            for (int x = 60; x < 140; ++x) {
                if (std::hypot(x - 100, y - 100) < 15 || excess.at<float>(y, x) < 1.25f) continue;
                bluer += std::log(excess.at<float>(y, x) / (i.at<float>(y, x) / smoothI.at<float>(y, x)));
                ++n;
            }
        }
        QVERIFY(n > 20);
        QVERIFY2(bluer / n > 0.02, qPrintable(QString::number(bluer / n)));
    }

    void unfit() {
        QVERIFY_EXCEPTION_THROWN(
            (void)simulateScene(parse("{'survey': 'lsst', 'size': [9, 9], 'galaxies': {'irregular': {'kind': 'odd'}}}"),
                                1, 0),
            UsageError);
        QVERIFY_EXCEPTION_THROWN(
            (void)simulateScene(parse("{'survey': 'lsst', 'size': [9, 9], 'galaxies': {'irregular': 2}}"), 1, 0),
            UsageError);
    }
};

QTEST_APPLESS_MAIN(TestMorphology)
#include "tst_Morphology.moc"
