#include "core/Error.h"
#include "method/Pipeline.h"
#include "method/Registry.h"

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
        const Registry registry({dir.path()});
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
