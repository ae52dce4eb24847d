#include "figure/PlotFigure.h"
#include "figure/ReportPage.h"
#include "support/Program.h"
#include "support/TestData.h"

#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;
using test::blend, test::contents, test::Output;

namespace {

QJsonObject jsonOf(const QString& path) {
    // Python writes NaN, which JSON does not know.
    return QJsonDocument::fromJson(contents(path).replace("NaN", "null")).object();
}

/// A python with numpy and astropy, or nothing.
QString python() {
    for (const QString& name : {QStringLiteral("python3"), QStringLiteral("/usr/bin/python3")}) {
        if (test::runProgram(name, {QStringLiteral("-c"), QStringLiteral("import numpy, astropy")}).code == 0)
            return name;
    }
    return {};
}

} // namespace

/// `blend evaluate` end to end, and its numbers against those of an independent scorer.
class TestEvaluate : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    [[nodiscard]] QString path(const QString& name) const { return m_dir.filePath(name); }

    /// The two sets of numbers side by side; every name that differs by more than rounding.
    static QStringList differences(const QJsonObject& theirs, const QJsonObject& ours, int scenes) {
        QStringList out;
        int compared = 0;
        const auto check = [&](const QString& id, const QJsonValue& value, double tolerance = 2e-4) {
            if (!value.isDouble()) return;
            const QJsonValue own = ours.value(id).toObject().value(QStringLiteral("value"));
            ++compared;
            if (!own.isDouble() ||
                std::abs(own.toDouble() - value.toDouble()) > tolerance * std::max(1.0, std::abs(value.toDouble())))
                out << QStringLiteral("%1: %2, not %3").arg(id).arg(own.toDouble(std::nan(""))).arg(value.toDouble());
        };
        const auto category = [](const QString& key) {
            return key.section(QLatin1Char(' '), 0, 0).section(QLatin1Char('('), 0, 0);
        };
        const auto band = [](const QString& key) { return key.section(QLatin1Char(' '), -1); };
        const QJsonObject detection = theirs.value(QStringLiteral("detection")).toObject();
        for (const char* name : {"completeness", "purity", "f1"}) {
            check(QLatin1String(name), detection.value(QLatin1String(name)));
        }
        const QJsonObject flux = theirs.value(QStringLiteral("flux")).toObject();
        for (auto it = flux.begin(); it != flux.end(); ++it) {
            const QJsonObject v = it.value().toObject();
            if (it.key().startsWith(QLatin1String("colour"))) {
                const QString c = category(it.key().section(QStringLiteral(", "), 1)) + QStringLiteral(":g-i");
                check(QStringLiteral("colour_bias:") + c, v.value(QStringLiteral("median")));
                check(QStringLiteral("colour_scatter:") + c, v.value(QStringLiteral("mad")));
                continue;
            }
            const QString tail = QStringLiteral(":%1:%2").arg(category(it.key()), band(it.key()));
            check(QStringLiteral("flux_bias") + tail, v.value(QStringLiteral("median")));
            check(QStringLiteral("flux_scatter") + tail, v.value(QStringLiteral("mad")));
            check(QStringLiteral("flux_outliers") + tail, v.value(QStringLiteral("out50")));
        }
        const QJsonObject within = theirs.value(QStringLiteral("within20")).toObject();
        for (auto it = within.begin(); it != within.end(); ++it) {
            check(QStringLiteral("within20:%1:%2").arg(category(it.key()), band(it.key())),
                  it.value().toObject().value(QStringLiteral("frac")));
        }
        const QJsonObject outcomes = theirs.value(QStringLiteral("outcome_truth")).toObject();
        for (const char* name : {"found", "shared", "shredded", "missed", "shared_secondary"}) {
            check(QStringLiteral("match:") + QLatin1String(name), outcomes.value(QLatin1String(name)));
        }
        check(QStringLiteral("match:spurious_per_scene"),
              outcomes.value(QStringLiteral("spurious_det")).toDouble() / scenes);
        const QJsonObject blends = theirs.value(QStringLiteral("outcome_blend")).toObject();
        for (auto it = blends.begin(); it != blends.end(); ++it) {
            const QString size = it.key().section(QLatin1Char('='), 1);
            check(QStringLiteral("whole_blends:") + (it.key().contains(QLatin1Char('>')) ? QStringLiteral("2+") : size),
                  it.value().toObject().value(QStringLiteral("found")));
        }
        const QJsonObject masks = theirs.value(QStringLiteral("seg_iou_i")).toObject();
        for (auto it = masks.begin(); it != masks.end(); ++it) {
            check(QStringLiteral("mask_iou:") + category(it.key()),
                  it.value().toObject().value(QStringLiteral("median")));
            check(QStringLiteral("mask_iou_mean:") + category(it.key()),
                  it.value().toObject().value(QStringLiteral("mean")));
        }
        const QJsonObject images = theirs.value(QStringLiteral("images")).toObject();
        for (auto it = images.begin(); it != images.end(); ++it) {
            const QString tail = QStringLiteral(":%1:%2").arg(category(it.key()), band(it.key()));
            const QJsonObject v = it.value().toObject();
            check(QStringLiteral("image_correlation") + tail, v.value(QStringLiteral("corr")));
            check(QStringLiteral("image_psnr_own") + tail, v.value(QStringLiteral("psnr")));
            check(QStringLiteral("image_psnr") + tail, v.value(QStringLiteral("psnr_abs")));
            check(QStringLiteral("image_ssim_own") + tail, v.value(QStringLiteral("ssim")));
            check(QStringLiteral("image_ssim41_own") + tail, v.value(QStringLiteral("ssim41")));
        }
        if (compared < 20) out << QStringLiteral("only %1 numbers were compared").arg(compared);
        return out;
    }

