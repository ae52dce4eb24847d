#pragma once

#include "core/Scene.h"

#include <QString>
#include <array>
#include <vector>

namespace blendscope {

/// Lower and upper value of a picture's scale, counts.
struct Cuts {
    float low = 0.0f;
    float high = 1.0f;
};

/// IRAF's ZScale on a grid sample (contrast 0.25), NaN ignored; sensible for constant and empty samples.
[[nodiscard]] Cuts zScale(const std::vector<float>& sample, double contrast = 0.25);
/// Central `percent` of the values (99.5: from the 0.25th to the 99.75th percentile).
[[nodiscard]] Cuts percentileCuts(std::vector<float> sample, double percent);
[[nodiscard]] Cuts minMaxCuts(const std::vector<float>& sample);

/// At most `most` finite values of a plane on a regular grid, read sparsely.
[[nodiscard]] std::vector<float> gridSample(const Plane& plane, int most = 20000);

/// Median and sigma (1.4826 MAD after three clips at 3 sigma) of a sample: sky level and noise for display.
struct SkyLevel {
    float level = 0.0f;
    float sigma = 1.0f;
};
[[nodiscard]] SkyLevel skyOfSample(std::vector<float> sample);

enum class Curve { Linear, Log, Sqrt, Asinh };
/// 0..1 -> 0..1. Log as DS9 (exponent 1000), asinh with softening 0.1 unless `parameter` > 0 says otherwise.
[[nodiscard]] float applyCurve(Curve curve, float t, float parameter = 0.0f);

/// Settings of a colour picture after Lupton et al. 2004, PASP 116, 133: intensity I = mean of the scaled channels,
/// channel -> channel * asinh(Q (I - minimum) / stretch) / (Q I), hue kept. `weights[c][band]` mixes bands into
/// channels (0 red, 1 green, 2 blue) after each band is scaled to its own sky noise or to equal counts per magnitude.
struct RgbSettings {
    std::array<std::vector<float>, 3> weights;
    std::vector<float> level; ///< per band: sky level taken off first, counts
    float stretch = 1.0f;
    float q = 8.0f;
};

/// A good picture without a click: bands spread over channels by wavelength, balanced, stretch from the sky noise.
[[nodiscard]] RgbSettings defaultRgb(const Scene& scene);

} // namespace blendscope
