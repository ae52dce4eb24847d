#pragma once

#include "Arguments.h"

namespace blendscope::cli {

class Console;

/// The part of `blend judge` for scenes without truth: suspected outcomes. Returns the exit code; throws Error.
int runSuspect(const Arguments& arguments, Console& console);

} // namespace blendscope::cli
