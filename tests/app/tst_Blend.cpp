#include "io/ResultFolder.h"
#include "io/SceneReader.h"
#include "io/Table.h"
#include "support/Program.h"
#include "support/TestData.h"

#include <QDir>
#include <QFile>
#include <QImageReader>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <csignal>

using namespace blendscope;
using test::blend, test::contents, test::Output;

namespace {

bool sameFloat(float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

} // namespace

/// The real program on small scenes: exit codes, files, and what they hold.
class TestBlend : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    QString m_scene;     // one simulated scene
    QStringList m_three; // three more
    QString m_result;    // the result of m_scene

    [[nodiscard]] QString path(const QString& name) const { return m_dir.filePath(name); }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_dir.isValid());
        QVERIFY2(QFile::exists(test::blendProgram()), "the program blend is not built");
        const QJsonObject methods = blend({QStringLiteral("methods"), QStringLiteral("--json")}).json();
        QStringList usable;
        for (const QJsonValue& m : methods.value(QStringLiteral("methods")).toArray()) {
            if (m.toObject().value(QStringLiteral("usable")).toBool())
                usable << m.toObject().value(QStringLiteral("id")).toString();
        }
        QVERIFY2(usable.contains(QStringLiteral("threshold")) && usable.contains(QStringLiteral("partition")),
                 "the methods threshold and partition are not built");

        const QString recipe = path(QStringLiteral("small.json"));
        const QJsonObject json{
            {QStringLiteral("name"), QStringLiteral("small")},
            {QStringLiteral("survey"), QStringLiteral("lsst")},
            {QStringLiteral("size"), QJsonArray{96, 80}},
            {QStringLiteral("center"), QJsonArray{150.1, 2.2}},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.5, 24.0}},
                                                     {QStringLiteral("density"), 150},
                                                     {QStringLiteral("clustered"), 0.5},
                                                     {QStringLiteral("reach"), 3.0}}}};
        QFile file(recipe);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QJsonDocument(json).toJson());
        file.close();
        const Output made = blend({QStringLiteral("simulate"), recipe, QStringLiteral("--count"), QStringLiteral("4"),
                                   QStringLiteral("--seed"), QStringLiteral("3"), QStringLiteral("--out"),
                                   path(QStringLiteral("scenes")), QStringLiteral("--json")});
        QCOMPARE(made.error, QString());
        QCOMPARE(made.code, 0);
        for (const QJsonValue& scene : made.json().value(QStringLiteral("scenes")).toArray()) {
            m_three << scene.toObject().value(QStringLiteral("path")).toString();
        }
        QCOMPARE(m_three.size(), 4);
        m_scene = m_three.takeFirst();
        m_result = path(QStringLiteral("result"));
        const Output run =
            blend({QStringLiteral("run"), m_scene, QStringLiteral("--pipeline"), QStringLiteral("threshold+partition"),
                   QStringLiteral("--out"), m_result, QStringLiteral("--json")});
        QCOMPARE(run.error, QString());
        QCOMPARE(run.code, 0);
        QVERIFY(run.json()
                    .value(QStringLiteral("scenes"))
                    .toArray()
                    .at(0)
                    .toObject()
                    .value(QStringLiteral("objects"))
                    .toInt() > 0);
    }

    void helpAndUsage_data() {
        QTest::addColumn<QString>("verb");
        for (const char* verb : {"info", "methods", "run", "simulate", "render", "merge", "bench"}) {
            QTest::newRow(verb) << QString::fromLatin1(verb);
        }
    }
    void helpAndUsage() {
        QFETCH(QString, verb);
        const Output help = blend({verb, QStringLiteral("--help")});
        QCOMPARE(help.code, 0);
        QVERIFY(help.out.contains(QStringLiteral("--json")));
        QVERIFY(help.error.isEmpty());
        const Output unknown = blend({verb, QStringLiteral("--no-such-flag")});
        QCOMPARE(unknown.code, 2);
        QVERIFY2(unknown.oneLine(), qPrintable(unknown.error));
    }

    void badUsage_data() {
        QTest::addColumn<QStringList>("arguments");
        const auto row = [](const char* name, const QString& line) {
            QTest::newRow(name) << line.split(QLatin1Char(' '), Qt::SkipEmptyParts);
        };
        row("no verb", QString());
        row("unknown verb", QStringLiteral("dance"));
        row("no scene", QStringLiteral("run --out x"));
        row("no out", QStringLiteral("run SCENE"));
        row("missing value", QStringLiteral("run SCENE --out"));
        row("unknown method", QStringLiteral("run SCENE --pipeline threshold+magic --out OUT"));
        row("unknown parameter", QStringLiteral("run SCENE --pipeline threshold --set threshold.MAGIC=1 --out OUT"));
        row("out of range",
            QStringLiteral("run SCENE --pipeline threshold --set threshold.DETECT_THRESH=-7 --out OUT"));
        row("bad shard", QStringLiteral("run SCENE --shard 2/2 --out OUT"));
        row("bad threads", QStringLiteral("run SCENE --threads none --out OUT"));
        row("bad device", QStringLiteral("run SCENE --device abacus --out OUT"));
        row("bad ending", QStringLiteral("render SCENE --out picture.txt"));
        row("unknown band", QStringLiteral("render SCENE --band q --out OUT.png"));
        row("no bench", QStringLiteral("bench nonsense"));
    }
    void badUsage() {
        QFETCH(QStringList, arguments);
        arguments.replaceInStrings(QStringLiteral("SCENE"), m_scene);
        arguments.replaceInStrings(QStringLiteral("OUT"), path(QStringLiteral("unused")));
        const Output output = blend(arguments);
        QCOMPARE(output.code, 2);
        QVERIFY2(output.oneLine(), qPrintable(output.error));
    }

    void failuresSayOneLine() {
        for (const QStringList& arguments :
             {QStringList{QStringLiteral("info"), path(QStringLiteral("nothing.fits"))},
              QStringList{QStringLiteral("merge"), path(QStringLiteral("scenes"))},
              QStringList{QStringLiteral("run"), QStringLiteral(BLENDSCOPE_SOURCE_DIR "/LICENSE"),
                          QStringLiteral("--pipeline"), QStringLiteral("threshold"), QStringLiteral("--out"),
                          path(QStringLiteral("bad"))}}) {
            const Output output = blend(arguments);
            QCOMPARE(output.code, 1);
            QVERIFY2(output.oneLine(), qPrintable(output.error));
        }
    }

    void info() {
        const Output output = blend({QStringLiteral("info"), m_scene, QStringLiteral("--json")});
        QCOMPARE(output.code, 0);
        const QJsonObject scene = output.json().value(QStringLiteral("scenes")).toArray().at(0).toObject();
        QCOMPARE(scene.value(QStringLiteral("width")).toInt(), 96);
        QCOMPARE(scene.value(QStringLiteral("bands")).toArray().size(), 6);
        QVERIFY(scene.contains(QStringLiteral("truth")));
        QVERIFY(blend({QStringLiteral("info"), m_scene}).out.contains(QStringLiteral("band g")));
    }

    void resultFiles() {
        for (const char* name : {"catalog.fits", "catalog.csv", "blends.csv", "covariances.csv", "segmentation.fits",
                                 "components.fits", "run.json"}) {
            QVERIFY2(QFile::exists(m_result + QLatin1Char('/') + QLatin1String(name)), name);
        }
        QStringList columns;
        for (const TableColumn& c : parseCsv(contents(m_result + QStringLiteral("/catalog.csv"))).columns) {
            columns << c.name;
        }
        QStringList want{QStringLiteral("scene_id"), QStringLiteral("id"), QStringLiteral("parent"),
                         QStringLiteral("x"),        QStringLiteral("y"),  QStringLiteral("ra"),
                         QStringLiteral("dec")};
        for (const char* band : {"u", "g", "r", "i", "z", "y"}) {
            for (const char* prefix : {"flux_", "flux_err_", "mag_"}) {
                want << QLatin1String(prefix) + QLatin1String(band);
            }
        }
        want << QStringLiteral("a") << QStringLiteral("b") << QStringLiteral("theta") << QStringLiteral("flux_radius")
             << QStringLiteral("hlr") << QStringLiteral("class") << QStringLiteral("p_star")
             << QStringLiteral("blendedness") << QStringLiteral("outcome") << QStringLiteral("flags");
        QCOMPARE(columns.first(want.size()), want);

        const QJsonObject run = QJsonDocument::fromJson(contents(m_result + QStringLiteral("/run.json"))).object();
        QCOMPARE(run.value(QStringLiteral("stages")).toArray().size(), 2);
        QCOMPARE(
            run.value(QStringLiteral("stages")).toArray().at(0).toObject().value(QStringLiteral("name")).toString(),
            QStringLiteral("threshold"));
        for (const char* key :
             {"pipeline", "versions", "device", "warnings", "assumptions", "read_seconds", "write_seconds"}) {
            QVERIFY2(run.contains(QLatin1String(key)), key);
        }
        // What was run can be run again from what was written.
        QFile pipeline(path(QStringLiteral("again.json")));
        QVERIFY(pipeline.open(QIODevice::WriteOnly));
        pipeline.write(QJsonDocument(run.value(QStringLiteral("pipeline")).toObject()).toJson());
        pipeline.close();
        const QString again = path(QStringLiteral("again"));
        QCOMPARE(blend({QStringLiteral("run"), m_scene, QStringLiteral("--pipeline"), pipeline.fileName(),
                        QStringLiteral("--threads"), QStringLiteral("1"), QStringLiteral("--out"), again})
                     .code,
                 0);
        for (const char* name : {"catalog.csv", "blends.csv", "catalog.fits", "segmentation.fits", "components.fits"}) {
            QVERIFY2(contents(again + QLatin1Char('/') + QLatin1String(name)) ==
                         contents(m_result + QLatin1Char('/') + QLatin1String(name)),
                     name);
        }
    }

    void roundTrip() {
        const ScenePtr scene = openScenes({m_scene}).front();
        const ResultPtr read = readResult(*scene, m_result);
        QCOMPARE(read->warnings, QStringList());
        QVERIFY(!read->objects.empty() && read->components.size() == read->objects.size());
        const QString copy = path(QStringLiteral("copy"));
        writeResult(*read, *scene, copy);
        const ResultPtr twice = readResult(*scene, copy);
        QCOMPARE(twice->objects.size(), read->objects.size());
        for (size_t i = 0; i < read->objects.size(); ++i) {
            const Object &a = read->objects[i], &b = twice->objects[i];
            QCOMPARE(a.id, b.id);
            QCOMPARE(a.parent, b.parent);
            QCOMPARE(a.x, b.x);
            QCOMPARE(a.flags, b.flags);
            QCOMPARE(a.note, b.note);
            QVERIFY(sameFloat(a.a, b.a) && sameFloat(a.pStar, b.pStar) && sameFloat(a.kronRadius, b.kronRadius));
            for (size_t k = 0; k < a.bands.size(); ++k) {
                QVERIFY(sameFloat(a.bands[k].flux, b.bands[k].flux) &&
                        sameFloat(a.bands[k].fluxErr, b.bands[k].fluxErr) &&
                        sameFloat(a.bands[k].autoFlux, b.bands[k].autoFlux));
            }
        }
        QCOMPARE(cv::countNonZero(read->segmentation != twice->segmentation), 0);
        QVERIFY(cv::countNonZero(read->segmentation) > 0);
        for (size_t i = 0; i < read->components.size(); ++i) {
            QCOMPARE(read->components[i].box, twice->components[i].box);
            for (size_t b = 0; b < scene->bands.size(); ++b) {
                QCOMPARE(cv::norm(read->components[i].model[b], twice->components[i].model[b], cv::NORM_INF), 0.0);
                QCOMPARE(cv::norm(read->components[i].share[b], twice->components[i].share[b], cv::NORM_INF), 0.0);
            }
        }
        QCOMPARE(twice->footprints.size(), read->footprints.size());
        QCOMPARE(twice->blends.size(), read->blends.size());
        for (size_t i = 0; i < read->footprints.size(); ++i) {
            QCOMPARE(twice->footprints[i].area(), read->footprints[i].area());
            QCOMPARE(twice->footprints[i].peaks.size(), read->footprints[i].peaks.size());
            QCOMPARE(twice->blends[i].objects, read->blends[i].objects);
            QCOMPARE(twice->blends[i].covariances.size(), read->blends[i].covariances.size());
        }
        // A part that is missing costs only itself.
        QVERIFY(QFile::remove(copy + QStringLiteral("/components.fits")));
        const ResultPtr part = readResult(*scene, copy);
        QVERIFY(part->components.empty() && part->objects.size() == read->objects.size());
        QCOMPARE(part->warnings.size(), 1);
        QVERIFY_EXCEPTION_THROWN((void)readResult(*scene, path(QStringLiteral("scenes"))), ReadError);
    }

    void manyScenesAndShards() {
        const QString all = path(QStringLiteral("all")), shards = path(QStringLiteral("shards"));
        const QStringList common{QStringLiteral("--pipeline"), QStringLiteral("threshold+partition"),
                                 QStringLiteral("--out")};
        QCOMPARE(blend(QStringList{QStringLiteral("run")} + m_three + common + QStringList{all}).code, 0);
        for (const QString& scene : m_three) {
            QVERIFY(QFile::exists(all + QLatin1Char('/') + QFileInfo(scene).fileName().section(QLatin1Char('.'), 0, 0) +
                                  QStringLiteral("/catalog.fits")));
        }
        for (const char* shard : {"0/2", "1/2"}) {
            QCOMPARE(blend(QStringList{QStringLiteral("run")} + m_three + common +
                           QStringList{shards, QStringLiteral("--shard"), QLatin1String(shard)})
                         .code,
                     0);
        }
        QCOMPARE(blend({QStringLiteral("merge"), shards}).code, 0);
        const auto sorted = [](const QByteArray& bytes) {
            QList<QByteArray> lines = bytes.split('\n');
            std::sort(lines.begin(), lines.end());
            return lines;
        };
        QCOMPARE(sorted(contents(shards + QStringLiteral("/catalog.csv"))),
                 sorted(contents(all + QStringLiteral("/catalog.csv"))));

        // One bad scene among good ones is reported and harms none.
        const QString bad = path(QStringLiteral("broken.fits"));
        QFile file(bad);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("SIMPLE  = nonsense");
        file.close();
        const QString mixed = path(QStringLiteral("mixed"));
        const Output output = blend(QStringList{QStringLiteral("run"), bad} + m_three + common + QStringList{mixed});
        QCOMPARE(output.code, 1);
        QVERIFY(output.error.contains(QStringLiteral("broken")));
        QCOMPARE(contents(mixed + QStringLiteral("/catalog.csv")), contents(all + QStringLiteral("/catalog.csv")));
    }

    void positions() {
        const QString csv = path(QStringLiteral("positions.csv"));
        QFile file(csv);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("x,y\n30.5,20.25\n-50,10\n60,60\n31,22\n");
        file.close();
        const QString out = path(QStringLiteral("at_positions"));
        const Output output =
            blend({QStringLiteral("run"), m_scene, QStringLiteral("--pipeline"), QStringLiteral("threshold+partition"),
                   QStringLiteral("--positions"), csv, QStringLiteral("--out"), out});
        QCOMPARE(output.code, 0);
        const Table table = parseCsv(contents(out + QStringLiteral("/catalog.csv")));
        QCOMPARE(table.rows(), qsizetype(4));
        for (qsizetype i = 0; i < 4; ++i) {
            QCOMPARE(table.find(QStringLiteral("position"))->number(i), double(i));
        }
        QVERIFY(table.find(QStringLiteral("flags"))->text(1).contains(QStringLiteral("outside")));

        // A FITS table serves as well: a catalogue of our own.
        const QString own = path(QStringLiteral("at_catalog"));
        QCOMPARE(blend({QStringLiteral("run"), m_scene, QStringLiteral("--pipeline"),
                        QStringLiteral("threshold+partition"), QStringLiteral("--positions"),
                        m_result + QStringLiteral("/catalog.fits"), QStringLiteral("--out"), own})
                     .code,
                 0);
        QCOMPARE(parseCsv(contents(own + QStringLiteral("/catalog.csv"))).rows(),
                 parseCsv(contents(m_result + QStringLiteral("/catalog.csv"))).rows());
        QCOMPARE(blend(QStringList{QStringLiteral("run")} + m_three +
                       QStringList{QStringLiteral("--positions"), csv, QStringLiteral("--out"), own})
                     .code,
                 2);
    }

    void interruptKeepsWhatIsDone() {
        QProcess process;
        const QString out = path(QStringLiteral("interrupted"));
        QStringList arguments{QStringLiteral("run")};
        arguments << m_scene << m_three << QStringLiteral("--pipeline") << QStringLiteral("threshold+partition")
                  << QStringLiteral("--threads") << QStringLiteral("1") << QStringLiteral("--out") << out;
        process.start(test::blendProgram(), arguments);
        QVERIFY(process.waitForStarted());
        // Before that it is still being loaded, and the signal would meet no handler.
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(out), 10000);
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(10000));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        // It may have been faster than the signal.
        QVERIFY(process.exitCode() == 1 || process.exitCode() == 0);
        QVERIFY(QFile::exists(out + QStringLiteral("/catalog.csv")));
    }

    void resultRemembersHowItsSceneWasOpened() {
        const QString out = path(QStringLiteral("renamed"));
        QCOMPARE(blend({QStringLiteral("run"), m_scene, QStringLiteral("--pipeline"), QStringLiteral("threshold"),
                        QStringLiteral("--bands"), QStringLiteral("b1,b2,b3,b4,b5,b6"), QStringLiteral("--zeropoint"),
                        QStringLiteral("b2=25.5"), QStringLiteral("--name"), QStringLiteral("other"),
                        QStringLiteral("--out"), out})
                     .code,
                 0);
        const QJsonObject opened = QJsonDocument::fromJson(contents(out + QStringLiteral("/run.json")))
                                       .object()
                                       .value(QStringLiteral("opened_with"))
                                       .toObject();
        QCOMPARE(opened.value(QStringLiteral("name")).toString(), QStringLiteral("other"));
        QCOMPARE(opened.value(QStringLiteral("zeropoint")).toObject().value(QStringLiteral("b2")).toDouble(), 25.5);
        const Output again = blend({QStringLiteral("render"), out, QStringLiteral("--band"), QStringLiteral("b3"),
                                    QStringLiteral("--out"), path(QStringLiteral("renamed.png"))});
        QCOMPARE(again.error, QString());
        QCOMPARE(again.code, 0);
    }

    void pictures() {
        const auto render = [&](const QStringList& more, const QString& name) {
            const QString file = path(name);
            const Output output =
                blend(QStringList{QStringLiteral("render")} + more + QStringList{QStringLiteral("--out"), file});
            return output.code == 0 && output.error.isEmpty() ? contents(file) : QByteArray();
        };
        QVERIFY(render({m_scene}, QStringLiteral("scene.png")).startsWith("\x89PNG"));
        QCOMPARE(QImageReader(path(QStringLiteral("scene.png"))).size(), QSize(960, 800));
        QVERIFY(render({m_result, QStringLiteral("--overlay"), QStringLiteral("seg,peaks,ellipses,truth")},
                       QStringLiteral("result.svg"))
                    .contains("<svg"));
        QVERIFY(render({m_scene, QStringLiteral("--band"), QStringLiteral("i"), QStringLiteral("--zoom"),
                        QStringLiteral("0.5")},
                       QStringLiteral("small.pdf"))
                    .startsWith("%PDF"));
        QVERIFY(!render({m_scene, QStringLiteral("--rgb"), QStringLiteral("y,i,g"), QStringLiteral("--region"),
                         QStringLiteral("10,10,40,30")},
                        QStringLiteral("part.jpg"))
                     .isEmpty());
        const QByteArray id =
            parseCsv(contents(m_result + QStringLiteral("/blends.csv"))).find(QStringLiteral("id"))->text(0).toUtf8();
        QVERIFY(!render({m_result, QStringLiteral("--blend"), QString::fromUtf8(id)}, QStringLiteral("blend.png"))
                     .isEmpty());
        QCOMPARE(blend({QStringLiteral("render"), m_result, QStringLiteral("--blend"), QStringLiteral("99999"),
                        QStringLiteral("--out"), path(QStringLiteral("none.png"))})
                     .code,
                 2);
    }

    void astropyReadsEveryFile() {
        const QString python = QStringLiteral("/usr/bin/python3");
        if (!QFile::exists(python) ||
            QProcess::execute(python, {QStringLiteral("-c"), QStringLiteral("import astropy")}) != 0) {
            QSKIP("python3-astropy is not installed");
        }
        const QByteArray script = R"(
import sys, json, numpy as np, warnings
warnings.simplefilter("error")
from astropy.io import fits
from astropy.table import Table
d = sys.argv[1]
cat = Table.read(d + "/catalog.fits", hdu="CATALOG")
csv = Table.read(d + "/catalog.csv")
assert csv.colnames == cat.colnames and len(csv) == len(cat) > 0
assert np.allclose(np.asarray(csv["flux_i"], float), np.asarray(cat["flux_i"], float), rtol=1e-6, equal_nan=True)
blends = Table.read(d + "/catalog.fits", hdu="BLENDS")
assert set(cat["parent"]) <= set(blends["id"])
assert len(Table.read(d + "/blends.csv")) == len(blends)
Table.read(d + "/covariances.csv")
with fits.open(d + "/segmentation.fits", checksum=True) as h:
    h.verify("exception")
    seg = next(x.data for x in h if x.data is not None and x.data.ndim == 2)
    assert seg.shape == (80, 96) and seg.dtype.kind == "i" and seg.dtype.itemsize == 4
    assert set(np.unique(seg)) - {0} <= set(cat["id"])
    from astropy.wcs import WCS
    warnings.simplefilter("ignore")
    assert WCS(h[0].header).has_celestial
    warnings.simplefilter("error")
with fits.open(d + "/components.fits") as h:
    h.verify("exception")
    bands = h[0].header["BANDS"].split(",")
    assert bands == ["u", "g", "r", "i", "z", "y"], bands
    rows = h["COMPONENTS"].data
    assert set(rows["id"]) == set(cat["id"])
    for r in rows:
        m = np.asarray(r["model"], np.float32).reshape(len(bands), r["ny"], r["nx"])
        s = np.asarray(r["share"], np.float32).reshape(len(bands), r["ny"], r["nx"])
        assert np.isfinite(m).all() and np.isfinite(s).all()
json.load(open(d + "/run.json"))
print("read")
)";
        QProcess process;
        process.start(python, {QStringLiteral("-c"), QString::fromUtf8(script), m_result});
        QVERIFY(process.waitForFinished(60000));
        const QByteArray error = process.readAllStandardError();
        QVERIFY2(process.exitCode() == 0, error.constData());
    }

    void bench() {
        const Output output = blend({QStringLiteral("bench"), QStringLiteral("render"), QStringLiteral("--json")});
        QCOMPARE(output.code, 0);
        const QJsonArray entries = output.json().value(QStringLiteral("entries")).toArray();
        QCOMPARE(entries.size(), 1);
        QVERIFY(entries.at(0).toObject().value(QStringLiteral("sane")).toBool());
    }
};

QTEST_GUILESS_MAIN(TestBlend)
#include "tst_Blend.moc"
