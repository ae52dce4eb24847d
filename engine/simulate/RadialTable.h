#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <vector>

namespace blendscope {

/// A smooth function of a radius, tabulated in the square of its argument with 128 steps an octave and linear between
/// them: no root, no logarithm, right to 1e-5 of its value at 0 for transforms of profiles and PSFs. Immutable.
class RadialTable {
public:
    RadialTable() = default;
    /// `f` is asked from 2^-15 to `most`; below it is constant, above it is 0.
    RadialTable(const std::function<double(double)>& f, double most);

    [[nodiscard]] float operator()(float squared) const {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(squared);
        if (bits < kFirst) return m_values.front();
        const std::uint32_t i = (bits - kFirst) >> kShift;
        if (i + 1 >= m_values.size()) return 0.0f;
        const float t = static_cast<float>(bits & ((1u << kShift) - 1u)) * (1.0f / static_cast<float>(1u << kShift));
        return m_values[i] + t * (m_values[i + 1] - m_values[i]);
    }

private:
    // A float's upper bits count its octaves and 128 equal steps in each.
    static constexpr std::uint32_t kShift = 16;
    static constexpr std::uint32_t kFirst = (127u - 30u) << 23;
    std::vector<float> m_values{0.0f};
};

} // namespace blendscope
