#include "jobs/Job.h"

#include "core/Error.h"

#include <condition_variable>
#include <deque>

namespace blendscope {

Job::Job(int id, QString title, std::function<void(Progress&)> work)
    : m_id(id), m_title(std::move(title)), m_work(std::move(work)) {}

Job::State Job::state() const {
    const std::lock_guard lock(m_mutex);
    return m_state;
}

bool Job::over() const {
    const State s = state();
    return s == State::Finished || s == State::Failed || s == State::Cancelled;
}

QString Job::error() const {
    const std::lock_guard lock(m_mutex);
    return m_error;
}

void Job::cancel() {
    m_progress.token().cancel();
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Running) m_state = State::Cancelling;
}

void Job::wait() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(
        lock, [this] { return m_state == State::Finished || m_state == State::Failed || m_state == State::Cancelled; });
}

struct JobQueue::State {
    struct Entry {
        JobPtr job;
        std::function<void()> onChange;
    };
    static constexpr std::size_t kKeepEnded = 20;

    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<Entry> waiting;
    std::vector<JobPtr> all;
    int count = 0;
    bool stop = false;
};

JobQueue::JobQueue(int concurrent) : m_state(std::make_unique<State>()) {
    for (int i = 0; i < std::max(1, concurrent); ++i) {
        m_threads.emplace_back([this] { work(); });
    }
}

JobQueue::~JobQueue() {
    cancelAll();
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stop = true;
    }
    m_state->wake.notify_all();
    for (std::thread& t : m_threads) {
        t.join();
    }
}

JobPtr JobQueue::start(const QString& title, std::function<void(Progress&)> work, std::function<void()> onChange) {
    JobPtr job;
    {
        const std::lock_guard lock(m_state->mutex);
        job = JobPtr(new Job(++m_state->count, title, std::move(work)));
        m_state->waiting.push_back({job, std::move(onChange)});
        m_state->all.push_back(job);
        std::size_t ended = 0;
        for (const JobPtr& j : m_state->all) {
            ended += j->over();
        }
        std::erase_if(m_state->all, [&](const JobPtr& j) { return ended > State::kKeepEnded && j->over() && ended--; });
    }
    m_state->wake.notify_one();
    return job;
}

std::vector<JobPtr> JobQueue::jobs() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->all;
}

void JobQueue::cancelAll() {
    for (const JobPtr& job : jobs()) {
        if (!job->over()) job->cancel();
    }
}

void JobQueue::work() {
    for (;;) {
        State::Entry entry;
        {
            std::unique_lock lock(m_state->mutex);
            m_state->wake.wait(lock, [this] { return m_state->stop || !m_state->waiting.empty(); });
            if (m_state->waiting.empty()) return;
            entry = std::move(m_state->waiting.front());
            m_state->waiting.pop_front();
        }
        Job& job = *entry.job;
        const auto set = [&](Job::State state, const QString& error = {}) {
            {
                const std::lock_guard lock(job.m_mutex);
                job.m_state = state;
                job.m_error = error;
            }
            job.m_changed.notify_all();
            if (entry.onChange) entry.onChange();
        };
        if (job.m_progress.token().cancelled()) {
            set(Job::State::Cancelled);
            continue;
        }
        set(Job::State::Running);
        try {
            job.m_work(job.m_progress);
            set(Job::State::Finished);
        } catch (const CancelledError&) {
            set(Job::State::Cancelled);
        } catch (const std::exception& e) {
            set(Job::State::Failed, QString::fromUtf8(e.what()));
        }
        job.m_work = nullptr;
    }
}

} // namespace blendscope
