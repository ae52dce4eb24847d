#include "neural/Device.h"

#include <QTest>

using namespace blendscope;

class TestDevice : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theProcessorIsAlwaysThere() {
        QCOMPARE(neuralDevices().front(), QStringLiteral("cpu"));
        QCOMPARE(resolveDevice(QStringLiteral("CPU")), QStringLiteral("cpu"));
        QVERIFY(neuralDevices().contains(resolveDevice(QStringLiteral("auto"))));
        QVERIFY(neuralVersion().contains(QLatin1Char('.')));
    }
    void aMissingDeviceIsRefusedInWords() {
        try {
            (void)resolveDevice(QStringLiteral("cuda:77"));
            QFAIL("accepted");
        } catch (const UsageError& e) {
            QVERIFY(e.message().contains(QLatin1String("cpu")));
        }
    }
};

QTEST_APPLESS_MAIN(TestDevice)
#include "tst_Device.moc"
