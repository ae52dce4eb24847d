#pragma once

#include "neural/Tensors.h"

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace blendscope {

/// Makes training samples ahead of their use on threads of its own, and hands them out in the order of their number:
/// what comes out depends on `make` alone, not on the number of threads. Holds at most `capacity` finished samples.
class SampleQueue {
public:
    /// `make` is called from many threads at once with `first`, `first` + 1, ...
    SampleQueue(std::function<Tensors(std::int64_t)> make, std::int64_t first, int threads, int capacity);
    /// Ends the threads, which finish the samples that they are at.
    ~SampleQueue();
    SampleQueue(const SampleQueue&) = delete;
    SampleQueue& operator=(const SampleQueue&) = delete;

    /// The next sample; waits up to `seconds` for it (nothing = not yet, ask again). Throws what `make` threw.
    [[nodiscard]] std::optional<Tensors> next(double seconds);

private:
    struct Slot {
        Tensors sample;
        std::exception_ptr failure;
    };
    void work();

    std::function<Tensors(std::int64_t)> m_make;
    std::int64_t m_claim, m_next;
    int m_capacity;
    std::mutex m_mutex;
    std::condition_variable m_room, m_ready;
    std::map<std::int64_t, Slot> m_done;
    bool m_stop = false;
    int m_started = 0;
    std::vector<std::thread> m_threads;
};

} // namespace blendscope
