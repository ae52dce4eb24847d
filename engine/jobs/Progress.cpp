#include "jobs/Progress.h"

#include "core/Error.h"

namespace blendscope {

void CancelToken::check() const {
    if (cancelled()) throw CancelledError();
}

void Progress::begin(const QString& what, long long total) {
    m_token.check();
    const std::lock_guard lock(m_mutex);
    m_what = what;
    m_start = std::chrono::steady_clock::now();
    m_total = total;
    m_done = 0;
}

void Progress::advance(long long steps) {
    m_done.fetch_add(steps, std::memory_order_relaxed);
    m_token.check();
}

Progress::Snapshot Progress::snapshot() const {
    Snapshot s;
    const std::lock_guard lock(m_mutex);
    s.what = m_what;
    s.done = m_done;
    s.total = m_total;
    s.secondsElapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    if (s.done > 0 && s.total > 0 && s.secondsElapsed > 0.2) {
        s.secondsLeft = s.secondsElapsed * double(std::max(0ll, s.total - s.done)) / double(s.done);
    }
    return s;
}

} // namespace blendscope
