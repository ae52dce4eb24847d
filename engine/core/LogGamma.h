#pragma once

#include <cmath>

namespace blendscope {

/// ln |Gamma(x)|, from any thread: std::lgamma writes the sign to a global variable.
[[nodiscard]] inline double logGamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

} // namespace blendscope
