#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace blendscope {

/// Threads for computation. Tasks start in order of priority (higher first), newest first within one priority. The
/// results of parallelFor do not depend on the number of threads as long as each item writes only its own output.
class TaskPool {
public:
    enum Priority { Prefetch = 0, Background = 10, Normal = 20, OnScreen = 30 };

    /// threads <= 0: one a processor.
    explicit TaskPool(int threads = 0);
    /// Waits for the tasks that have started; those that have not are dropped.
    ~TaskPool();
    TaskPool(const TaskPool&) = delete;
    TaskPool& operator=(const TaskPool&) = delete;

    /// The pool that programs share.
    static TaskPool& shared();

    [[nodiscard]] int threads() const { return static_cast<int>(m_threads.size()); }

    /// The task must not throw.
    void submit(std::function<void()> task, int priority = Normal);

    /// Calls body(i) for 0 <= i < count on the calling thread and up to maxThreads - 1 others (0: all), and returns
    /// when all are done. The first exception stops further items and is thrown again here. Nested calls are fine.
    void parallelFor(int count, const std::function<void(int)>& body, int maxThreads = 0, int priority = Normal);

    /// Seconds of processor time that the calling thread has spent so far, with those that others spent for it in
    /// parallelFor. Differences say what work costs, however busy the machine is and whatever else the program does.
    [[nodiscard]] static double processorSeconds();

private:
    void work();

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::multimap<std::pair<int, std::uint64_t>, std::function<void()>> m_tasks;
    std::uint64_t m_count = 0;
    bool m_stop = false;
    std::vector<std::thread> m_threads;
};

} // namespace blendscope
