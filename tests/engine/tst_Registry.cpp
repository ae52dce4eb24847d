#include "core/Error.h"
#include "method/Pipeline.h"
#include "method/Registry.h"
#include "method/Trust.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace blendscope;

namespace {

void write(const QString& path, const QByteArray& text) {
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

} // namespace

class TestRegistry : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theInstalledMethodsAreUsable() {
        const Registry registry;
        for (const char* id : {"threshold", "partition", "factorize"}) {
            const MethodInfo* info = registry.find(QLatin1String(id));
            QVERIFY2(info, id);
            QVERIFY2(info->problem.isEmpty(), qPrintable(info->problem));
            QVERIFY(!info->title.isEmpty() && !info->description.isEmpty() && !info->parameters.empty());
            QVERIFY(registry.create(QLatin1String(id)) != nullptr);
        }
    }

    void aBrokenMethodIsListedWithItsReason_data() {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("word");
        QTest::newRow("no json") << QByteArray("not json") << QStringLiteral("not a JSON object");
        QTest::newRow("other id") << QByteArray(R"({"id": "y", "stages": ["detect"]})")
                                  << QStringLiteral("folder's name");
        QTest::newRow("stage") << QByteArray(R"({"id": "x", "stages": ["dance"]})") << QStringLiteral("unknown stage");
        QTest::newRow("no stages") << QByteArray(R"({"id": "x"})") << QStringLiteral("no stages");
        QTest::newRow("parameter") << QByteArray(R"({"id": "x", "stages": ["detect"], "parameters": [{"key": "A"}]})")
                                   << QStringLiteral("parameter A");
        QTest::newRow("no module") << QByteArray(R"({"id": "x", "stages": ["detect"]})")
                                   << QStringLiteral("is missing");
    }
    void aBrokenMethodIsListedWithItsReason() {
        QFETCH(QByteArray, json);
        QFETCH(QString, word);
        QTemporaryDir dir;
        write(dir.filePath(QStringLiteral("x/method.json")), json);
        const Registry registry({dir.path()}, {});
        QCOMPARE(registry.methods().size(), std::size_t(1));
        QVERIFY2(registry.methods().front().problem.contains(word), qPrintable(registry.methods().front().problem));
        QVERIFY_THROWS_EXCEPTION(MethodError, (void)registry.create(QStringLiteral("x")));
    }

    void aModuleThatIsNoMethodIsRefused() {
        QTemporaryDir dir;
        write(dir.filePath(QStringLiteral("x/method.json")), R"({"id": "x", "stages": ["detect"]})");
        write(dir.filePath(QStringLiteral("x/x.so")), "this is no library");
        const Registry registry({dir.path()});
        QVERIFY_THROWS_EXCEPTION(MethodError, (void)registry.create(QStringLiteral("x")));
    }

    void aModelWithADescriptionIsAMethod() {
        QTemporaryDir dir;
        const QString models = dir.filePath(QStringLiteral("models"));
        write(models + QStringLiteral("/net.json"),
              R"({"id": "net", "title": "Net", "stages": ["count"], "torchscript": {"model": "net.pt"}})");
        write(models + QStringLiteral("/net.pt"), "weights and code");
        write(models + QStringLiteral("/lost.json"),
              R"({"id": "lost", "stages": ["count"], "torchscript": {"model": "lost.pt"}})");
        write(models + QStringLiteral("/other.json"), R"({"something": "else"})");
        write(dir.filePath(QStringLiteral("plugins/host/method.json")),
              R"({"id": "host", "runs": "torchscript", "stages": ["deblend"]})");
        write(dir.filePath(QStringLiteral("plugins/host/host.so")), "");
        const Registry registry({dir.filePath(QStringLiteral("plugins"))}, {models});
        QCOMPARE(registry.methods().size(), std::size_t(2)); // what runs them is none itself
        const MethodInfo* net = registry.find(QStringLiteral("net"));
        QVERIFY(net && net->problem.isEmpty());
        QCOMPARE(net->script, models + QStringLiteral("/net.pt"));
        QCOMPARE(net->folder, models + QStringLiteral("/net.json"));
        QVERIFY(net->module.endsWith(QLatin1String("host.so")));
        QVERIFY(registry.find(QStringLiteral("lost"))->problem.contains(QLatin1String("lost.pt")));
        const Registry without({}, {models});
        QVERIFY(without.find(QStringLiteral("net"))->problem.contains(QLatin1String("LibTorch")));
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)registry.createTrainable(QStringLiteral("net")));
    }

    void trustIsInTheContent() {
        QTemporaryDir settings;
        qputenv("XDG_CONFIG_HOME", settings.path().toUtf8());
        const QString path = settings.filePath(QStringLiteral("a.pt"));
        write(path, "abc");
        const QString digest = trust::digest(path);
        QCOMPARE(digest, QStringLiteral("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        QCOMPARE(trust::digestOf("abc"), digest);
        QVERIFY(!trust::isTrusted(digest));
        trust::remember(digest, path);
        trust::remember(trust::digestOf("other"), path);
        QVERIFY(trust::isTrusted(digest));
        write(path, "abd");
        QVERIFY(!trust::isTrusted(trust::digest(path)));
        QVERIFY_THROWS_EXCEPTION(ReadError, (void)trust::digest(settings.filePath(QStringLiteral("none"))));
    }

    void unknownMethodsNameTheKnownOnes() {
        const Registry registry;
        try {
            (void)registry.create(QStringLiteral("nothing"));
            QFAIL("created");
        } catch (const UsageError& e) {
            QVERIFY(e.message().contains(QLatin1String("threshold")));
        }
    }

    void pipelinesAreDataThereAndBack() {
        Pipeline p = Pipeline::parse(QStringLiteral("threshold+factorize"));
        p.set(QStringLiteral("threshold.DETECT_THRESH=2.5"));
        p.set(QStringLiteral("pipeline.residual_iterations=2"));
        const Pipeline q = Pipeline::fromJson(p.toJson());
        QCOMPARE(q.name(), QStringLiteral("threshold+factorize"));
        QCOMPARE(q.residualIterations, 2);
        QCOMPARE(q.toJson(), p.toJson());
        QVERIFY_THROWS_EXCEPTION(UsageError, p.set(QStringLiteral("partition.X=1")));
        QVERIFY_THROWS_EXCEPTION(UsageError, p.set(QStringLiteral("nonsense")));
        QVERIFY_THROWS_EXCEPTION(UsageError, p.set(QStringLiteral("pipeline.residual_iterations=-1")));
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)Pipeline::parse(QStringLiteral("a++b")));
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)Pipeline::parse(QStringLiteral("{}")));
        QVERIFY_THROWS_EXCEPTION(UsageError, (void)Pipeline::parse(QStringLiteral("missing.json")));
    }

    void resourcesAreFound() { QVERIFY(QFile::exists(resourceFolder() + QStringLiteral("/surveys"))); }
};

QTEST_GUILESS_MAIN(TestRegistry)
#include "tst_Registry.moc"
