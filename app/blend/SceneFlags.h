#pragma once

#include "Arguments.h"

#include "io/SceneReader.h"

namespace blendscope::cli {

/// The flags of every verb that opens scenes: --bands, --zeropoint, --psf, --resample, --name.
[[nodiscard]] std::vector<Arguments::Flag> sceneFlags();

/// Throws UsageError.
[[nodiscard]] OpenOptions openOptions(const Arguments& arguments);

} // namespace blendscope::cli
