#include "document/LatestTask.h"

namespace blendscope {

LatestTask::LatestTask() : m_thread([this] { work(); }) {}

LatestTask::~LatestTask() {
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
        m_next = nullptr;
    }
    m_wake.notify_all();
    m_thread.join();
}

void LatestTask::request(std::function<void()> task) {
    {
        const std::lock_guard lock(m_mutex);
        m_next = std::move(task);
    }
    m_wake.notify_all();
}

bool LatestTask::idle() const {
    const std::lock_guard lock(m_mutex);
    return !m_busy && !m_next;
}

void LatestTask::work() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(m_mutex);
            m_busy = false;
            m_wake.wait(lock, [this] { return m_stop || m_next; });
            if (m_stop) return;
            task = std::move(m_next);
            m_next = nullptr;
            m_busy = true;
        }
        task();
    }
}

} // namespace blendscope
