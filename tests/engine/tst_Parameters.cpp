#include "core/Error.h"
#include "method/Parameters.h"

#include <QJsonArray>
#include <QTest>

using namespace blendscope;

namespace {

ParameterInfo info(const QString& key, QJsonObject json) {
    return ParameterInfo::fromJson(key, json);
}

Parameters sample() {
    return Parameters({
        info(QStringLiteral("THRESH"), {{"type", "real"}, {"default", 1.5}, {"minimum", 0.1}, {"maximum", 100}}),
        info(QStringLiteral("AREA"), {{"type", "integer"}, {"default", 5}, {"minimum", 1}}),
        info(QStringLiteral("CLEAN"), {{"type", "boolean"}, {"default", true}}),
        info(QStringLiteral("MODE"),
             {{"type", "choice"}, {"default", "auto"}, {"choices", QJsonArray{"auto", "none"}}}),
    });
}

} // namespace

class TestParameters : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaultsUntilSet() {
        Parameters p = sample();
        QCOMPARE(p.real(QStringLiteral("THRESH")), 1.5);
        QCOMPARE(p.integer(QStringLiteral("AREA")), 5);
        p.set(QStringLiteral("thresh"), QStringLiteral("3.25"));
        QCOMPARE(p.real(QStringLiteral("THRESH")), 3.25);
        p.set(QStringLiteral("CLEAN"), QStringLiteral("no"));
        QVERIFY(!p.boolean(QStringLiteral("CLEAN")));
        p.set(QStringLiteral("MODE"), QStringLiteral("NONE"));
        QCOMPARE(p.text(QStringLiteral("MODE")), QStringLiteral("none"));
        QCOMPARE(p.toJson().value(QStringLiteral("AREA")).toInt(), 5);
    }

    void unfitValuesAreRefusedInWords_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("word");
        QTest::newRow("no number") << QStringLiteral("THRESH") << QStringLiteral("much") << QStringLiteral("a number");
        QTest::newRow("nan") << QStringLiteral("THRESH") << QStringLiteral("nan") << QStringLiteral("a number");
        QTest::newRow("low") << QStringLiteral("THRESH") << QStringLiteral("0") << QStringLiteral("at least 0.1");
        QTest::newRow("high") << QStringLiteral("THRESH") << QStringLiteral("1e3") << QStringLiteral("at most 100");
        QTest::newRow("fraction") << QStringLiteral("AREA") << QStringLiteral("2.5") << QStringLiteral("whole");
        QTest::newRow("boolean") << QStringLiteral("CLEAN") << QStringLiteral("maybe")
                                 << QStringLiteral("true or false");
        QTest::newRow("choice") << QStringLiteral("MODE") << QStringLiteral("x") << QStringLiteral("one of auto, none");
        QTest::newRow("unknown") << QStringLiteral("WHAT") << QStringLiteral("1") << QStringLiteral("there are THRESH");
    }
    void unfitValuesAreRefusedInWords() {
        QFETCH(QString, key);
        QFETCH(QString, value);
        QFETCH(QString, word);
        Parameters p = sample();
        const QJsonObject before = p.toJson();
        try {
            p.set(key, value);
            QFAIL("accepted");
        } catch (const UsageError& e) {
            QVERIFY2(e.message().contains(word), qPrintable(e.message()));
        }
        QCOMPARE(p.toJson(), before);
    }

    void senselessDescriptionsAreRefused() {
        QVERIFY_THROWS_EXCEPTION(UsageError, info(QStringLiteral("A"), {{"type", "colour"}, {"default", 1}}));
        QVERIFY_THROWS_EXCEPTION(UsageError, info(QStringLiteral("A"), {{"type", "real"}}));
        QVERIFY_THROWS_EXCEPTION(UsageError,
                                 info(QStringLiteral("A"), {{"type", "real"}, {"default", 5}, {"maximum", 1}}));
    }
};

QTEST_APPLESS_MAIN(TestParameters)
#include "tst_Parameters.moc"
