#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "io/Table.h"

namespace blendscope {

/// The tables of a result folder, each made and read back in one place. What the columns mean is in the manual. Column
/// names of FITS tables are those of the CSV files.
namespace tables {

[[nodiscard]] Table catalog(const Result& result, const Scene& scene);
[[nodiscard]] Table blends(const Result& result);
[[nodiscard]] Table covariances(const Result& result);
/// What was considered beyond the peaks, blend by blend; no rows where the methods looked for nothing.
[[nodiscard]] Table candidates(const Result& result);
/// Shares the components' pixels. A component with a band missing is written as zeros there.
[[nodiscard]] Table components(const Result& result);
[[nodiscard]] Table footprints(const Result& result); ///< a row a run of pixels
[[nodiscard]] Table peaks(const Result& result);

/// These add to `result` what a table holds; its bands must be set. Columns that are missing leave NaN, 0 or nothing.
void readCatalog(const Table& table, Result& result);
void readBlends(const Table& table, Result& result);
void readCovariances(const Table& table, Result& result);
void readCandidates(const Table& table, Result& result);
/// Throws ReadError for arrays that do not fit their boxes.
void readComponents(const Table& table, const QStringList& bands, Result& result);
void readFootprints(const Table& table, Result& result);
void readPeaks(const Table& table, Result& result);

} // namespace tables
} // namespace blendscope
