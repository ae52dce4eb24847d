#include "simulate/AddedPlane.h"

namespace blendscope {

cv::Mat AddedPlane::read(const Box& box) const {
    const cv::Mat base = m_base->read(box);
    cv::Mat out;
    for (const Patch& patch : m_patches) {
        const Box common = patch.box.intersected(box);
        if (common.empty()) continue;
        if (out.empty()) out = base.clone();
        out(common.shifted(-box.x0, -box.y0).rect()) +=
            patch.pixels(common.shifted(-patch.box.x0, -patch.box.y0).rect());
    }
    return out.empty() ? base : out;
}

} // namespace blendscope
