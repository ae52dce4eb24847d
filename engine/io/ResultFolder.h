#pragma once

#include "core/Error.h"
#include "core/Result.h"
#include "core/Scene.h"
#include "io/SceneReader.h"

#include <QString>
#include <vector>

namespace blendscope {

/// Writes catalog.fits, catalog.csv, blends.csv, covariances.csv, segmentation.fits, components.fits, run.json (and
/// classes.fits where there are class planes, candidates.csv where a method looked for more sources) into `folder`,
/// which is made. Every file is written beside and renamed, so that a killed write leaves the old one. `open`: how the
/// scene was opened, kept in run.json. Throws WriteError.
void writeResult(const Result& result, const Scene& scene, const QString& folder, double readSeconds = 0.0,
                 const OpenOptions& open = {});

/// Reads what writeResult wrote, for the window and for judging. The scene gives the bands' order and the grid; files
/// that are missing leave their part empty, with a warning in the result. Throws ReadError.
[[nodiscard]] ResultPtr readResult(const Scene& scene, const QString& folder);

/// Writes the catalogue (FITS and CSV) and blends.csv of a result folder again, with the outcomes of its objects and,
/// by blend id, of its blends; each file beside and renamed. Throws WriteError.
void writeOutcomes(const Result& result, const Scene& scene, const QString& folder,
                   const QMap<int, QString>& outcomeOfBlend);

/// What run.json says about the scene of a result.
struct RunRecord {
    QString sceneId;
    QStringList files;
    OpenOptions open;
    QJsonObject pipeline;
};
[[nodiscard]] bool isResultFolder(const QString& folder);
/// Throws ReadError where there is no run.json or it is no JSON object.
[[nodiscard]] RunRecord readRunRecord(const QString& folder);

/// The scene that a result was made from, opened as it was then; `override` replaces what it sets. `path` takes the
/// place of the files that were recorded, where they have moved. Throws ReadError, UsageError.
[[nodiscard]] ScenePtr openSceneOfResult(const QString& folder, const OpenOptions& override = {},
                                         const QString& path = {}, Progress* progress = nullptr);

/// catalog.csv of many scenes: header and rows of one scene's catalogue as text lines.
[[nodiscard]] QStringList catalogCsvLines(const Result& result, const Scene& scene, bool withHeader);

} // namespace blendscope
