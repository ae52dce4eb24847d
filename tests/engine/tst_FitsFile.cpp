#include "io/FitsFile.h"
#include "io/FitsPlane.h"
#include "io/FitsWriter.h"
#include "support/TestData.h"
#include "support/TinyFits.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <thread>

using namespace blendscope;
using test::TinyFits;

Q_DECLARE_METATYPE(std::vector<double>)

namespace {

std::vector<double> ramp(int n, double step = 1.0, double start = 0.0) {
    std::vector<double> v;
    for (int i = 0; i < n; ++i) {
        v.push_back(start + step * i);
    }
    return v;
}

/// The words of the ReadError that `work` throws; empty if it throws none.
template <typename Work>
QString refusal(const Work& work) {
    try {
        work();
    } catch (const ReadError& e) {
        return e.message();
    }
    return {};
}

} // namespace

class TestFitsFile : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    QString path(const char* name) const { return m_dir.filePath(QLatin1String(name)); }

private Q_SLOTS:
    void everyBitpix_data() {
        QTest::addColumn<int>("bitpix");
        QTest::addColumn<QStringList>("cards");
        QTest::addColumn<double>("scale");
        QTest::addColumn<double>("zero");
        for (const int bitpix : {8, 16, 32, 64, -32, -64}) {
            QTest::addRow("%d", bitpix) << bitpix << QStringList() << 1.0 << 0.0;
            QTest::addRow("%d scaled", bitpix)
                << bitpix << QStringList{QStringLiteral("BSCALE = 0.5"), QStringLiteral("BZERO = 1.0D1")} << 0.5
                << 10.0;
        }
        QTest::addRow("unsigned 16") << 16 << QStringList{QStringLiteral("BZERO = 32768")} << 1.0 << 32768.0;
        QTest::addRow("unsigned 32") << 32 << QStringList{QStringLiteral("BZERO = 2147483648")} << 1.0 << 2147483648.0;
    }
    void everyBitpix() {
        QFETCH(int, bitpix);
        QFETCH(QStringList, cards);
        QFETCH(double, scale);
        QFETCH(double, zero);
        TinyFits().image(bitpix, {4, 3}, ramp(12), cards).write(path("a.fits"));
        const FitsFilePtr file = FitsFile::open(path("a.fits"));
        const FitsHdu& hdu = file->hdu(1);
        QCOMPARE(hdu.size(), cv::Size(4, 3));
        const cv::Mat all = file->read(hdu, 0, {0, 0, 4, 3}, CV_32F);
        const cv::Mat ints = file->read(hdu, 0, {0, 0, 4, 3}, CV_32S);
        for (int i = 0; i < 12; ++i) {
            QCOMPARE(all.at<float>(i / 4, i % 4), static_cast<float>(i * scale + zero));
            if (scale == 1.0) {
                QCOMPARE(static_cast<quint32>(ints.at<int>(i / 4, i % 4)),
                         static_cast<quint32>(i + static_cast<qint64>(zero)));
            }
        }
        // Regions see the same pixels, wherever they lie.
        const cv::Mat part = file->read(hdu, 0, {1, 1, 2, 2}, CV_32F);
        QCOMPARE(part.at<float>(1, 0), all.at<float>(2, 1));
        QVERIFY(!refusal([&] { (void)file->read(hdu, 0, {3, 1, 2, 2}, CV_32F); }).isEmpty());
        QVERIFY(!refusal([&] { (void)file->read(hdu, 1, {0, 0, 1, 1}, CV_32F); }).isEmpty());
    }

    void blankAndNan() {
        TinyFits()
            .image(16, {3, 1}, {1, -32768, 3}, {QStringLiteral("BLANK = -32768"), QStringLiteral("BSCALE = 2")})
            .image(-32, {3, 1}, {1, std::nan(""), 3})
            .write(path("blank.fits"));
        const FitsFilePtr file = FitsFile::open(path("blank.fits"));
        for (const int n : {1, 2}) {
            const cv::Mat m = file->read(file->hdu(n), 0, {0, 0, 3, 1}, CV_32F);
            QVERIFY(std::isnan(m.at<float>(0, 1)));
            QCOMPARE(m.at<float>(0, 2), n == 1 ? 6.0f : 3.0f);
            QCOMPARE(file->read(file->hdu(n), 0, {0, 0, 3, 1}, CV_32S).at<int>(0, 1), 0);
        }
    }

    void cubesByPlane() {
        TinyFits().image(-32, {3, 2, 4}, ramp(24)).write(path("cube.fits"));
        const FitsFilePtr file = FitsFile::open(path("cube.fits"));
        QCOMPARE(file->hdu(1).planes(), 4);
        QCOMPARE(file->read(file->hdu(1), 2, {0, 1, 1, 1}, CV_32F).at<float>(0, 0), 15.0f);
    }

    void gzipIsUndone() {
        const TinyFits tiny = TinyFits().image(16, {300, 200}, ramp(60000, 0.5));
        tiny.writeGzip(path("z.fits.gz"));
        const FitsFilePtr file = FitsFile::open(path("z.fits.gz"));
        QCOMPARE(file->read(file->hdu(1), 0, {299, 199, 1, 1}, CV_32F).at<float>(0, 0), 29999.0f);
        // Inflated files that are too large for memory go through a temporary file.
        TinyFits().image(-32, {2000, 1500}, ramp(3000000)).writeGzip(path("large.fits.gz"));
        const FitsFilePtr large = FitsFile::open(path("large.fits.gz"));
        QCOMPARE(large->read(large->hdu(1), 0, {1999, 1499, 1, 1}, CV_32F).at<float>(0, 0), 2999999.0f);
    }

    void refusesInWords_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        const QByteArray good = TinyFits().image(-32, {50, 50}, ramp(2500)).bytes();
        QTest::newRow("empty") << QByteArray() << QStringLiteral("is empty");
        QTest::newRow("text") << QByteArray("hello, world") << QStringLiteral("not a FITS file");
        QTest::newRow("lfs") << QByteArray("version https://git-lfs.github.com/spec/v1\n") << QStringLiteral("Git LFS");
        QTest::newRow("bzip2") << QByteArray("BZh91AY") << QStringLiteral("compressed in a way");
        QTest::newRow("header cut") << good.left(1000) << QString();
        QTest::newRow("gzip cut") << test::gzip(good).left(400) << QStringLiteral("ends early");
        QByteArray damaged = test::gzip(good);
        for (qsizetype i = 200; i < 260; ++i) {
            damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
        }
        QTest::newRow("gzip damaged") << damaged << QString();
        QTest::newRow("gzip of text") << test::gzip(QByteArray(100000, 'x')) << QStringLiteral("not a FITS file");
        QTest::newRow("only a word") << QByteArray("SIMPLE") << QString();
        QTest::newRow("garbage cards") << QByteArray("SIMPLE  = ") + QByteArray(5750, '\xff') << QString();
        QTest::newRow(".Z of nothing") << QByteArray("\x1f\x9d\x90\x00", 4) << QString();
    }
    void refusesInWords() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        const QString name = path("hostile.fits");
        test::writeBytes(name, bytes);
        const QString words = refusal([&] { (void)FitsFile::open(name); });
        QVERIFY2(words.contains(QStringLiteral("hostile.fits")), qPrintable(words));
        QVERIFY2(words.contains(says), qPrintable(words));
        QVERIFY(!refusal([&] { (void)FitsFile::open(path("nowhere.fits")); }).isEmpty());
        QVERIFY(!refusal([&] { (void)FitsFile::open(m_dir.path()); }).isEmpty());
    }

    void truncatedImage() {
        const QByteArray good = TinyFits().image(-32, {500, 50}, ramp(25000)).bytes();
        test::writeBytes(path("cut.fits"), good.left(20000));
        const FitsFilePtr file = FitsFile::open(path("cut.fits"));
        QVERIFY(!file->hdu(1).complete);
        QVERIFY(refusal([&] {
                    (void)file->read(file->hdu(1), 0, {0, 0, 5, 5}, CV_32F);
                }).contains(QStringLiteral("truncated")));
        QVERIFY(refusal([&] { FitsPlane(file, file->hdu(1), 0, CV_32F); }).contains(QStringLiteral("truncated")));
        // Missing padding behind complete data does no harm.
        const FitsFilePtr whole = [&] {
            test::writeBytes(path("unpadded.fits"), good.left(2880 + 100000));
            return FitsFile::open(path("unpadded.fits"));
        }();
        QCOMPARE(whole->read(whole->hdu(1), 0, {499, 49, 1, 1}, CV_32F).at<float>(0, 0), 24999.0f);
    }

    void axesThatLie_data() {
        QTest::addColumn<QString>("axis");
        for (const char* n : {"2147483647", "99999999999", "-5", "0", "1E9"}) {
            QTest::newRow(n) << QString::fromLatin1(n);
        }
    }
    void axesThatLie() {
        QFETCH(QString, axis);
        TinyFits()
            .hdu({QStringLiteral("SIMPLE = T"), QStringLiteral("BITPIX = -64"), QStringLiteral("NAXIS = 2"),
                  QStringLiteral("NAXIS1 = %1").arg(axis), QStringLiteral("NAXIS2 = %1").arg(axis)},
                 QByteArray(2880, 'x'))
            .write(path("liar.fits"));
        // Refused or without a usable image, in either case without the memory that the header claims.
        (void)refusal([&] {
            const FitsFilePtr file = FitsFile::open(path("liar.fits"));
            for (const FitsHdu& hdu : file->hdus()) {
                QVERIFY(hdu.size().empty() || !hdu.complete);
            }
        });
    }

    void headerValues() {
        const QString longText = QStringLiteral("x").repeated(60);
        TinyFits()
            .image(8, {1, 1}, {0},
                   {QStringLiteral("NAME = 'it''s / fine'  / comment"), QStringLiteral("REAL = 1.5D2 / c"),
                    QStringLiteral("QUOTED = ' 42.5  '"), QStringLiteral("WRONG = abc"), QStringLiteral("YES = T"),
                    QStringLiteral("HIERARCH ESO DET GAIN = 2.5 / e-/ADU"),
                    QStringLiteral("LONG = '%1&'").arg(longText), QStringLiteral("CONTINUE  'tail'"),
                    QStringLiteral("COMMENT sky-subtracted")})
            .write(path("cards.fits"));
        const FitsFilePtr file = FitsFile::open(path("cards.fits"));
        const FitsHeader& h = file->hdu(1).header;
        QCOMPARE(h.string("NAME"), QStringLiteral("it's / fine"));
        QCOMPARE(h.number("REAL").value(), 150.0);
        QCOMPARE(h.number("QUOTED").value(), 42.5);
        QVERIFY(!h.number("WRONG"));
        QVERIFY(!h.number("ABSENT"));
        QVERIFY(h.isTrue("YES"));
        QCOMPARE(h.number("ESO DET GAIN").value(), 2.5);
        QCOMPARE(h.string("LONG"), longText + QStringLiteral("tail"));
        QVERIFY(h.commentary().contains(QStringLiteral("sky-subtracted")));
        QVERIFY(h.text().contains(QStringLiteral("REAL")));
    }

    void tablesRoundTrip() {
        Table table;
        table.name = QStringLiteral("T");
        table.columns.push_back({QStringLiteral("i"), {}, TableColumn::Integers{1, -2, 3}});
        table.columns.push_back(
            {QStringLiteral("d"), QStringLiteral("deg"), TableColumn::Doubles{0.1, std::nan(""), 1e300}});
        table.columns.push_back(
            {QStringLiteral("s"), {}, QStringList{QStringLiteral("a"), QString(), QStringLiteral("long text")}});
        TableColumn::Arrays arrays(3);
        arrays[0].push_back(cv::Mat(1, 4, CV_32F, cv::Scalar(2.5)));
        arrays[2].push_back(cv::Mat(2, 3, CV_32F, cv::Scalar(-1)));
        table.columns.push_back({QStringLiteral("v"), {}, arrays});
        for (const char* name : {"t.fits", "t.fits.gz"}) {
            FitsWriter writer(path(name));
            writer.addTable(table);
            writer.commit();
            const FitsFilePtr file = FitsFile::open(path(name));
            const Table back = file->readTable(file->hdu(2), true);
            QCOMPARE(back.name, table.name);
            QCOMPARE(back.rows(), 3);
            QCOMPARE(back.find(QStringLiteral("I"))->number(1), -2.0);
            QCOMPARE(back.find(QStringLiteral("d"))->number(0), 0.1);
            QVERIFY(std::isnan(back.find(QStringLiteral("d"))->number(1)));
            QCOMPARE(back.find(QStringLiteral("s"))->text(2), QStringLiteral("long text"));
            const auto& v = std::get<TableColumn::Arrays>(back.find(QStringLiteral("v"))->values);
            QCOMPARE(v[0].front().total(), std::size_t(4));
            QVERIFY(v[1].empty());
            QCOMPARE(v[2].front().at<float>(0, 5), -1.0f);
            QVERIFY(!refusal([&] { (void)file->readTable(file->hdu(1)); }).isEmpty());
        }
    }

    void failedWriteLeavesTheOldFile() {
        test::writeBytes(path("old.fits"), "old");
        {
            FitsWriter writer(path("old.fits"));
            writer.addImage(cv::Mat::zeros(4, 4, CV_32F));
        }
        QFile old(path("old.fits"));
        QVERIFY(old.open(QIODevice::ReadOnly));
        QCOMPARE(old.readAll(), QByteArray("old"));
    }

    void planesKeepWhatTheyRead() {
        TinyFits().image(-32, {64, 512}, ramp(64 * 512)).write(path("plane.fits"));
        const FitsFilePtr file = FitsFile::open(path("plane.fits"));
        const FitsPlane plane(file, file->hdu(1), 0, CV_32F);
        QVERIFY(!plane.resident());
        QCOMPARE(plane.read({3, 500, 2, 2}).at<float>(1, 1), 501.0f * 64 + 4);
        const cv::Mat all = plane.readAll();
        QVERIFY(plane.resident());
        QCOMPARE(plane.read({3, 500, 2, 2}).ptr<float>(0), all.ptr<float>(500) + 3);
        QCOMPARE(plane.readSampled({0, 0, 64, 512}, 7).at<float>(2, 3), 14.0f * 64 + 21);
        QVERIFY(!refusal([&] { (void)plane.read({60, 0, 5, 1}); }).isEmpty());
    }

    void variancesOfOtherMeanings() {
        TinyFits().image(-32, {3, 1}, {2, 0, -1}).write(path("meaning.fits"));
        const FitsFilePtr file = FitsFile::open(path("meaning.fits"));
        const cv::Mat sigma = FitsPlane(file, file->hdu(1), 0, CV_32F, FitsPlane::Meaning::Sigma).readAll();
        const cv::Mat weight = FitsPlane(file, file->hdu(1), 0, CV_32F, FitsPlane::Meaning::InverseVariance).readAll();
        QCOMPARE(sigma.at<float>(0, 0), 4.0f);
        QCOMPARE(weight.at<float>(0, 0), 0.5f);
        QVERIFY(std::isinf(weight.at<float>(0, 1)) && std::isinf(weight.at<float>(0, 2)));
    }

    void compressedTilesGiveThePlainPixels_data() {
        QTest::addColumn<QString>("name");
        for (const char* n : {"m13_gzip.fits", "m13_hcomp.fits", "m13_plio.fits", "m13_rice.fits"}) {
            QTest::newRow(n) << QString::fromLatin1(n);
        }
    }
    void compressedTilesGiveThePlainPixels() {
        QFETCH(QString, name);
        const QString plainPath = test::sharedData(QStringLiteral("odd/m13.fits"));
        if (plainPath.isEmpty()) QSKIP(test::sharedDataMissing());
        const FitsFilePtr plain = FitsFile::open(plainPath);
        const FitsFilePtr tiles = FitsFile::open(test::sharedData(QStringLiteral("odd/") + name));
        const FitsPlane a(plain, plain->hdu(1), 0, CV_32F), b(tiles, tiles->hdu(2), 0, CV_32F);
        const cv::Mat reference = a.readAll();
        for (const Box& box : {Box{0, 0, 300, 300}, Box{17, 250, 100, 3}, Box{299, 299, 1, 1}}) {
            QCOMPARE(cv::norm(b.read(box), reference(box.rect()), cv::NORM_INF), 0.0);
        }
        QCOMPARE(cv::norm(b.readAll(), reference, cv::NORM_INF), 0.0);
    }

    void readsUnixCompress() {
        const QString name = test::sharedData(QStringLiteral("odd/lzw.fits.Z"));
        if (name.isEmpty()) QSKIP(test::sharedDataMissing());
        const FitsFilePtr file = FitsFile::open(name);
        QCOMPARE(file->hdu(1).size(), cv::Size(101, 101));
        QCOMPARE(cv::sum(file->read(file->hdu(1), 0, {0, 0, 101, 101}, CV_32F))[0], 676039.0);
    }

    void manyThreadsReadTheSame() {
        const QString name = test::sharedData(QStringLiteral("odd/m13_rice.fits"));
        if (name.isEmpty()) QSKIP(test::sharedDataMissing());
        const FitsFilePtr file = FitsFile::open(name);
        const FitsPlane plane(file, file->hdu(2), 0, CV_32F);
        const cv::Mat reference = FitsPlane(file, file->hdu(2), 0, CV_32F).readAll();
        std::vector<std::thread> threads;
        std::atomic<int> wrong{0};
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int k = 0; k < 30; ++k) {
                    const Box box{(k * 37 + t * 11) % 200, (k * 53) % 250, 50, 40};
                    if (cv::norm(plane.read(box), reference(box.rect()), cv::NORM_INF) != 0.0) ++wrong;
                    if (k == 20 && t == 0) (void)plane.readAll();
                }
            });
        }
        for (std::thread& t : threads) {
            t.join();
        }
        QCOMPARE(wrong.load(), 0);
    }

    void survivesRandomDamage() {
        // Bits flipped anywhere in headers and data: refused in words or read, never a crash.
        const QByteArray good =
            TinyFits()
                .image(-32, {20, 20}, ramp(400), {QStringLiteral("CTYPE1 = 'RA---TAN'")})
                .table(QStringLiteral("TRUTH"), {QStringLiteral("x"), QStringLiteral("y")}, {{1, 2}, {3, 4}})
                .bytes();
        unsigned state = 12345;
        for (int round = 0; round < 300; ++round) {
            QByteArray bad = good;
            for (int k = 0; k < 3; ++k) {
                state = state * 1664525u + 1013904223u;
                const qsizetype at = static_cast<qsizetype>(state >> 4) % bad.size();
                state = state * 1664525u + 1013904223u;
                bad[at] = static_cast<char>(round % 2 ? state >> 24 : '0' + (state >> 24) % 10);
            }
            test::writeBytes(path("fuzz.fits"), bad);
            (void)refusal([&] {
                const FitsFilePtr file = FitsFile::open(path("fuzz.fits"));
                for (const FitsHdu& hdu : file->hdus()) {
                    if (!hdu.size().empty() && hdu.complete && hdu.size().area() < 1000000) {
                        (void)file->read(hdu, 0, Box::of(hdu.size()), CV_32F);
                    }
                    if (hdu.kind == FitsHdu::Kind::Table && hdu.complete) (void)file->readTable(hdu, true);
                }
            });
        }
    }
};

QTEST_APPLESS_MAIN(TestFitsFile)
#include "tst_FitsFile.moc"
