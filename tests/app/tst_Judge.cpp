#include "support/Program.h"
#include "support/TestData.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using blendscope::test::blend, blendscope::test::contents, blendscope::test::Output;

/// blend judge on simulated scenes.
class TestJudge : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    [[nodiscard]] QString path(const QString& name) const { return m_dir.filePath(name); }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_dir.isValid());
        QFile file(path(QStringLiteral("small.json")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"({"name": "small", "survey": "lsst", "size": [96, 80], "center": [150.1, 2.2],
                       "galaxies": {"magnitudes": [20.5, 25.0], "density": 200, "clustered": 0.5, "reach": 3.0}})");
        file.close();
        QCOMPARE(blend({QStringLiteral("simulate"), file.fileName(), QStringLiteral("--count"), QStringLiteral("3"),
                        QStringLiteral("--seed"), QStringLiteral("5"), QStringLiteral("--out"),
                        path(QStringLiteral("scenes"))})
                     .code,
                 0);
        const Output run =
            blend({QStringLiteral("run"), path(QStringLiteral("scenes")), QStringLiteral("--pipeline"),
                   QStringLiteral("threshold+partition"), QStringLiteral("--out"), path(QStringLiteral("results"))});
        QVERIFY2(run.code == 0, qPrintable(run.error));
    }

    void severalScenes() {
        const QString results = path(QStringLiteral("results"));
        const Output judged = blend({QStringLiteral("judge"), QStringLiteral("--truth"), path(QStringLiteral("scenes")),
                                     QStringLiteral("--result"), results, QStringLiteral("--realisations"),
                                     QStringLiteral("2"), QStringLiteral("--json")});
        QVERIFY2(judged.code == 0, qPrintable(judged.error));
        const QJsonObject json = judged.json();
        QCOMPARE(json.value(QStringLiteral("scenes")).toArray().size(), 3);
        const QJsonArray objects = json.value(QStringLiteral("objects")).toArray();
        QVERIFY(objects.size() > 3);
        for (const QJsonValue& v : objects) {
            const QJsonObject o = v.toObject();
            for (const char* key : {"id", "verdict", "detections", "scene_id", "words"}) {
                QVERIFY2(o.contains(QLatin1String(key)), key);
            }
        }
        for (const QJsonValue& v : json.value(QStringLiteral("blends")).toArray()) {
            const QJsonObject b = v.toObject();
            QCOMPARE(b.value(QStringLiteral("n_sep")).toInt() + b.value(QStringLiteral("n_unsep")).toInt(),
                     int(b.value(QStringLiteral("members")).toArray().size()));
            QVERIFY(!b.value(QStringLiteral("outcome")).toString().isEmpty());
            QVERIFY(!b.value(QStringLiteral("probability")).toObject().isEmpty());
        }
        QVERIFY(json.value(QStringLiteral("rates"))
                    .toObject()
                    .value(QStringLiteral("blends"))
                    .toObject()
                    .contains(QStringLiteral("recognized")));
        QVERIFY(!json.value(QStringLiteral("metrics")).toObject().isEmpty());

        // The outcomes are in the catalogues of each scene and of all.
        const QDir dir(results);
        const QStringList folders = dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
        QCOMPARE(folders.size(), 3);
        int words = 0;
        for (const QString& folder : folders) {
            QVERIFY(!contents(dir.filePath(folder + QStringLiteral("/judgement.json"))).isEmpty());
            QVERIFY(
                contents(dir.filePath(folder + QStringLiteral("/blends.csv"))).split('\n').front().contains("outcome"));
            words += contents(dir.filePath(folder + QStringLiteral("/catalog.csv"))).count("recognized");
        }
        QVERIFY(words > 0);
        QCOMPARE(contents(dir.filePath(QStringLiteral("catalog.csv"))).count("recognized"), words);
    }

    void oneSceneAndATable() {
        const QDir results(path(QStringLiteral("results"))), scenes(path(QStringLiteral("scenes")));
        const QString folder = results.filePath(results.entryList(QDir::Dirs | QDir::NoDotAndDotDot).front());
        const QString scene = scenes.filePath(scenes.entryList(QDir::Files).filter(QStringLiteral(".fits")).front());
        const Output one = blend({QStringLiteral("judge"), QStringLiteral("--truth"), scene, QStringLiteral("--result"),
                                  folder, QStringLiteral("--json"), QStringLiteral("--keep")});
        QVERIFY2(one.code == 0, qPrintable(one.error));
        // The same from a table: x, y, fluxes and one profile, rendered through the scene's PSFs.
        QFile table(path(QStringLiteral("truth.csv")));
        QVERIFY(table.open(QIODevice::WriteOnly));
        table.write("x,y,hlr,ellip,pa,mag_u,mag_g,mag_r,mag_i,mag_z,mag_y\n40.2,38.1,0.4,0.1,20,23,22.5,22,21.8,21.7,"
                    "21.6\nnan,3,0.4,0,0,23,23,23,23,23,23\n");
        table.close();
        const Output other =
            blend({QStringLiteral("judge"), QStringLiteral("--truth"), table.fileName(), QStringLiteral("--result"),
                   folder, QStringLiteral("--json"), QStringLiteral("--keep")});
        QVERIFY2(other.code == 0, qPrintable(other.error));
        const QJsonArray objects = other.json().value(QStringLiteral("objects")).toArray();
        QCOMPARE(objects.size(), 2);
        QCOMPARE(objects[0].toObject().value(QStringLiteral("detected_alone")).toBool(), true);
        QCOMPARE(objects[1].toObject().value(QStringLiteral("verdict")).toString(), QStringLiteral("outside"));
    }

    void suspicions() {
        const QDir results(path(QStringLiteral("results")));
        const QString folder = results.filePath(results.entryList(QDir::Dirs | QDir::NoDotAndDotDot).front());
        const Output out = blend({QStringLiteral("judge"), QStringLiteral("--result"), folder,
                                  QStringLiteral("--result"), folder, QStringLiteral("--json")});
        QVERIFY2(out.code == 0, qPrintable(out.error));
        QVERIFY(out.json().contains(QStringLiteral("suspicions")));
        QVERIFY(QFile::exists(folder + QStringLiteral("/suspicions.json")));
    }

    void failuresAreSaid() {
        const QDir results(path(QStringLiteral("results")));
        const QString folder = results.filePath(results.entryList(QDir::Dirs | QDir::NoDotAndDotDot).last());
        const QString scenes = path(QStringLiteral("scenes"));
        QCOMPARE(blend({QStringLiteral("judge")}).code, 2);
        const Output missing = blend({QStringLiteral("judge"), QStringLiteral("--truth"), scenes,
                                      QStringLiteral("--result"), path(QStringLiteral("none"))});
        QCOMPARE(missing.code, 1);
        QVERIFY(missing.oneLine());
        const Output noTruth = blend({QStringLiteral("judge"), QStringLiteral("--truth"),
                                      path(QStringLiteral("none.fits")), QStringLiteral("--result"), folder});
        QVERIFY(noTruth.code == 1 && noTruth.oneLine());
        // A truncated catalogue is not written back as an empty one.
        const QString catalogue = folder + QStringLiteral("/catalog.fits");
        const QByteArray whole = contents(catalogue);
        QFile file(catalogue);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(whole.left(1000));
        file.close();
        const QByteArray csv = contents(folder + QStringLiteral("/catalog.csv"));
        const QString scene =
            scenes + QLatin1Char('/') + QDir(scenes).entryList(QDir::Files).filter(QStringLiteral(".fits")).last();
        const Output truncated =
            blend({QStringLiteral("judge"), QStringLiteral("--truth"), scene, QStringLiteral("--result"), folder});
        QCOMPARE(truncated.code, 1);
        QVERIFY2(truncated.oneLine(), qPrintable(truncated.error));
        QCOMPARE(contents(folder + QStringLiteral("/catalog.csv")), csv);
    }

    /// A galaxy put upon another one is lost in it: what stands there is suspected.
    void injectionsAreEvidence() {
        const QString scene =
            QDir(path(QStringLiteral("scenes"))).entryInfoList(QDir::Files, QDir::Name).first().absoluteFilePath();
        const QString id = QFileInfo(scene).fileName().section(QLatin1Char('.'), 0, 0);
        const QString result = path(QStringLiteral("results/")) + id;
        const Output help = blend({QStringLiteral("judge"), QStringLiteral("--help")});
        QVERIFY(help.out.contains(QStringLiteral("--injections")));
        // The brightest detection, from the catalogue.
        const QList<QByteArray> lines = contents(result + QStringLiteral("/catalog.csv")).split('\n');
        const QList<QByteArray> names = lines.first().split(',');
        const auto x = names.indexOf("x"), y = names.indexOf("y"), mag = names.indexOf("mag_i");
        QVERIFY(x >= 0 && y >= 0 && mag >= 0);
        double brightest = 99.0, atX = 0.0, atY = 0.0;
        for (qsizetype i = 1; i < lines.size(); ++i) {
            const QList<QByteArray> cells = lines[i].split(',');
            if (cells.size() < names.size() || !(cells[mag].toDouble() < brightest) || cells[mag].toDouble() < 10.0)
                continue;
            brightest = cells[mag].toDouble();
            atX = cells[x].toDouble();
            atY = cells[y].toDouble();
        }
        QVERIFY(brightest < 99.0);
        QFile recipe(path(QStringLiteral("inject.json")));
        QVERIFY(recipe.open(QIODevice::WriteOnly));
        recipe.write(QStringLiteral(R"({"objects": [{"x": %1, "y": %2, "magnitude": %3}]})")
                         .arg(atX + 0.7)
                         .arg(atY + 0.4)
                         .arg(brightest + 1.0)
                         .toUtf8());
        recipe.close();
        const QString more = path(QStringLiteral("more.fits"));
        const Output made = blend({QStringLiteral("inject"), scene, QStringLiteral("--recipe"), recipe.fileName(),
                                   QStringLiteral("--out"), more});
        QVERIFY2(made.code == 0, qPrintable(made.error));
        const Output suspected = blend({QStringLiteral("judge"), QStringLiteral("--result"), result,
                                        QStringLiteral("--injections"), more, QStringLiteral("--json")});
        QVERIFY2(suspected.code == 0, qPrintable(suspected.error));
        int found = 0;
        for (const QJsonValue& v : suspected.json().value(QStringLiteral("suspicions")).toArray()) {
            found += v.toObject().value(QStringLiteral("evidence")) == QStringLiteral("injection");
        }
        QVERIFY2(found > 0, qPrintable(suspected.out));
        const Output other = blend({QStringLiteral("judge"), QStringLiteral("--result"), result,
                                    QStringLiteral("--injections"), result + QStringLiteral("/none.fits")});
        QCOMPARE(other.code, 1);
        QVERIFY(other.oneLine());
    }
};

QTEST_GUILESS_MAIN(TestJudge)
#include "tst_Judge.moc"
