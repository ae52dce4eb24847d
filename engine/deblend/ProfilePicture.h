#pragma once

#include "core/Lanes.h"
#include "deblend/GaussianMixture.h"
#include "deblend/JointSource.h"

#include <algorithm>
#include <cstddef>

namespace blendscope {

/// Part of a blend's box in whole lanes: columns 8 * lane0 ... 8 * (lane0 + lanes), rows y0 ... y0 + rows.
struct LaneWindow {
    int lane0 = 0, lanes = 0, y0 = 0, rows = 0;
    [[nodiscard]] bool overlaps(const LaneWindow& o) const {
        return lane0 < o.lane0 + o.lanes && o.lane0 < lane0 + lanes && y0 < o.y0 + o.rows && o.y0 < y0 + rows;
    }
    [[nodiscard]] bool empty() const { return lanes <= 0 || rows <= 0; }
    [[nodiscard]] LaneWindow intersected(const LaneWindow& o) const {
        const int l0 = std::max(lane0, o.lane0), r0 = std::max(y0, o.y0);
        return {l0, std::min(lane0 + lanes, o.lane0 + o.lanes) - l0, r0, std::min(y0 + rows, o.y0 + o.rows) - r0};
    }
    [[nodiscard]] std::size_t size() const { return std::size_t(rows) * std::size_t(lanes); }
};

/// Pictures of a source of unit flux through a PSF, and of their derivatives by x, y, ln r, e1, e2 and the bulge share:
/// values at pixel centres. Gaussians of profile and PSF whose convolutions hardly differ are drawn as one.
class ProfilePicture {
public:
    static constexpr int kImages = 7; ///< the picture and six derivatives

    /// `images` [image][row][lane] of the window: all kImages with `derivatives`, otherwise the first only;
    /// overwritten.
    static void draw(const JointSource& source, const GaussianPsf& psf, const LaneWindow& window, bool derivatives,
                     Lanes* images);
};

} // namespace blendscope
