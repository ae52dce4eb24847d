#include "neural/SampleQueue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace blendscope {

SampleQueue::SampleQueue(std::function<Tensors(std::int64_t)> make, std::int64_t first, int threads, int capacity)
    : m_make(std::move(make)), m_claim(first), m_next(first), m_capacity(std::max(1, capacity)) {
    const int count = std::max(1, threads), before = torch::get_num_threads();
    for (int i = 0; i < count; ++i) {
        m_threads.emplace_back([this] { work(); });
    }
    std::unique_lock lock(m_mutex);
    m_ready.wait(lock, [&] { return m_started == count; });
    // The workers set the process-wide default to one; this thread and later ones keep theirs.
    torch::set_num_threads(before);
}

SampleQueue::~SampleQueue() {
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
    }
    m_room.notify_all();
    for (std::thread& thread : m_threads) {
        thread.join();
    }
}

void SampleQueue::work() {
    // A team of OpenMP threads for each worker would crowd out the training itself.
    torch::set_num_threads(1);
    std::unique_lock lock(m_mutex);
    ++m_started;
    m_ready.notify_all();
    while (true) {
        m_room.wait(lock, [this] { return m_stop || m_claim < m_next + m_capacity; });
        if (m_stop) return;
        const std::int64_t index = m_claim++;
        lock.unlock();
        Slot slot;
        try {
            const torch::NoGradGuard guard;
            slot.sample = m_make(index);
        } catch (...) {
            slot.failure = std::current_exception();
        }
        lock.lock();
        m_done.emplace(index, std::move(slot));
        m_ready.notify_all();
    }
}

std::optional<Tensors> SampleQueue::next(double seconds) {
    std::unique_lock lock(m_mutex);
    const bool there =
        m_ready.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return m_done.count(m_next) > 0; });
    if (!there) return std::nullopt;
    Slot slot = std::move(m_done.at(m_next));
    m_done.erase(m_next);
    ++m_next;
    lock.unlock();
    m_room.notify_all();
    if (slot.failure) std::rethrow_exception(slot.failure);
    return std::move(slot.sample);
}

} // namespace blendscope
