#pragma once

#include "core/Scene.h"

#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <cstdint>

namespace blendscope {

class Progress;

/// A recipe for scenes as data (JSON): survey, bands, size, density, populations, noise, seeing.
/// "demo" and the files of resources/recipes (without .json) go by name; otherwise a JSON file. Throws UsageError,
/// ReadError.
[[nodiscard]] QJsonObject loadRecipe(const QString& nameOrPath);

/// Names that loadRecipe knows: "demo" and the files of resources/recipes.
[[nodiscard]] QStringList recipeNames();

/// Draws scene number `index` of a recipe, with truth (table, isolated images, noiseless sums, segmentation). Where
/// there are more than 1000 objects, isolated images end where an object falls below 0.01 sigma of the sky. The same
/// (recipe, seed, index) gives the same scene, bit for bit, for any number of threads (0 = all). Throws UsageError for
/// a recipe that makes no sense, naming the key.
[[nodiscard]] ScenePtr simulateScene(const QJsonObject& recipe, std::uint64_t seed, int index,
                                     Progress* progress = nullptr, int threads = 0);

} // namespace blendscope
