#include "core/Error.h"
#include "jobs/Job.h"
#include "jobs/TaskPool.h"

#include <QElapsedTimer>
#include <QTest>
#include <atomic>
#include <ctime>
#include <mutex>
#include <numeric>

using namespace blendscope;

class TestJobs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void parallelForVisitsEachItemOnce() {
        TaskPool pool(4);
        std::vector<std::atomic<int>> seen(10000);
        pool.parallelFor(int(seen.size()), [&](int i) { ++seen[i]; });
        for (const auto& n : seen) {
            QCOMPARE(n.load(), 1);
        }
        pool.parallelFor(0, [](int) { QFAIL("called for no items"); });
    }

    void nestedLoopsFinish() {
        TaskPool pool(2);
        std::atomic<int> sum = 0;
        pool.parallelFor(20, [&](int) { pool.parallelFor(50, [&](int j) { sum += j; }); });
        QCOMPARE(sum.load(), 20 * 49 * 50 / 2);
    }

    /// What others spend for a loop, nested ones too, is counted for its caller.
    void processorTimeOfAllThreads() {
        TaskPool pool(3);
        const auto ownSeconds = [] {
            timespec t{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
            return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
        };
        std::mutex mutex;
        double spent = 0.0;
        const auto work = [&](int) {
            const double start = ownSeconds();
            volatile double sink = 0.0;
            while (ownSeconds() - start < 0.002) {
                sink = sink + 1.0;
            }
            const double one = ownSeconds() - start;
            const std::lock_guard lock(mutex);
            spent += one;
        };
        const double before = TaskPool::processorSeconds();
        pool.parallelFor(6, [&](int) { pool.parallelFor(4, work); });
        const double counted = TaskPool::processorSeconds() - before;
        QVERIFY2(counted >= spent, qPrintable(QStringLiteral("%1 of %2").arg(counted).arg(spent)));
        QVERIFY(spent >= 24 * 0.002);
        QVERIFY2(counted < 2.0 * spent, qPrintable(QStringLiteral("%1 of %2").arg(counted).arg(spent)));
    }

    void theFirstExceptionStopsTheLoop() {
        TaskPool pool(3);
        std::atomic<int> visited = 0;
        bool caught = false;
        try {
            pool.parallelFor(1000000, [&](int i) {
                ++visited;
                if (i == 10) throw MethodError(QStringLiteral("ten"));
            });
        } catch (const MethodError& e) {
            caught = e.message() == QLatin1String("ten");
        }
        QVERIFY(caught);
        QVERIFY(visited < 1000000);
    }

    void maxThreadsIsKept() {
        TaskPool pool(4);
        std::atomic<int> running = 0, most = 0;
        pool.parallelFor(
            200,
            [&](int) {
                const int now = ++running;
                int seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                QTest::qSleep(1);
                --running;
            },
            2);
        QVERIFY(most <= 2);
    }

    void higherPriorityStartsFirst() {
        TaskPool pool(1);
        std::atomic<bool> gate = false;
        std::atomic<int> done = 0;
        std::vector<int> order;
        const auto note = [&](int which) { // the pool has one thread: no two of these at once
            order.push_back(which);
            ++done;
        };
        pool.submit([&] {
            while (!gate) {
                QTest::qSleep(1);
            }
        });
        QTest::qSleep(20);
        pool.submit([&] { note(1); }, TaskPool::Prefetch);
        pool.submit([&] { note(2); }, TaskPool::OnScreen);
        pool.submit([&] { note(3); }, TaskPool::Normal);
        gate = true;
        QTRY_COMPARE(done.load(), 3);
        QCOMPARE(order, (std::vector<int>{2, 3, 1}));
    }

    void progressKnowsTheTimeLeft() {
        Progress progress;
        progress.begin(QStringLiteral("work"), 10);
        QCOMPARE(progress.snapshot().secondsLeft, -1.0);
        QTest::qSleep(250);
        progress.advance(5);
        const Progress::Snapshot s = progress.snapshot();
        QCOMPARE(s.what, QStringLiteral("work"));
        QCOMPARE(s.fraction(), 0.5);
        QVERIFY(s.secondsLeft > 0.2 && s.secondsLeft < 2.0);
    }

    void cancelAnswersAtOnce() {
        JobQueue queue(1);
        std::atomic<bool> started = false;
        const JobPtr job = queue.start(QStringLiteral("endless"), [&](Progress& p) {
            p.begin(QStringLiteral("spinning"), 0);
            started = true;
            for (;;) {
                QTest::qSleep(1);
                p.advance();
            }
        });
        QTRY_VERIFY(started);
        QElapsedTimer timer;
        timer.start();
        job->cancel();
        job->wait();
        QVERIFY(timer.elapsed() < 200);
        QCOMPARE(job->state(), Job::State::Cancelled);
    }

    void errorsBecomeWords() {
        JobQueue queue(1);
        std::atomic<int> changes = 0;
        const JobPtr failed = queue.start(
            QStringLiteral("bad"), [](Progress&) { throw ReadError(QStringLiteral("no such file")); },
            [&] { ++changes; });
        failed->wait();
        QCOMPARE(failed->state(), Job::State::Failed);
        QCOMPARE(failed->error(), QStringLiteral("no such file"));
        const JobPtr good = queue.start(QStringLiteral("good"), [](Progress&) {});
        good->wait();
        QCOMPARE(good->state(), Job::State::Finished);
        QTRY_VERIFY(changes >= 2);
    }

    void waitingJobsAreCancelledUnstarted() {
        JobQueue queue(1);
        std::atomic<bool> gate = false, ran = false;
        const JobPtr first = queue.start(QStringLiteral("first"), [&](Progress&) {
            while (!gate) {
                QTest::qSleep(1);
            }
        });
        const JobPtr second = queue.start(QStringLiteral("second"), [&](Progress&) { ran = true; });
        second->cancel();
        gate = true;
        second->wait();
        QCOMPARE(second->state(), Job::State::Cancelled);
        QVERIFY(!ran);
    }
};

QTEST_GUILESS_MAIN(TestJobs)
#include "tst_Jobs.moc"
