#include "core/Error.h"
#include "neural/Layers.h"
#include "neural/ModelFile.h"
#include "neural/Safetensors.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

using namespace blendscope;

namespace {

/// A file of weights with this header and so many bytes of data.
QByteArray fileOf(const QByteArray& header, int bytes, qint64 claimed = -1) {
    QByteArray out(8, '\0');
    qToLittleEndian<quint64>(static_cast<quint64>(claimed < 0 ? header.size() : claimed), out.data());
    return out + header + QByteArray(bytes, 'x');
}

QJsonObject cardOf(int architecture) {
    return {{QStringLiteral("method"), QStringLiteral("toy")}, {QStringLiteral("architecture"), architecture}};
}

UNet smallNet(int width = 4) {
    UNetOptions options;
    options.in = 2;
    options.width = width;
    options.depth = 1;
    return UNet(options);
}

} // namespace

class TestModelFile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void weightsComeBackBitForBit() {
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("w.safetensors"));
        Safetensors file;
        torch::manual_seed(3);
        file.tensors.emplace("a", torch::randn({2, 3}));
        file.tensors.emplace("empty", torch::empty({0, 4}));
        file.tensors.emplace("scalar", torch::tensor(2.5));
        file.tensors.emplace("half", torch::randn({5}).to(torch::kFloat16));
        file.tensors.emplace("brain", torch::randn({5}).to(torch::kBFloat16));
        file.tensors.emplace("long", torch::arange(7));
        file.tensors.emplace("byte", torch::arange(5).to(torch::kUInt8));
        file.tensors.emplace("turned", torch::randn({3, 4}).t());
        file.metadata[QStringLiteral("note")] = QStringLiteral("Grüße");
        file.write(path);
        const Safetensors back = Safetensors::read(path);
        QCOMPARE(back.metadata, file.metadata);
        QCOMPARE(back.tensors.size(), file.tensors.size());
        for (const auto& [name, tensor] : file.tensors) {
            QVERIFY2(back.tensors.at(name).dtype() == tensor.dtype(), name.c_str());
            QVERIFY2(torch::equal(back.tensors.at(name), tensor), name.c_str());
        }
    }

    void hostileFilesAreRefused_data() {
        QTest::addColumn<QByteArray>("bytes");
        const QByteArray good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("three bytes") << QByteArray("abc");
        QTest::newRow("huge header") << fileOf(good, 8, qint64(1) << 60);
        QTest::newRow("header beyond the file") << fileOf(good, 0, good.size() + 1);
        QTest::newRow("no JSON") << fileOf("{nonsense", 8);
        QTest::newRow("an array") << fileOf("[1,2]", 8);
        QTest::newRow("deep nesting") << fileOf(QByteArray(100000, '['), 8);
        QTest::newRow("truncated data") << fileOf(good, 7);
        QTest::newRow("bytes left over") << fileOf(good, 9);
        QTest::newRow("unknown type") << fileOf(R"({"a":{"dtype":"PY","shape":[2],"data_offsets":[0,8]}})", 8);
        QTest::newRow("shape and size differ")
            << fileOf(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8);
        QTest::newRow("negative length") << fileOf(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8);
        QTest::newRow("fraction of a length")
            << fileOf(R"({"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}})", 2);
        QTest::newRow("product overflows")
            << fileOf(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0);
        QTest::newRow("offsets reversed") << fileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8);
        QTest::newRow("offsets overlap") << fileOf(
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
            12);
        QTest::newRow("a hole") << fileOf(
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})",
            16);
        QTest::newRow("offsets are words")
            << fileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":["0","8"]}})", 8);
        QTest::newRow("no shape") << fileOf(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4);
        QTest::newRow("entry is a number") << fileOf(R"({"a":5})", 0);
        QTest::newRow("metadata are numbers") << fileOf(R"({"__metadata__":{"a":1}})", 0);
    }
    void hostileFilesAreRefused() {
        QFETCH(QByteArray, bytes);
        const QTemporaryDir dir;
        QFile file(dir.filePath(QStringLiteral("w.safetensors")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        file.close();
        QVERIFY_EXCEPTION_THROWN((void)Safetensors::read(file.fileName()), ReadError);
    }

    void everyTruncationIsRefused() {
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("w.safetensors"));
        Safetensors file;
        file.tensors.emplace("a", torch::arange(10).to(torch::kFloat32));
        file.write(path);
        QFile whole(path);
        QVERIFY(whole.open(QIODevice::ReadOnly));
        const QByteArray bytes = whole.readAll();
        for (qsizetype n = 0; n < bytes.size(); n += 3) {
            QFile cut(dir.filePath(QStringLiteral("cut")));
            QVERIFY(cut.open(QIODevice::WriteOnly));
            cut.write(bytes.left(n));
            cut.close();
            QVERIFY_EXCEPTION_THROWN((void)Safetensors::read(cut.fileName()), ReadError);
        }
    }

    void modelsComeBack() {
        const QTemporaryDir dir;
        torch::manual_seed(1);
        UNet net = smallNet();
        ModelFile::save(dir.path(), *net, cardOf(3), ModelFile::Storage::Float32);
        UNet other = smallNet();
        ModelFile::open(dir.path(), QStringLiteral("toy"), 3).load(*other);
        net->eval();
        const torch::Tensor x = torch::randn({1, 2, 8, 8});
        QVERIFY(torch::equal(net->forward(x), other->forward(x)));
        QVERIFY(!other->is_training());
        ModelFile::save(dir.path(), *net, cardOf(3), ModelFile::Storage::Float16);
        ModelFile::open(dir.path(), QStringLiteral("toy"), 3).load(*other);
        const double off = (net->forward(x) - other->forward(x)).abs().max().item<double>();
        QVERIFY2(off > 0.0 && off < 0.02, qPrintable(QString::number(off)));
    }

    void othersModelsAreRefusedInWords() {
        const QTemporaryDir dir;
        ModelFile::save(dir.path(), *smallNet(), cardOf(3));
        const auto message = [&](const QString& method, int version, UNet into) {
            try {
                ModelFile::open(dir.path(), method, version).load(*into);
            } catch (const MethodError& e) {
                return e.message();
            }
            return QString();
        };
        QVERIFY(message(QStringLiteral("toy"), 3, smallNet()).isEmpty());
        QVERIFY(message(QStringLiteral("other"), 3, smallNet()).contains(QLatin1String("\"toy\", not of \"other\"")));
        QVERIFY(message(QStringLiteral("toy"), 4, smallNet()).contains(QLatin1String("version 3")));
        QVERIFY(message(QStringLiteral("toy"), 3, smallNet(6)).contains(QLatin1String("shape")));
        QVERIFY_EXCEPTION_THROWN((void)modelFolder(QString(), dir.filePath(QStringLiteral("none"))), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)modelFolder(QStringLiteral("/nowhere"), dir.path()), UsageError);
    }
};

QTEST_APPLESS_MAIN(TestModelFile)
#include "tst_ModelFile.moc"
