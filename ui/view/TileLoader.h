#pragma once

#include "view/TileReader.h"

#include <QString>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Reads the tiles that are wanted now on the shared pool, most wanted first; what is no longer wanted is forgotten.
class TileLoader {
public:
    struct Loaded {
        TileKey key;
        int generation = 0;
        cv::Mat pixels;     ///< empty where reading failed
        bool plain = false; ///< as TileReader::plain says
    };

    /// `ready` is called from a worker thread, once until take() is called: it must only post.
    explicit TileLoader(std::function<void()> ready);
    ~TileLoader();
    TileLoader(const TileLoader&) = delete;
    TileLoader& operator=(const TileLoader&) = delete;

    /// New pixels: tiles loaded from now on carry the new generation, which is returned.
    int setReader(TileReaderPtr reader);
    [[nodiscard]] int generation() const { return m_generation; }
    [[nodiscard]] bool hasReader() const { return m_reader != nullptr; }
    [[nodiscard]] TileGeometry geometry() const { return m_reader ? m_reader->geometry() : TileGeometry{}; }
    /// Replaces the list, most wanted first; those from `prefetchFrom` on are read when nothing else waits. Tiles on
    /// their way are not read twice.
    void setWanted(const std::vector<TileKey>& keys, size_t prefetchFrom);
    /// What has arrived since; tiles of older generations are dropped.
    [[nodiscard]] std::vector<Loaded> take();
    /// Something is on its way or waits to be taken.
    [[nodiscard]] bool busy() const;
    [[nodiscard]] QString lastError() const;

private:
    struct State;
    static void pump(const std::shared_ptr<State>& state);
    static void work(const std::shared_ptr<State>& state);

    std::shared_ptr<State> m_state;
    TileReaderPtr m_reader;
    int m_generation = 0;
};

} // namespace blendscope
