#include "core/Error.h"
#include "core/Plane.h"
#include "core/Result.h"
#include "io/ResultTables.h"

#include <QTest>
#include <atomic>

using namespace blendscope;

class TestResult : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void flagsAreWordsThereAndBack() {
        for (std::uint32_t flags = 0; flags < (1u << 13); ++flags) {
            QCOMPARE(flagsFromWords(flagWords(flags)), flags);
        }
        QCOMPARE(flagWords(FlagEdge | FlagSkipped), QStringLiteral("edge|skipped"));
        QCOMPARE(flagsFromWords(QStringLiteral("unheard|edge")), std::uint32_t(FlagEdge));
    }

    void countsOfABlendAreColumnsThereAndBack() {
        Result r;
        for (const int id : {1, 2, 3}) {
            Blend b;
            b.id = id;
            if (id != 2) b.countProbabilities = {0.1f, 0.7f, 0.2f};
            if (id == 3) b.countSpread = {0.01f, 0.02f, 0.03f};
            r.blends.push_back(b);
        }
        const Table table = tables::blends(r);
        QVERIFY(table.find(QStringLiteral("count_p2")) && !table.find(QStringLiteral("count_p3")));
        Result back;
        tables::readBlends(table, back);
        QCOMPARE(back.blends.size(), std::size_t(3));
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(back.blends[i].countProbabilities, r.blends[i].countProbabilities);
            QCOMPARE(back.blends[i].countSpread, r.blends[i].countSpread);
        }
        r.blends.clear();
        QVERIFY(!tables::blends(r).find(QStringLiteral("count_p0")));
    }

    void lookUpById() {
        Result r;
        for (const int id : {2, 5, 9}) {
            Object o;
            o.id = id;
            r.objects.push_back(o);
        }
        QCOMPARE(r.object(5), &r.objects[1]);
        QVERIFY(!r.object(1) && !r.object(4) && !r.object(10));
        QVERIFY(!r.blend(1) && !r.component(1) && !r.footprint(1));
    }

    void planesGiveViewsAndRefuseWhatLiesOutside() {
        cv::Mat image(6, 8, CV_32F);
        for (int i = 0; i < 48; ++i) {
            image.at<float>(i / 8, i % 8) = float(i);
        }
        const MemoryPlane plane(image);
        const cv::Mat view = plane.read({2, 1, 3, 2});
        QCOMPARE(view.at<float>(1, 2), 20.0f);
        QCOMPARE(view.data, image.ptr(1) + 2 * sizeof(float));
        for (const Box& box : {Box{-1, 0, 2, 2}, Box{7, 0, 2, 1}, Box{0, 5, 1, 2}, Box{0, 0, 0, 3}}) {
            QVERIFY_THROWS_EXCEPTION(ReadError, (void)plane.read(box));
        }
        const cv::Mat sampled = plane.readSampled({1, 0, 7, 6}, 3);
        QCOMPARE(sampled.size(), cv::Size(3, 2));
        QCOMPARE(sampled.at<float>(1, 2), 31.0f);
    }

    void derivedPlanesAreMadeOnce() {
        std::atomic<int> made = 0;
        const DerivedPlane plane({4, 4}, CV_32F, [&] {
            ++made;
            return cv::Mat(4, 4, CV_32F, cv::Scalar(3));
        });
        QVERIFY(!plane.resident());
        QCOMPARE(plane.read({1, 1, 2, 2}).at<float>(0, 0), 3.0f);
        (void)plane.readAll();
        QCOMPARE(made.load(), 1);
        QVERIFY(plane.resident());
    }

    void boxes() {
        const Box a{0, 0, 4, 4}, b{2, 3, 5, 5};
        QCOMPARE(a.intersected(b), (Box{2, 3, 2, 1}));
        QCOMPARE(a.united(b), (Box{0, 0, 7, 8}));
        QVERIFY(a.intersected({9, 9, 1, 1}).empty());
        QCOMPARE((Box{0, 0, 100000, 100000}).area(), 10000000000ll);
    }
};

QTEST_APPLESS_MAIN(TestResult)
#include "tst_Result.moc"
