#pragma once

#include "core/Wcs.h"
#include "io/Table.h"

#include <QMap>
#include <QString>
#include <QStringList>
#include <vector>

namespace blendscope::cli {

/// The catalogue of --positions: x, y in pixels (0-based) and, where there are several scenes, scene_id.
class Positions {
public:
    /// CSV, or the first table with x and y of a FITS file. Throws ReadError, and UsageError for missing columns.
    [[nodiscard]] static Positions read(const QString& path);

    /// Those of one scene, in the catalogue's order. A catalogue without scene_id belongs to every scene.
    [[nodiscard]] std::vector<PixelPosition> of(const QString& sceneId) const;
    [[nodiscard]] bool namesScenes() const { return m_namesScenes; }
    [[nodiscard]] QStringList scenes() const { return m_positions.keys(); }

private:
    void take(const Table& table);

    bool m_namesScenes = false;
    QMap<QString, std::vector<PixelPosition>> m_positions;
};

} // namespace blendscope::cli
