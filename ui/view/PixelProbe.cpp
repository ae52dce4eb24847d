#include "view/PixelProbe.h"

#include "figure/Usable.h"
#include "jobs/TaskPool.h"

#include <limits>
#include <mutex>

namespace blendscope {

namespace {

constexpr int kBlock = 64;

struct Block {
    Box box;
    std::vector<cv::Mat> bands;
    cv::Mat unusable; ///< CV_8U
};

Block readBlock(const Scene& scene, const Box& box) {
    Block block{box, {}, {}};
    std::vector<int> all;
    for (const Band& band : scene.bands) {
        all.push_back(static_cast<int>(all.size()));
        cv::Mat values;
        try {
            if (band.image) values = band.image->read(box);
        } catch (const std::exception&) {
            values.release(); // shown as "no value"; the tile says more
        }
        block.bands.push_back(values);
    }
    try {
        block.unusable = unusablePixels(scene, all, box, 1);
    } catch (const std::exception&) {
        block.unusable.release();
    }
    return block;
}

PixelProbe::Values valuesIn(const Block& block, int x, int y) {
    PixelProbe::Values v;
    for (size_t b = 0; b < block.bands.size(); ++b) {
        const cv::Mat& m = block.bands[b];
        v.bands.push_back(m.empty() ? std::numeric_limits<float>::quiet_NaN()
                                    : m.at<float>(y - block.box.y0, x - block.box.x0));
    }
    v.unusable = !block.unusable.empty() && block.unusable.at<std::uint8_t>(y - block.box.y0, x - block.box.x0) != 0;
    return v;
}

bool allResident(const Scene& scene) {
    for (const Band& band : scene.bands) {
        for (const PlanePtr& plane : {band.image, band.mask, band.variance}) {
            if (plane && !plane->resident()) return false;
        }
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
    if (m_state->block && m_state->block->box.contains(x, y)) return valuesIn(*m_state->block, x, y);
    if (allResident(*scene)) return valuesIn(readBlock(*scene, {x, y, 1, 1}), x, y);
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
