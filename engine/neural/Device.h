#pragma once

#include "core/Error.h"

#include <QString>
#include <QStringList>

namespace blendscope {

/// Devices on which neural methods can run here: "cpu", then "cuda:0", "cuda:1"... CUDA is untested: no machine with
/// a GPU has run it yet.
[[nodiscard]] QStringList neuralDevices();

/// "auto" becomes the first GPU or else "cpu"; "cuda" becomes "cuda:0". Throws UsageError, naming the devices that
/// there are, for one that is not here.
[[nodiscard]] QString resolveDevice(const QString& wanted);

/// The version of LibTorch, "1.13.1".
[[nodiscard]] QString neuralVersion();

} // namespace blendscope
