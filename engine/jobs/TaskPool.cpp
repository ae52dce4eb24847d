#include "jobs/TaskPool.h"

#include <atomic>
#include <ctime>
#include <exception>
#include <memory>
#include <opencv2/core/utility.hpp>

namespace blendscope {

namespace {

/// What other threads have spent for this one.
thread_local double helpedSeconds = 0.0;

} // namespace

TaskPool::TaskPool(int threads) {
    const int n = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
    m_threads.reserve(n);
    for (int i = 0; i < n; ++i) {
        m_threads.emplace_back([this] { work(); });
    }
}

TaskPool::~TaskPool() {
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
        m_tasks.clear();
    }
    m_wake.notify_all();
    for (std::thread& t : m_threads) {
        t.join();
    }
}

TaskPool& TaskPool::shared() {
    static TaskPool pool;
    // One pool computes at a time: OpenCV's own threads would compete with these.
    [[maybe_unused]] static const bool alone = (cv::setNumThreads(1), true);
    return pool;
}

void TaskPool::submit(std::function<void()> task, int priority) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_stop) return;
        m_tasks.emplace(std::pair{priority, ++m_count}, std::move(task));
    }
    m_wake.notify_one();
}

void TaskPool::work() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(m_mutex);
            m_wake.wait(lock, [this] { return m_stop || !m_tasks.empty(); });
            if (m_stop) return;
            const auto last = std::prev(m_tasks.end());
            task = std::move(last->second);
            m_tasks.erase(last);
        }
        task();
    }
}

void TaskPool::parallelFor(int count, const std::function<void(int)>& body, int maxThreads, int priority) {
    if (count <= 0) return;
    struct State {
        std::atomic<int> next{0};
        std::atomic<bool> failed{false};
        std::mutex mutex;
        std::condition_variable done;
        int running = 0;
        double helped = 0.0; // seconds of processor time
        std::exception_ptr error;
    };
    const auto state = std::make_shared<State>();
    const auto drain = [state, count](const std::function<void(int)>& f) {
        for (int i = state->next++; i < count && !state->failed; i = state->next++) {
            try {
                f(i);
            } catch (...) {
                const std::lock_guard lock(state->mutex);
                if (!state->error) state->error = std::current_exception();
                state->failed = true;
            }
        }
    };
    const int limit = maxThreads > 0 ? maxThreads : threads();
    const int helpers = std::min({count - 1, limit - 1, threads()});
    for (int h = 0; h < helpers; ++h) {
        // A helper that starts after the caller has finished finds no item left and never touches body.
        submit(
            [state, drain, count, &body] {
                {
                    const std::lock_guard lock(state->mutex);
                    if (state->next >= count || state->failed) return;
                    ++state->running;
                }
                const double before = processorSeconds();
                drain(body);
                const double spent = processorSeconds() - before;
                const std::lock_guard lock(state->mutex);
                state->helped += spent;
                if (--state->running == 0) state->done.notify_all();
            },
            priority);
    }
    drain(body);
    std::unique_lock lock(state->mutex);
    state->done.wait(lock, [&] { return state->running == 0; });
    helpedSeconds += state->helped;
    if (state->error) std::rethrow_exception(state->error);
}

double TaskPool::processorSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) + helpedSeconds;
}

} // namespace blendscope
