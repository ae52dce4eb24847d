#pragma once

#include "core/Scene.h"
#include "image/Display.h"

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace blendscope {

/// What an automatic stretch needs to know of a scene: a grid sample of each band and the default colours, read once in
/// the background and shared by all views of the scene.
class SceneSamples : public std::enable_shared_from_this<SceneSamples> {
public:
    explicit SceneSamples(ScenePtr scene);

    /// At most 20000 finite values of a band; null if it has not been read yet.
    [[nodiscard]] std::shared_ptr<const std::vector<float>> band(int band) const;
    [[nodiscard]] std::optional<RgbSettings> rgb() const;

    /// Reads in the background what is missing, then calls `done` on a worker thread (at once on this one where it is
    /// there already): it must only post. Failures to read count as an empty sample.
    void requestBand(int band, std::function<void()> done);
    void requestRgb(std::function<void()> done);

private:
    void readBand(int band);
    void readRgb();

    ScenePtr m_scene;
    mutable std::mutex m_mutex;
    std::mutex m_rgbMutex;
    std::vector<std::shared_ptr<const std::vector<float>>> m_bands;
    std::optional<RgbSettings> m_rgb;
};

} // namespace blendscope
