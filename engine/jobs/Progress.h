#pragma once

#include <QString>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

namespace blendscope {

/// Asks work to stop. Copies share the request; setting and asking are safe from any thread.
class CancelToken {
public:
    CancelToken() : m_flag(std::make_shared<std::atomic<bool>>(false)) {}
    void cancel() const { m_flag->store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool cancelled() const { return m_flag->load(std::memory_order_relaxed); }
    /// Throws CancelledError where cancel() was called: loops without a progress count call this.
    void check() const;

private:
    std::shared_ptr<std::atomic<bool>> m_flag;
};

/// How far a piece of work is. advance() is also the point at which it can be cancelled, so that every loop that
/// reports can be stopped. Safe from any thread.
class Progress {
public:
    explicit Progress(CancelToken token = {}) : m_token(std::move(token)) {}

    /// A new phase of `total` steps, named for a person ("deblending").
    void begin(const QString& what, long long total);
    /// Throws CancelledError where the token was cancelled.
    void advance(long long steps = 1);
    void check() const { m_token.check(); }

    struct Snapshot {
        QString what;
        long long done = 0, total = 0;
        double secondsElapsed = 0.0; ///< of this phase
        double secondsLeft = -1.0;   ///< of this phase; -1 = not known yet
        [[nodiscard]] double fraction() const { return total > 0 ? double(done) / double(total) : 0.0; }
    };
    [[nodiscard]] Snapshot snapshot() const;
    [[nodiscard]] const CancelToken& token() const { return m_token; }

private:
    CancelToken m_token;
    mutable std::mutex m_mutex;
    QString m_what;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::atomic<long long> m_done{0};
    std::atomic<long long> m_total{0};
};

} // namespace blendscope
