#pragma once

#include "jobs/Progress.h"

#include <QString>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace blendscope {

/// Work in the background with a title, a state, progress and an error in words. Results travel in the closure of the
/// work, as immutable snapshots.
class Job {
public:
    enum class State { Queued, Running, Cancelling, Finished, Failed, Cancelled };

    [[nodiscard]] int id() const { return m_id; }
    [[nodiscard]] QString title() const { return m_title; }
    [[nodiscard]] State state() const;
    [[nodiscard]] bool over() const;
    [[nodiscard]] QString error() const; ///< one sentence; empty unless Failed
    [[nodiscard]] Progress::Snapshot progress() const { return m_progress.snapshot(); }
    void cancel(); ///< answered within 0.2 s by work that calls Progress::advance
    void wait();   ///< blocks until over

private:
    friend class JobQueue;
    Job(int id, QString title, std::function<void(Progress&)> work);

    int m_id;
    QString m_title;
    std::function<void(Progress&)> m_work;
    Progress m_progress;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    State m_state = State::Queued;
    QString m_error;
};

using JobPtr = std::shared_ptr<Job>;

/// Runs jobs on threads of its own, oldest first, at most `concurrent` at a time; their inner loops use
/// TaskPool::shared(). `onChange` is called from a worker thread whenever a job changes its state: it must only post.
class JobQueue {
public:
    explicit JobQueue(int concurrent = 2);
    /// Cancels all and waits.
    ~JobQueue();
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;

    JobPtr start(const QString& title, std::function<void(Progress&)> work, std::function<void()> onChange = {});
    /// Queued, running, and the last few that ended; oldest first.
    [[nodiscard]] std::vector<JobPtr> jobs() const;
    void cancelAll();

private:
    struct State;
    void work();
    std::unique_ptr<State> m_state;
    std::vector<std::thread> m_threads;
};

} // namespace blendscope
