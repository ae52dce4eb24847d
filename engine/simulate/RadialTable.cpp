#include "simulate/RadialTable.h"

#include <cmath>

namespace blendscope {

RadialTable::RadialTable(const std::function<double(double)>& f, double most) {
    m_values.clear();
    const double end = most * most;
    for (std::uint32_t i = 0;; ++i) {
        const double squared = std::bit_cast<float>(kFirst + (i << kShift));
        m_values.push_back(static_cast<float>(f(std::sqrt(squared))));
        if (squared > end || squared > 1e30) break;
    }
}

} // namespace blendscope
