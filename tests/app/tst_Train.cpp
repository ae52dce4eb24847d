#include "support/Program.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <signal.h>

using namespace blendscope::test;

namespace {

void write(const QString& path, const QByteArray& text) {
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

} // namespace

/// `blend train` end to end, with a method that learns a straight line.
class TestTrain : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    [[nodiscard]] QString path(const QString& name) const { return m_dir.filePath(name); }

private Q_SLOTS:
    void initTestCase() {
        if (!QFile::exists(QStringLiteral(BLENDSCOPE_BINARY_DIR "/tests/plugins/toymethod/toymethod.so")))
            QSKIP("built without LibTorch");
        qputenv("BLENDSCOPE_PLUGIN_PATH", BLENDSCOPE_BINARY_DIR "/tests/plugins");
        write(path(QStringLiteral("short.json")), R"({"training": {"steps": 120}})");
        write(path(QStringLiteral("long.json")), R"({"training": {"steps": 1000000, "checkpoint_minutes": 1}})");
    }

    void trainsAndLeavesAModelWithCurves() {
        const Output run = blend({QStringLiteral("train"), QStringLiteral("toymethod"), QStringLiteral("--recipe"),
                                  path(QStringLiteral("short.json")), QStringLiteral("--out"),
                                  path(QStringLiteral("model")), QStringLiteral("--json")});
        QVERIFY2(run.code == 0, qPrintable(run.error));
        const QJsonObject json = run.json();
        QCOMPARE(json.value(QStringLiteral("steps")).toInt(), 120);
        QVERIFY(!json.value(QStringLiteral("stopped")).toBool(true));
        QVERIFY(json.value(QStringLiteral("metrics")).toObject().value(QStringLiteral("rms")).toDouble(9) < 0.3);
        QVERIFY(run.error.contains(QLatin1String("step 50")));
        for (const char* name : {"weights.safetensors", "card.json", "README.md", "curves.csv", "curves.svg"}) {
            QVERIFY2(!contents(path(QStringLiteral("model/") + QLatin1String(name))).isEmpty(), name);
        }
        // A card is a recipe: the same model again, to the last bit.
        const Output again =
            blend({QStringLiteral("train"), QStringLiteral("toymethod"), QStringLiteral("--recipe"),
                   path(QStringLiteral("model/card.json")), QStringLiteral("--out"), path(QStringLiteral("again"))});
        QVERIFY2(again.code == 0, qPrintable(again.error));
        QCOMPARE(contents(path(QStringLiteral("again/weights.safetensors"))),
                 contents(path(QStringLiteral("model/weights.safetensors"))));
    }

    void interruptedAndResumed() {
        QProcess process;
        process.setProgram(blendProgram());
        process.setArguments({QStringLiteral("train"), QStringLiteral("toymethod"), QStringLiteral("--recipe"),
                              path(QStringLiteral("long.json")), QStringLiteral("--out"),
                              path(QStringLiteral("long"))});
        process.start();
        QVERIFY(process.waitForStarted());
        QByteArray said;
        QTRY_VERIFY_WITH_TIMEOUT(
            (process.waitForReadyRead(10), said += process.readAllStandardError(), said.contains("step 50")), 60000);
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 0);
        QVERIFY(process.readAllStandardOutput().contains("--resume"));
        QVERIFY(QFile::exists(path(QStringLiteral("long/checkpoint.safetensors"))));
        QVERIFY(!QFile::exists(path(QStringLiteral("long/card.json"))));
        // With a nearer goal it is over at once, and the model is written.
        write(path(QStringLiteral("near.json")), R"({"training": {"steps": 60}})");
        const Output resumed = blend({QStringLiteral("train"), QStringLiteral("toymethod"), QStringLiteral("--recipe"),
                                      path(QStringLiteral("near.json")), QStringLiteral("--out"),
                                      path(QStringLiteral("long")), QStringLiteral("--resume")});
        QVERIFY2(resumed.code == 0, qPrintable(resumed.error));
        QVERIFY(QFile::exists(path(QStringLiteral("long/card.json"))));
    }

    void badUsageIsOneSentence_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("word");
        const QString out = path(QStringLiteral("x"));
        QTest::newRow("no method") << QStringList{} << QStringLiteral("method");
        QTest::newRow("unknown") << QStringList{QStringLiteral("nosuch"), QStringLiteral("--out"), out}
                                 << QStringLiteral("nosuch");
        QTest::newRow("classical") << QStringList{QStringLiteral("threshold"), QStringLiteral("--out"), out}
                                   << QStringLiteral("toymethod");
        QTest::newRow("no out") << QStringList{QStringLiteral("toymethod")} << QStringLiteral("--out");
        QTest::newRow("nothing to resume")
            << QStringList{QStringLiteral("toymethod"), QStringLiteral("--out"), out, QStringLiteral("--resume")}
            << QStringLiteral("checkpoint");
        QTest::newRow("device") << QStringList{QStringLiteral("toymethod"), QStringLiteral("--out"), out,
                                               QStringLiteral("--device"), QStringLiteral("cuda:99")}
                                << QStringLiteral("cuda:99");
    }
    void badUsageIsOneSentence() {
        QFETCH(QStringList, arguments);
        QFETCH(QString, word);
        const Output run = blend(QStringList{QStringLiteral("train")} + arguments);
        QCOMPARE(run.code, 2);
        QVERIFY2(run.error.contains(word), qPrintable(run.error));
        QVERIFY(run.oneLine());
    }

    void theRecipeCanBePrinted() {
        const Output run =
            blend({QStringLiteral("train"), QStringLiteral("toymethod"), QStringLiteral("--print-recipe")});
        QCOMPARE(run.code, 0);
        QVERIFY(run.json().contains(QStringLiteral("training")));
    }
};

QTEST_GUILESS_MAIN(TestTrain)
#include "tst_Train.moc"
