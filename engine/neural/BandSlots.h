#pragma once

#include <vector>

namespace blendscope {

/// Optical and near-infrared slots u, g, r, i, z, y in which networks expect bands; absent ones are zero and said so.
inline constexpr int kBandSlots = 6;
/// Pixels, for a band whose PSF is not known.
inline constexpr float kUnknownFwhm = 4.0f;

/// Slot of each band, by wavelength (nm; 0 = unknown) in order: the assignment that keeps the order of wavelengths and
/// is closest in the logarithm to 365, 480, 622, 755, 869, 971 nm. Bands of unknown wavelength take the free slots
/// nearest to i. Throws UsageError for none or more than six.
[[nodiscard]] std::vector<int> bandSlots(const std::vector<double>& wavelengths);

} // namespace blendscope
