#include "view/SceneSamples.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"

namespace blendscope {

SceneSamples::SceneSamples(ScenePtr scene) : m_scene(std::move(scene)) {
    m_bands.resize(m_scene->bands.size());
}

std::shared_ptr<const std::vector<float>> SceneSamples::band(int band) const {
    const std::lock_guard lock(m_mutex);
    return band >= 0 && band < static_cast<int>(m_bands.size()) ? m_bands[static_cast<size_t>(band)] : nullptr;
}

std::optional<RgbSettings> SceneSamples::rgb() const {
    const std::lock_guard lock(m_mutex);
    return m_rgb;
}

void SceneSamples::requestBand(int band, std::function<void()> done) {
    if (band < 0 || band >= static_cast<int>(m_bands.size())) return;
    if (this->band(band)) return done();
    TaskPool::shared().submit(
        [self = shared_from_this(), band, done = std::move(done)] {
            self->readBand(band);
            done();
        },
        TaskPool::OnScreen);
}

void SceneSamples::requestRgb(std::function<void()> done) {
    if (rgb()) return done();
    TaskPool::shared().submit(
        [self = shared_from_this(), done = std::move(done)] {
            self->readRgb();
            done();
        },
        TaskPool::OnScreen);
}

void SceneSamples::readBand(int band) {
    if (this->band(band)) return;
    std::vector<float> values;
    try {
        const Band& b = m_scene->bands[static_cast<size_t>(band)];
        if (b.image) values = gridSample(*b.image);
    } catch (const std::exception&) {
        values.clear(); // the tiles that fail say it on the picture
    }
    const std::lock_guard lock(m_mutex);
    m_bands[static_cast<size_t>(band)] = std::make_shared<const std::vector<float>>(std::move(values));
}

void SceneSamples::readRgb() {
    const std::lock_guard once(m_rgbMutex); // several views ask at once: one reads, the others wait for it
    if (rgb()) return;
    RgbSettings settings;
    try {
        settings = defaultRgb(*m_scene);
    } catch (const std::exception&) {
        for (std::vector<float>& w : settings.weights) {
            w.assign(m_scene->bands.size(), 1.0f / static_cast<float>(std::max<size_t>(1, m_scene->bands.size())));
        }
        settings.level.assign(m_scene->bands.size(), 0.0f);
    }
    const std::lock_guard lock(m_mutex);
    m_rgb = std::move(settings);
}

} // namespace blendscope
