#pragma once

#include "core/Wcs.h"

#include <memory>
#include <vector>

namespace blendscope {

/// Points in the plane, found by place: cells of one size, so that 10^5 points are searched in no time. Points that are
/// not finite are never found.
class PointGrid {
public:
    /// `cell` is about the radius that will be asked for; any positive number works.
    PointGrid(const std::vector<PixelPosition>& points, double cell);
    ~PointGrid();
    PointGrid(const PointGrid&) = delete;
    PointGrid& operator=(const PointGrid&) = delete;

    struct Hit {
        int index = -1;
        double distance = 0.0;
    };
    /// All points within `radius` of (x, y), the border included, in order of their index.
    [[nodiscard]] std::vector<Hit> within(double x, double y, double radius) const;
    /// The nearest point within `radius`, the lower index of two equally near; index -1 where there is none.
    [[nodiscard]] Hit nearest(double x, double y, double radius, int except = -1) const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// What true objects are paired with: an index into the detections, or -1.
struct Matches {
    std::vector<int> partner;     ///< per truth
    std::vector<double> distance; ///< per truth, pixel; NaN without partner
    [[nodiscard]] int count() const;
};

/// One to one, nearest pairs first, at most `radius` pixels apart. Ties go to the lower truth, then the lower
/// detection.
[[nodiscard]] Matches matchNearestFirst(const std::vector<PixelPosition>& truths,
                                        const std::vector<PixelPosition>& detections, double radius);

/// One to one with as many pairs as possible within `radius` and, among these, the least sum of distances (Kuhn 1955;
/// Jonker & Volgenant's shortest augmenting paths), group by group of points that reach each other.
[[nodiscard]] Matches matchHungarian(const std::vector<PixelPosition>& truths,
                                     const std::vector<PixelPosition>& detections, double radius);

/// Friends of friends: a label from 0 per point, the same for points linked by steps of at most `link` pixels; labels
/// count up in order of first appearance.
[[nodiscard]] std::vector<int> friendsOfFriends(const std::vector<PixelPosition>& points, double link);

} // namespace blendscope
