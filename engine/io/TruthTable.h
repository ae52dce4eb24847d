#pragma once

#include "core/Scene.h"
#include "io/Table.h"

namespace blendscope {

/// The rows of a truth table as objects, ids counting from 1: x, y, kind (or type), hlr, flux_<band> or mag_<band>, and
/// every numeric column as it is. With column scene_id and a name, the rows of that scene alone; ids then count those.
/// Throws ReadError where x or y is missing.
[[nodiscard]] std::vector<TruthObject> truthObjects(const Table& table, const std::vector<Band>& bands,
                                                    const QString& sceneId = {});

/// Reads a table from CSV or FITS (the first table with x and y). Throws ReadError.
[[nodiscard]] Table readTruthTable(const QString& path);

} // namespace blendscope
