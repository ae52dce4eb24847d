#include "neural/SamplePool.h"

#include <QTest>
#include <map>

using namespace blendscope;

namespace {

Tensors sampleOf(std::int64_t entry) {
    return {{"entry", torch::tensor(entry)}, {"plane", torch::full({2, 2}, 0.1 + double(entry % 1000))}};
}

} // namespace

class TestSamplePool : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aFixedPoolGoesRound() {
        SamplePool pool(5);
        std::map<std::int64_t, int> made;
        for (int i = 0; i < 20; ++i) {
            const Tensors t = pool.get(i, [&](std::int64_t entry) {
                ++made[entry];
                return sampleOf(entry);
            });
            QCOMPARE(t.at("entry").item<std::int64_t>(), std::int64_t(i % 5));
        }
        QCOMPARE(made.size(), std::size_t(5));
        for (const auto& [entry, times] : made) {
            QCOMPARE(times, 1);
        }
    }

    void noPoolMakesAllAnew() {
        SamplePool pool;
        for (const std::int64_t i : {0, 7, 7}) {
            QCOMPARE(pool.get(i, sampleOf).at("entry").item<std::int64_t>(), i);
        }
        QCOMPARE(pool.held(), std::int64_t(0));
    }

    void aRollingPoolNeverEnds() {
        constexpr int kReuse = 4, kSize = 300, kSamples = 12000;
        SamplePool pool(kSize, kReuse);
        std::map<std::int64_t, int> seen, made;
        std::vector<std::int64_t> order;
        for (int i = 0; i < kSamples; ++i) {
            const Tensors t = pool.get(i, [&](std::int64_t entry) {
                ++made[entry];
                return sampleOf(entry);
            });
            order.push_back(t.at("entry").item<std::int64_t>());
            ++seen[order.back()];
            QVERIFY(pool.held() < 2 * kSize);
        }
        for (const auto& [entry, times] : made) {
            QCOMPARE(times, 1);
            QVERIFY(entry >= 0 && entry < (std::int64_t(1) << 31));
        }
        int whole = 0;
        for (const auto& [entry, times] : seen) {
            QVERIFY(times <= kReuse);
            whole += times == kReuse;
        }
        QVERIFY(whole > kSamples / kReuse - 2 * kSize);
        // Asked again, and out of order, a sample is what it was.
        SamplePool other(kSize, kReuse);
        for (int i = kSamples - 1; i >= kSamples - 50; --i) {
            QCOMPARE(other.get(i, sampleOf).at("entry").item<std::int64_t>(), order[std::size_t(i)]);
        }
    }

    void newAndOldLookAlike() {
        SamplePool pool(10);
        const torch::Tensor first = pool.get(3, sampleOf).at("plane"), again = pool.get(3, sampleOf).at("plane");
        QVERIFY(torch::equal(first, again));
        QCOMPARE(first.scalar_type(), torch::kFloat32);
    }
};

QTEST_APPLESS_MAIN(TestSamplePool)
#include "tst_SamplePool.moc"
