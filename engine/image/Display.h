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
[[nodiscard]] Cuts percentileCuts(const std::vector<float>& sample, double percent);
[[nodiscard]] Cuts minMaxCuts(const std::vector<float>& sample);

/// At most `most` finite values of a plane on a regular grid, read sparsely.
[[nodiscard]] std::vector<float> gridSample(const Plane& plane, int most = 20000);

/// Median and sigma (1.4826 MAD after three clips at 3 sigma) of a sample: sky level and noise for display. Where more
/// than half of the values are equal (padding), sigma is that of the others; 1 for a constant or empty sample.
struct SkyLevel {
    float level = 0.0f;
    float sigma = 1.0f;
};
[[nodiscard]] SkyLevel skyOfSample(const std::vector<float>& sample);

enum class Curve { Linear, Log, Sqrt, Asinh };
/// 0..1 -> 0..1. Log as DS9 (exponent 1000), asinh with softening 0.1 unless `parameter` > 0 says otherwise.
[[nodiscard]] float applyCurve(Curve curve, float t, float parameter = 0.0f);

/// Settings of a colour picture after Lupton et al. 2004, PASP 116, 133. channel c = sum over bands of weights[c][band]
/// (value - level[band]); intensity I = mean of the three channels; shown is channel * asinh(Q I / stretch) / (Q I),
/// and all three divided by the largest where that is above 1, so that the hue is kept. Channels: 0 red, 1 green, 2
/// blue.
struct RgbSettings {
    std::array<std::vector<float>, 3> weights; ///< [channel][band]; they hold the bands' units, as 1e12 for 1e-12 Jy
    std::vector<float> level;                  ///< per band: sky level taken off first, counts
    float stretch = 1.0f;
    float q = 8.0f;
};

/// A good picture without a click: bands spread over the channels by wavelength (one band: grey), each channel weighted
/// by S/N, channels balanced so that the typical object is neutral, stretch from the sky noise. Reads a sparse sample
/// of each band (all pixels of small scenes). Works in any units and never throws for odd pixels; ReadError passes.
[[nodiscard]] RgbSettings defaultRgb(const Scene& scene);

/// Renders a region to 8-bit colour. `bands`: CV_32F [y, x] of one size, in the order of the settings; a band may be
/// empty where its weights are 0. `bgr8` becomes CV_8UC3 in OpenCV's channel order, row 0 first as in the input.
/// Channels do without bands that are not finite in a pixel; `invalid` (optional) becomes CV_8U: 255 where no band that
/// has a weight is finite (the pixel is black), 128 where some are not, 0 elsewhere. Throws UsageError for sizes that
/// do not fit.
void luptonRgb(const std::vector<cv::Mat>& bands, const RgbSettings& settings, cv::Mat& bgr8,
               cv::Mat* invalid = nullptr);

} // namespace blendscope
