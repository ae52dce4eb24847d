#include "view/PixelProbe.h"

#include "jobs/TaskPool.h"

#include <limits>
#include <mutex>

namespace blendscope {

namespace {

constexpr int kBlock = 64;

struct Block {
    Box box;
    std::vector<cv::Mat> bands, masks;
};

Block readBlock(const Scene& scene, const Box& box) {
    Block block{box, {}, {}};
    for (const Band& band : scene.bands) {
        cv::Mat values, mask;
        try {
            if (band.image) values = band.image->read(box);
            if (band.mask) mask = band.mask->read(box);
        } catch (const std::exception&) {
            values.release(); // shown as "no value"; the tile says more
        }
        block.bands.push_back(values);
        block.masks.push_back(mask);
    }
    return block;
}

PixelProbe::Values valuesIn(const Scene& scene, const Block& block, int x, int y) {
    PixelProbe::Values v;
    for (size_t b = 0; b < block.bands.size(); ++b) {
        const cv::Mat& m = block.bands[b];
        v.bands.push_back(m.empty() ? std::numeric_limits<float>::quiet_NaN()
                                    : m.at<float>(y - block.box.y0, x - block.box.x0));
        const cv::Mat& mask = block.masks[b];
        if (!mask.empty() && (mask.at<int>(y - block.box.y0, x - block.box.x0) & scene.bands[b].unusableBits()))
            v.unusable = true;
    }
    return v;
}

bool allResident(const Scene& scene) {
    for (const Band& band : scene.bands) {
        if ((band.image && !band.image->resident()) || (band.mask && !band.mask->resident())) return false;
    }
    return true;
}

} // namespace

struct PixelProbe::State {
    std::mutex mutex;
    std::function<void()> arrived;
    ScenePtr scene;
    std::optional<Block> block;
    Box wanted; ///< the newest wish; empty = none
    bool reading = false;
};

PixelProbe::PixelProbe(std::function<void()> arrived) : m_state(std::make_shared<State>()) {
    m_state->arrived = std::move(arrived);
}

PixelProbe::~PixelProbe() {
    const std::lock_guard lock(m_state->mutex);
    m_state->arrived = {};
}

void PixelProbe::setScene(ScenePtr scene) {
    const std::lock_guard lock(m_state->mutex);
    m_state->scene = std::move(scene);
    m_state->block.reset();
    m_state->wanted = {};
}

std::optional<PixelProbe::Values> PixelProbe::at(int x, int y) {
    const std::lock_guard lock(m_state->mutex);
    const ScenePtr scene = m_state->scene;
    if (!scene || !scene->box().contains(x, y)) return std::nullopt;
    if (m_state->block && m_state->block->box.contains(x, y)) return valuesIn(*scene, *m_state->block, x, y);
    if (allResident(*scene)) return valuesIn(*scene, readBlock(*scene, {x, y, 1, 1}), x, y);
    m_state->wanted = Box{x / kBlock * kBlock, y / kBlock * kBlock, kBlock, kBlock}.intersected(scene->box());
    if (m_state->reading) return std::nullopt;
    m_state->reading = true;
    TaskPool::shared().submit(
        [state = m_state] {
            for (;;) {
                ScenePtr from;
                Box box;
                {
                    const std::lock_guard inner(state->mutex);
                    box = state->wanted;
                    from = state->scene;
                    state->wanted = {};
                    if (box.empty() || !from || !state->arrived) {
                        state->reading = false;
                        return;
                    }
                }
                Block block = readBlock(*from, box);
                const std::lock_guard inner(state->mutex);
                if (state->scene == from) state->block = std::move(block);
                if (state->arrived) state->arrived();
            }
        },
        TaskPool::OnScreen);
    return std::nullopt;
}

} // namespace blendscope
