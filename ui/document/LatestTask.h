#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace blendscope {

/// One thread that does the newest of what it was asked: a request that has not begun when the next one comes is
/// dropped. For pictures that follow a selection, beside a busy TaskPool.
class LatestTask {
public:
    LatestTask();
    /// Waits for the task that runs.
    ~LatestTask();
    LatestTask(const LatestTask&) = delete;
    LatestTask& operator=(const LatestTask&) = delete;

    /// The task must not throw.
    void request(std::function<void()> task);
    [[nodiscard]] bool idle() const;

private:
    void work();

    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::function<void()> m_next;
    bool m_busy = false;
    bool m_stop = false;
    std::thread m_thread;
};

} // namespace blendscope
