#include "core/Error.h"
#include "core/Random.h"
#include "io/SceneReader.h"
#include "simulate/Injector.h"
#include "simulate/Simulator.h"
#include "support/TestData.h"

#include <QElapsedTimer>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

QJsonObject parse(const char* text) {
    QString json = QString::fromUtf8(text);
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

ScenePtr field() {
    return simulateScene(parse("{'survey': 'lsst', 'size': [200, 160], 'galaxies': {'count': [5, 5]}}"), 3, 0);
}

Population::Wish bright() {
    Population::Wish w;
    w.magnitude = 21.0;
    w.redshift = 0.3;
    return w;
}

} // namespace

class TestInjector : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void lightIsAdded() {
        const ScenePtr before = field();
        const Injector injector(before);
        const Galaxy g = injector.galaxy(bright(), 100.3, 80.6, 5);
        const ScenePtr after = injector.inject({g}, 5);
        QCOMPARE(after->truth->objects.size(), size_t(6));
        const TruthObject& row = after->truth->objects.back();
        QCOMPARE(row.id, 6);
        QCOMPARE(row.x, 100.3);
        QCOMPARE(row.columns[QStringLiteral("injected")], 1.0);
        QCOMPARE(after->truth->objects.front().columns[QStringLiteral("injected")], 0.0);
        const Renderer::Drawing drawing = injector.draw(g);
        for (size_t b = 0; b < 6; ++b) {
            const cv::Mat old = before->bands[b].image->readAll(), now = after->bands[b].image->readAll();
            const cv::Mat added = now - old;
            // The added noise is Poisson's: its sum is right to a few sigmas.
            const double flux = g.totalFlux(b);
            QVERIFY(std::abs(cv::sum(added)[0] - flux) < 6.0 * std::sqrt(flux) + 0.01 * flux);
            QVERIFY(std::abs(std::pow(10.0, 0.4 * (before->bands[b].zeroPoint - g.magnitude[b])) / flux - 1.0) < 1e-6);
            const cv::Mat alone = after->truth->isolated[b].back()->readAll();
            QVERIFY(std::abs(cv::sum(alone)[0] / flux - 1.0) < 0.02);
            const cv::Mat model = after->truth->noiseless[b]->readAll() - before->truth->noiseless[b]->readAll();
            QVERIFY(cv::norm(model, alone, cv::NORM_INF) < 1e-3 * std::abs(cv::norm(alone, cv::NORM_INF)) + 0.1);
            // Reading by parts is the same as reading all.
            QCOMPARE(
                cv::norm(now(cv::Rect(90, 70, 20, 15)), after->bands[b].image->read({90, 70, 20, 15}), cv::NORM_INF),
                0.0);
            QVERIFY(drawing.bands[b].at<float>(0, 0) < 0.01 * cv::norm(alone, cv::NORM_INF));
        }
    }

    void noiseHasItsStatistics() {
        const Injector injector(field());
        const Galaxy star = injector.star(18.0, 100.0, 80.0, 1);
        const cv::Mat expected = injector.inject({star}, 1)->truth->isolated[2].back()->readAll();
        const cv::Mat old = injector.scene().bands[2].image->readAll();
        double chi2 = 0.0;
        int n = 0;
        cv::Mat first;
        for (int realization = 0; realization < 4; ++realization) {
            const cv::Mat added = injector.inject({star}, 1, realization)->bands[2].image->readAll() - old;
            if (realization == 0) first = added;
            if (realization == 1) QVERIFY(cv::norm(first, added, cv::NORM_INF) > 0.0);
            for (int y = 70; y < 91; ++y) {
                for (int x = 90; x < 111; ++x, ++n) {
                    const double mean = expected.at<float>(y, x), d = double(added.at<float>(y, x)) - mean;
                    chi2 += d * d / mean;
                }
            }
        }
        QVERIFY2(std::abs(chi2 / n - 1.0) < 5.0 * std::sqrt(2.0 / n), qPrintable(QString::number(chi2 / n)));
    }

    void varianceFollows() {
        Scene copy = *field();
        for (Band& b : copy.bands) {
            b.varianceIsSkyOnly = false;
            b.gain = 4.0;
        }
        const Injector injector(std::make_shared<const Scene>(copy));
        const ScenePtr after = injector.inject({injector.galaxy(bright(), 100, 80, 5)}, 5);
        const Box there{100, 80, 1, 1}, away{5, 5, 1, 1};
        const double light = after->truth->isolated[3].back()->read(there).at<float>(0);
        const double more = double(after->bands[3].variance->read(there).at<float>(0)) -
                            copy.bands[3].variance->read(there).at<float>(0);
        QVERIFY(std::abs(more - light / 4.0) < 1e-3 * light);
        QCOMPARE(after->bands[3].variance->read(away).at<float>(0), copy.bands[3].variance->read(away).at<float>(0));
    }

    void wishedSnr() {
        const Injector injector(field());
        const Galaxy g = injector.galaxy({}, 60.0, 60.0, 2, 0, 30.0);
        const ScenePtr after = injector.inject({g}, 2);
        QVERIFY(std::abs(after->truth->objects.back().columns[QStringLiteral("snr_det")] - 30.0) < 0.1);
        Population::Wish irregular;
        irregular.irregular = Morphology::Wish();
        irregular.forced = true;
        const Galaxy i = injector.galaxy(irregular, 60.0, 60.0, 2, 1, 30.0);
        QCOMPARE(i.maps.size(), size_t(3));
    }

    void recipesAndThreads() {
        const ScenePtr scene = field();
        const QJsonObject recipe = parse("{'galaxies': {'count': [3, 3], 'magnitudes': [22, 24]}, 'stars': {'count':"
                                         "[1, 1]}, 'objects': [{'x': 50, 'y': 40, 'magnitude': 21}]}");
        const ScenePtr a = injectObjects(scene, recipe, 9, nullptr, 1), b = injectObjects(scene, recipe, 9, nullptr, 2);
        QCOMPARE(a->truth->objects.size(), size_t(10));
        for (size_t i = 0; i < 6; ++i) {
            QCOMPARE(cv::norm(a->bands[i].image->readAll(), b->bands[i].image->readAll(), cv::NORM_INF), 0.0);
        }
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("two.fits"));
        writeScene(*a, path);
        const ScenePtr back = openScenes({path}).front();
        QCOMPARE(back->truth->objects.size(), size_t(10));
        QCOMPARE(back->truth->objects.back().columns[QStringLiteral("injected")], 1.0);
    }

    void whatCannotBe() {
        Scene bare = *field();
        bare.bands[2].psf = Psf();
        const auto refused = [](const Scene& s, const char* word) {
            try {
                const Injector injector(std::make_shared<const Scene>(s));
                return false;
            } catch (const UsageError& e) {
                return e.message().contains(QLatin1String(word));
            }
        };
        QVERIFY(refused(bare, "PSF"));
        bare = *field();
        bare.bands[1].zeroPoint = std::nan("");
        QVERIFY(refused(bare, "zero point"));
        bare = *field();
        bare.pixelScale = 0.0;
        QVERIFY(refused(bare, "pixel scale"));
        // Without a gain the light comes without noise, and that is said; outside the scene nothing happens.
        bare = *field();
        bare.bands[0].gain = 0.0;
        const Injector injector(std::make_shared<const Scene>(bare));
        const ScenePtr after = injector.inject({injector.galaxy(bright(), -500, 9000, 1)}, 1);
        QVERIFY(after->assumptions.join(QString()).contains(QStringLiteral("gain")));
        QCOMPARE(cv::norm(after->bands[0].image->readAll(), bare.bands[0].image->readAll(), cv::NORM_INF), 0.0);
        QVERIFY_EXCEPTION_THROWN(Injector(nullptr), UsageError);
    }

    void realScene() {
        const QString file = test::sharedData(QStringLiteral("hsc_real/hsc_cosmos_35.fits"));
        if (file.isEmpty()) QSKIP(test::sharedDataMissing());
        const ScenePtr scene = openScenes({file}).front();
        const Injector injector(scene);
        QElapsedTimer timer;
        timer.start();
        Population::Wish wish = bright();
        for (int i = 0; i < 10; ++i) {
            const ScenePtr after = injector.inject({injector.galaxy(wish, 20.0 + i, 30.0, 1)}, 1);
            QCOMPARE(after->truth->objects.size(), size_t(1));
        }
        qInfo("one galaxy into five real bands: %.1f ms", timer.nsecsElapsed() / 1e7);
    }
};

QTEST_GUILESS_MAIN(TestInjector)
#include "tst_Injector.moc"
