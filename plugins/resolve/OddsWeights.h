#pragma once

// Written by train/fit_odds.py: mean and width of the terms of SourceTraits::logOdds, weights of the terms and of their
// products (i <= j, row by row), in units of these widths.
namespace blendscope::odds {

constexpr int kTerms = 9;
constexpr double kMost = 2.5;
constexpr double kMean[kTerms] = {1.3802, -0.9604, 0.7761, 0.0793, -0.4958, 0.6160, 1.2561, 0.2026, 0.6735};
constexpr double kDeviation[kTerms] = {0.9498, 0.9596, 1.1627, 0.1756, 0.5940, 0.7211, 0.6104, 0.5342, 0.7952};
constexpr double kConstant = -0.2244;
constexpr double kLinear[kTerms] = {0.8475, 0.4370, 0.6038, 0.1022, -0.3930, 0.3070, -0.1421, -0.0171, -0.3612};
constexpr double kProduct[kTerms * (kTerms + 1) / 2] = {
    -0.0810, -0.2591, -0.1061, -0.0457, 0.1647,  0.0928,  0.5264,  0.0110,  -0.1299, 0.3328,  0.0967,  0.1333,
    -0.1402, 0.3071,  -0.0534, 0.0396,  -0.1888, 0.1918,  -0.2123, 0.1208,  -0.0661, 0.0584,  -0.1582, 0.0874,
    -0.1542, 0.1015,  0.1101,  0.1190,  -0.0526, -0.1454, -0.1781, -0.2086, 0.0110,  -0.0965, 0.0035,  -0.1705,
    -0.2552, 0.0290,  -0.0546, -0.3610, -0.1276, -0.0802, 0.0371,  -0.0154, -0.0349};

} // namespace blendscope::odds