private Q_SLOTS:
    void report() {
        QFile recipe(path(QStringLiteral("recipe.json")));
        QVERIFY(recipe.open(QIODevice::WriteOnly));
        recipe.write(R"({"name": "s", "survey": "lsst", "bands": ["g", "r", "i"], "size": [64, 64],
                         "galaxies": {"magnitudes": [20, 23.5], "count": [2, 3], "radius": 2.0}})");
        recipe.close();
        QCOMPARE(blend({QStringLiteral("simulate"), recipe.fileName(), QStringLiteral("--count"), QStringLiteral("12"),
                        QStringLiteral("--out"), path(QStringLiteral("scenes"))})
                     .code,
                 0);
        QCOMPARE(
            blend({QStringLiteral("run"), path(QStringLiteral("scenes")), QStringLiteral("--pipeline"),
                   QStringLiteral("threshold+partition"), QStringLiteral("--out"), path(QStringLiteral("results"))})
                .code,
            0);
        const QString out = path(QStringLiteral("evaluation"));
        const QStringList arguments = {QStringLiteral("evaluate"),
                                       QStringLiteral("--scenes"),
                                       path(QStringLiteral("scenes")),
                                       QStringLiteral("--pipeline"),
                                       QStringLiteral("low=threshold+partition"),
                                       QStringLiteral("--pipeline"),
                                       QStringLiteral("high=threshold+partition"),
                                       QStringLiteral("--set"),
                                       QStringLiteral("high:threshold.DETECT_THRESH=300"),
                                       QStringLiteral("--results"),
                                       QStringLiteral("saved=") + path(QStringLiteral("results")),
                                       QStringLiteral("--results"),
                                       QStringLiteral("table=") + path(QStringLiteral("results/catalog.csv")),
                                       QStringLiteral("--no-readiness"),
                                       QStringLiteral("--figures"),
                                       QStringLiteral("--out"),
                                       out};
        const Output done = blend(arguments);
        QVERIFY2(done.code == 0, qPrintable(done.error));
        QVERIFY(done.out.contains(QLatin1String("completeness")));
        const QJsonObject json = jsonOf(out + QStringLiteral("/evaluation.json"));
        const QJsonArray pipelines = json.value(QStringLiteral("pipelines")).toArray();
        QCOMPARE(pipelines.size(), 4);
        const auto value = [&](int pipeline, const char* metric) {
            return pipelines[pipeline]
                .toObject()
                .value(QStringLiteral("metrics"))
                .toObject()
                .value(QLatin1String(metric))
                .toObject()
                .value(QStringLiteral("value"))
                .toDouble(-1.0);
        };
        QVERIFY(value(0, "completeness") > 0.4);
        // The setting was given to one pipeline alone, and results that were saved say the same as the run.
        QVERIFY(value(1, "completeness") < value(0, "completeness"));
        QCOMPARE(value(2, "completeness"), value(0, "completeness"));
        QCOMPARE(value(3, "completeness"), value(0, "completeness"));
        QVERIFY(std::abs(value(2, "within20:all:i") - value(0, "within20:all:i")) < 1e-9);
        QVERIFY(std::abs(value(3, "within20:all:i") - value(0, "within20:all:i")) < 1e-9);
        QVERIFY(value(0, "outcome:recognized") >= 0.0);
        QCOMPARE(value(3, "ap_mask"), -1.0); // a catalogue has no masks
        const QString html = QString::fromUtf8(contents(out + QStringLiteral("/report.html")));
        QVERIFY(html.startsWith(QLatin1String("<!DOCTYPE html>")));
        QVERIFY(html.contains(QLatin1String("<svg")) && html.contains(QLatin1String("data:image/png;base64,")));
        QVERIFY(html.contains(QLatin1String("prefers-color-scheme")) && html.contains(QLatin1String("currentColor")));
        for (const char* foreign : {"src=\"http", "href=\"http", "<script", "@import", "url(http"}) {
            QVERIFY2(!html.contains(QLatin1String(foreign)), foreign); // nothing from elsewhere
        }
        for (const char* name : {"metrics.csv", "plots.csv", "objects.csv"}) {
            QVERIFY2(contents(out + QLatin1Char('/') + QLatin1String(name)).count('\n') > 10, name);
        }
        QVERIFY(contents(out + QStringLiteral("/figures/blend_outcomes.png")).startsWith("\x89PNG"));
        // The same again gives the same, byte for byte, but for times.
        const auto withoutTimes = [&] {
            QByteArrayList lines = contents(out + QStringLiteral("/plots.csv")).split('\n');
            const qsizetype all = lines.size();
            lines.removeIf([](const QByteArray& line) { return line.startsWith("seconds_per_object_by_"); });
            return lines.size() < all ? lines : QByteArrayList();
        };
        const QByteArrayList before = withoutTimes();
        QVERIFY(!before.isEmpty());
        QCOMPARE(blend(arguments + QStringList{QStringLiteral("--threads"), QStringLiteral("1")}).code, 0);
        QCOMPARE(withoutTimes(), before);
    }

    void misuse() {
        const QString scenes = path(QStringLiteral("scenes")), out = path(QStringLiteral("bad"));
        const auto code = [&](const QStringList& more) {
            return blend(QStringList{QStringLiteral("evaluate"), QStringLiteral("--scenes"), scenes,
                                     QStringLiteral("--out"), out} +
                         more)
                .code;
        };
        QCOMPARE(code({QStringLiteral("--pipeline"), QStringLiteral("threshold+partition"),
                       QStringLiteral("--pipeline"), QStringLiteral("threshold+partition")}),
                 2);
        QCOMPARE(code({QStringLiteral("--set"), QStringLiteral("nobody:threshold.DETECT_THRESH=2")}), 2);
        QCOMPARE(code({QStringLiteral("--set"), QStringLiteral("DETECT_THRESH")}), 2);
        QCOMPARE(code({QStringLiteral("--results"), QStringLiteral("x=/nowhere/at/all")}), 2);
    }

    void plotsSvg() {
        PlotData plot;
        plot.id = QStringLiteral("p");
        plot.title = QStringLiteral("a < b & c");
        plot.series.resize(2);
        plot.series[1].pipeline = 1;
        plot.series[0].points = {{1, 0, 2, 0.5, 0.1, 12, {0, 1}}, {3, 2, 4, std::nan(""), 0.1, 3, {}}};
        plot.series[1].points = {{1, 0, 2, 0.7, 0.1, 12, {0, 1}}};
        const QByteArray svg = plotSvg(plot, {300, 200});
        QVERIFY(svg.startsWith("<svg") && svg.contains("currentColor") && svg.contains("a &lt; b &amp; c"));
        QImage image(300, 200, QImage::Format_RGB32);
        QPainter painter(&image);
        const std::vector<PlotHit> hits = paintPlot(painter, QRectF(0, 0, 300, 200), plot);
        QCOMPARE(hits.size(), size_t(2)); // a point without a value is not drawn
        QVERIFY(hits[0].at.y() > hits[1].at.y());
        // Nothing to draw, and no room: no crash.
        PlotData nothing;
        (void)paintPlot(painter, QRectF(0, 0, 5, 5), nothing);
        (void)plotSvg(nothing, {10, 10});
    }

    void sameAsAnIndependentScorer_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("pipeline");
        QTest::addColumn<int>("count");
        QTest::newRow("stamps") << QStringLiteral("stamps") << QStringLiteral("threshold+partition") << 24;
        QTest::newRow("a scene") << QStringLiteral("scenes") << QStringLiteral("threshold+partition") << 1;
    }
    void sameAsAnIndependentScorer() {
        QFETCH(QString, kind);
        QFETCH(QString, pipeline);
        QFETCH(int, count);
        const QString folder = test::sharedData(QStringLiteral("btk/") + kind);
        const QString scorer = test::sharedData(QStringLiteral("../tools/score.py"));
        if (folder.isEmpty() || scorer.isEmpty()) QSKIP(test::sharedDataMissing());
        const QString interpreter = python();
        if (interpreter.isEmpty()) QSKIP("there is no python3 with numpy and astropy");
        QStringList names, files;
        for (const QString& name : QDir(folder).entryList({QStringLiteral("*.fits.gz")}, QDir::Files, QDir::Name)) {
            if (names.size() >= count) break;
            names << name.section(QLatin1Char('.'), 0, 0);
            files << QDir(folder).filePath(name);
        }
        const QString results = path(kind), out = path(kind + QStringLiteral("_evaluation"));
        // A list of one would be a result folder without one of its scene.
        const QString run = count == 1 ? results + QLatin1Char('/') + names.first() : results;
        QCOMPARE(blend(QStringList{QStringLiteral("run")} + files +
                       QStringList{QStringLiteral("--pipeline"), pipeline, QStringLiteral("--out"), run})
                     .code,
                 0);
        const Output ours =
            blend(QStringList{QStringLiteral("evaluate")} + files +
                  QStringList{QStringLiteral("--results"), QStringLiteral("r=") + results,
                              QStringLiteral("--no-readiness"), QStringLiteral("--no-outcomes"),
                              QStringLiteral("--complete"), QStringLiteral("--worst"), QStringLiteral("0"),
                              QStringLiteral("--bootstrap"), QStringLiteral("5"), QStringLiteral("--out"), out});
        QVERIFY2(ours.code == 0, qPrintable(ours.error));
        const Output theirs = test::runProgram(
            interpreter,
            {scorer, QStringLiteral("--truth"), folder, QStringLiteral("--pred"), run + QStringLiteral("/catalog.csv"),
             QStringLiteral("--seg"), results, QStringLiteral("--models"), results, QStringLiteral("--only"),
             names.join(QLatin1Char(',')), QStringLiteral("--json"), out + QStringLiteral("/s.json")});
        QVERIFY2(theirs.code == 0, qPrintable(theirs.error));
        const QStringList bad = differences(jsonOf(out + QStringLiteral("/s.json")),
                                            jsonOf(out + QStringLiteral("/evaluation.json"))
                                                .value(QStringLiteral("pipelines"))
                                                .toArray()
                                                .first()
                                                .toObject()
                                                .value(QStringLiteral("metrics"))
                                                .toObject(),
                                            count);
        QVERIFY2(bad.isEmpty(), qPrintable(bad.join(QLatin1Char('\n'))));
    }
};

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QGuiApplication application(argc, argv);
    TestEvaluate test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_Evaluate.moc"
