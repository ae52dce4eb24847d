#pragma once

#include <cstdint>

namespace blendscope {

/// What a random stream is for: no two of them share numbers.
enum RandomStream : std::uint64_t {
    StreamSeeing = 1,
    StreamNoise = 2,
    StreamPlaced = 3,
    StreamGroups = 4,
    StreamGalaxies = 5,
    StreamStars = 6,
    StreamInjection = 7,
    StreamArtefacts = 8,
    StreamLayout = 9,
    StreamVariation = 10,
    StreamReadNoise = 11
};

} // namespace blendscope
