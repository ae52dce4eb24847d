#pragma once

#include "core/Error.h"
#include "core/Result.h"
#include "core/Scene.h"

#include <QString>
#include <vector>

namespace blendscope {

/// Writes catalog.fits, catalog.csv, blends.csv, covariances.csv, segmentation.fits, components.fits, run.json (and
/// classes.fits where there are class planes) into `folder`, which is made. Every file is written beside and renamed,
/// so that a killed write leaves the old one. Throws WriteError.
void writeResult(const Result& result, const Scene& scene, const QString& folder, double readSeconds = 0.0);

/// Reads what writeResult wrote, for the window and for judging. The scene gives the bands' order and the grid; files
/// that are missing leave their part empty, with a warning in the result. Throws ReadError.
[[nodiscard]] ResultPtr readResult(const Scene& scene, const QString& folder);

/// catalog.csv of many scenes: header and rows of one scene's catalogue as text lines.
[[nodiscard]] QStringList catalogCsvLines(const Result& result, const Scene& scene, bool withHeader);

} // namespace blendscope
