#pragma once

#include "core/Scene.h"

#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <vector>

namespace blendscope {

/// Values under the cursor without waiting for the disk: planes in memory are asked at once, others by small blocks
/// read in the background.
class PixelProbe {
public:
    struct Values {
        std::vector<float> bands;
        bool unusable = false;
    };

    /// `arrived` is called from a worker thread when a block is there: it must only post.
    explicit PixelProbe(std::function<void()> arrived);
    ~PixelProbe();
    PixelProbe(const PixelProbe&) = delete;
    PixelProbe& operator=(const PixelProbe&) = delete;

    void setScene(ScenePtr scene);
    /// Values of a pixel inside the scene; nothing if they have to be read first, which is started.
    [[nodiscard]] std::optional<Values> at(int x, int y);

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace blendscope
