#include "view/TileLoader.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <set>

namespace blendscope {

struct TileLoader::State {
    mutable std::mutex mutex;
    std::function<void()> ready; ///< empty once the loader is gone
    TileReaderPtr reader;
    int generation = 0;
    std::deque<std::pair<TileKey, bool>> queue; ///< tile, prefetch
    std::set<TileKey> reading;                  ///< of this generation
    std::vector<Loaded> loaded;
    bool announced = false;
    int running = 0;
    QString error;
};

TileLoader::TileLoader(std::function<void()> ready) : m_state(std::make_shared<State>()) {
    m_state->ready = std::move(ready);
}

TileLoader::~TileLoader() {
    const std::lock_guard lock(m_state->mutex);
    m_state->ready = {};
    m_state->queue.clear();
}

int TileLoader::setReader(TileReaderPtr reader) {
    m_reader = std::move(reader);
    const std::lock_guard lock(m_state->mutex);
    m_state->reader = m_reader;
    m_state->generation = ++m_generation;
    m_state->queue.clear();
    m_state->reading.clear();
    m_state->loaded.clear();
    m_state->error.clear();
    return m_generation;
}

void TileLoader::setWanted(const std::vector<TileKey>& keys, size_t prefetchFrom) {
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->queue.clear();
        if (!m_state->reader) return;
        for (size_t i = 0; i < keys.size(); ++i) {
            const bool has =
                m_state->reading.contains(keys[i]) || std::any_of(m_state->loaded.begin(), m_state->loaded.end(),
                                                                  [&](const Loaded& l) { return l.key == keys[i]; });
            if (!has) m_state->queue.emplace_back(keys[i], i >= prefetchFrom);
        }
    }
    pump(m_state);
}

std::vector<TileLoader::Loaded> TileLoader::take() {
    const std::lock_guard lock(m_state->mutex);
    m_state->announced = false;
    return std::exchange(m_state->loaded, {});
}

bool TileLoader::busy() const {
    const std::lock_guard lock(m_state->mutex);
    return !m_state->queue.empty() || !m_state->reading.empty() || !m_state->loaded.empty();
}

QString TileLoader::lastError() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->error;
}

void TileLoader::pump(const std::shared_ptr<State>& state) {
    int start = 0;
    bool prefetch = false;
    {
        const std::lock_guard lock(state->mutex);
        const int most = std::max(1, TaskPool::shared().threads());
        start = std::min(most - state->running, static_cast<int>(state->queue.size()));
        if (start <= 0) return;
        state->running += start;
        prefetch = state->queue.front().second;
    }
    for (int i = 0; i < start; ++i) {
        TaskPool::shared().submit([state] { work(state); }, prefetch ? TaskPool::Prefetch : TaskPool::OnScreen);
    }
}

void TileLoader::work(const std::shared_ptr<State>& state) {
    Loaded result;
    TileReaderPtr reader;
    {
        const std::lock_guard lock(state->mutex);
        if (state->queue.empty()) {
            --state->running;
            return;
        }
        result.key = state->queue.front().first;
        result.generation = state->generation;
        state->queue.pop_front();
        state->reading.insert(result.key);
        reader = state->reader;
    }
    QString error;
    try {
        result.pixels = reader->read(result.key);
        result.plain = reader->plain(result.pixels);
    } catch (const Error& e) {
        error = e.message();
    } catch (const std::exception& e) {
        error = QString::fromUtf8(e.what());
    }
    reader.reset();
    {
        const std::lock_guard lock(state->mutex);
        --state->running;
        if (result.generation == state->generation) {
            state->reading.erase(result.key);
            if (!error.isEmpty()) state->error = error;
            state->loaded.push_back(std::move(result));
            // Posting under the lock keeps the receiver alive: the loader's destructor takes the same lock.
            if (!state->announced && state->ready) {
                state->announced = true;
                state->ready();
            }
        }
    }
    pump(state);
}

} // namespace blendscope
