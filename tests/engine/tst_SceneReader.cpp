#include "core/Scene.h"
#include "io/SceneReader.h"
#include "support/TestData.h"

#include <QDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

class TestSceneReader : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void opensAllSharedScenes() {
        if (test::sharedData(QStringLiteral("btk")).isEmpty()) QSKIP(test::sharedDataMissing());
        for (const char* folder : {"btk/scenes", "btk/stamps", "hsc_real", "hsc_injected"}) {
            const auto scenes = openScenes({test::sharedData(QLatin1String(folder))});
            QVERIFY(scenes.size() > 2);
            for (const ScenePtr& s : scenes) {
                const bool btk = QLatin1String(folder).startsWith(QLatin1String("btk"));
                QCOMPARE(s->bandNames().join(QString()), btk ? QStringLiteral("ugrizy") : QStringLiteral("grizy"));
                for (const Band& b : s->bands) {
                    QCOMPARE(b.image->size(), s->size);
                    QCOMPARE(b.variance->size(), s->size);
                    QVERIFY(b.psf.known());
                    QVERIFY(!std::isnan(b.zeroPoint));
                    QVERIFY(cv::sum(b.image->readAll())[0] != 0.0);
                    QVERIFY(!b.variance->readAll().empty());
                    if (btk) QVERIFY(b.varianceIsSkyOnly);
                    if (btk) QCOMPARE(b.gain, 1.0);
                }
                if (btk) {
                    QVERIFY(s->truth && !s->truth->objects.empty());
                    QVERIFY(s->wcs.isValid());
                    QVERIFY(std::abs(s->pixelScale - 0.2) < 1e-4);
                } else {
                    QCOMPARE(s->pixelScale, 0.168);
                    QVERIFY(!s->filePeaks.empty());
                }
            }
        }
    }

    void printsEverything() {
        const QStringList args = QCoreApplication::arguments();
        const QString what = qEnvironmentVariable("SCENE");
        if (what.isEmpty()) return;
        for (const ScenePtr& s : openScenes(what.split(QLatin1Char(' ')))) {
            qInfo() << s->id << s->size.width << s->size.height << s->bandNames() << s->pixelScale;
            for (const Band& b : s->bands) {
                qInfo() << b.name << b.wavelength << b.zeroPoint << b.gain << b.varianceIsSkyOnly << b.psf.fwhmPixels
                        << b.psf.image.cols << int(b.psf.origin) << bool(b.mask) << b.maskNames.size();
            }
            for (const auto& a : s->assumptions)
                qInfo().noquote() << "  assumed:" << a;
            for (const auto& a : s->warnings)
                qInfo().noquote() << "  WARNING:" << a;
            for (const auto& f : s->files) {
                qInfo().noquote() << f.path;
                for (const auto& h : f.hdus)
                    qInfo().noquote() << "    " << h;
            }
            if (s->truth)
                qInfo() << "truth" << s->truth->objects.size() << s->truth->isolated.size()
                        << s->truth->noiseless.size() << s->truth->objects[0].flux << s->truth->objects[0].kind;
        }
    }
};

QTEST_GUILESS_MAIN(TestSceneReader)
#include "tst_SceneReader.moc"
