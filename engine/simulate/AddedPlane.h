#pragma once

#include "core/Plane.h"

#include <vector>

namespace blendscope {

/// A plane with patches added onto parts of it: the parent is read by region as before, whatever its size.
class AddedPlane final : public Plane {
public:
    struct Patch {
        Box box;        ///< inside the plane
        cv::Mat pixels; ///< CV_32F of its size
    };
    AddedPlane(PlanePtr base, std::vector<Patch> patches) : m_base(std::move(base)), m_patches(std::move(patches)) {}
    [[nodiscard]] cv::Size size() const override { return m_base->size(); }
    [[nodiscard]] int type() const override { return CV_32F; }
    [[nodiscard]] cv::Mat read(const Box& box) const override;

private:
    PlanePtr m_base;
    std::vector<Patch> m_patches;
};

} // namespace blendscope
