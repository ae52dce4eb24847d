#include "view/ColourMap.h"

#include "figure/Palette.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace blendscope {

namespace {

using Stops = std::array<QRgb, 9>;

// Nine colours at equal steps of the published perceptually uniform maps (viridis, magma: S. van der Walt and N. Smith
// 2015, CC0; cividis: Nunez et al. 2018, PLoS ONE 13, e0199239).
constexpr Stops kViridis = {0xff440154, 0xff472d7b, 0xff3b528b, 0xff2c728e, 0xff21918c,
                            0xff28ae80, 0xff5ec962, 0xffaddc30, 0xfffde725};
constexpr Stops kMagma = {0xff000004, 0xff1d1147, 0xff51127c, 0xff832681, 0xffb73779,
                          0xffe75263, 0xfffc8961, 0xfffec488, 0xfffcfdbf};
constexpr Stops kCividis = {0xff00224e, 0xff123570, 0xff3b496c, 0xff575d6d, 0xff707173,
                            0xff8a8678, 0xffa59c74, 0xffd2c060, 0xfffee838};

QRgb between(const Stops& stops, float t) {
    const float at = t * static_cast<float>(stops.size() - 1);
    const auto i = std::min(static_cast<size_t>(at), stops.size() - 2);
    const float f = at - static_cast<float>(i);
    const auto mix = [f](int a, int b) { return static_cast<int>(std::lround(a + f * static_cast<float>(b - a))); };
    return qRgb(mix(qRed(stops[i]), qRed(stops[i + 1])), mix(qGreen(stops[i]), qGreen(stops[i + 1])),
                mix(qBlue(stops[i]), qBlue(stops[i + 1])));
}

} // namespace

QRgb mapColour(DisplayMap map, float t) {
    t = std::isfinite(t) ? std::clamp(t, 0.0f, 1.0f) : 0.0f;
    const int grey = static_cast<int>(std::lround(255.0f * t));
    switch (map) {
    case DisplayMap::Gray:
        return qRgb(grey, grey, grey);
    case DisplayMap::InvertedGray:
        return qRgb(255 - grey, 255 - grey, 255 - grey);
    case DisplayMap::Viridis:
        return between(kViridis, t);
    case DisplayMap::Cividis:
        return between(kCividis, t);
    case DisplayMap::Magma:
        return between(kMagma, t);
    case DisplayMap::Diverging:
        return divergingColour(2.0f * t - 1.0f);
    }
    return qRgb(grey, grey, grey);
}

} // namespace blendscope
