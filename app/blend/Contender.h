#pragma once

#include "core/Scene.h"
#include "io/Table.h"
#include "method/Pipeline.h"

#include <QMap>
#include <QStringList>
#include <vector>

namespace blendscope::cli {

/// One side of an evaluation: a pipeline to run, or results that are there already.
class Contender {
public:
    /// "threshold+factorize", "deep=threshold+factorize", a JSON file, or "NAME=FILE.json". Throws UsageError.
    [[nodiscard]] static Contender fromPipeline(const QString& text);
    /// "NAME=DIR" of blend run's results, or "NAME=CATALOGUE" (CSV or FITS of another program: scene_id, x, y,
    /// flux_<band>, and flux_err_<band>, id, a, b, theta, hlr, p_star where there are such). Throws UsageError,
    /// ReadError.
    [[nodiscard]] static Contender fromResults(const QString& text);

    [[nodiscard]] const QString& name() const { return m_name; }
    [[nodiscard]] bool runs() const { return !m_pipeline.stages.empty(); }
    [[nodiscard]] Pipeline& pipeline() { return m_pipeline; }
    [[nodiscard]] const Pipeline& pipeline() const { return m_pipeline; }
    [[nodiscard]] QJsonObject definition() const;

    /// Runs the pipeline, or reads what is there. A scene without rows in a catalogue is one without detections. Throws
    /// Error.
    [[nodiscard]] ResultPtr resultFor(const Scene& scene, const Registry& registry, Progress& progress,
                                      const RunOptions& options) const;

private:
    void readCatalogue(const QString& path);

    QString m_name;
    Pipeline m_pipeline;
    QString m_folder;                   ///< of results; empty = a pipeline or a catalogue
    QString m_catalogue;                ///< path
    QMap<QString, Table> m_rowsOfScene; ///< of the catalogue
};

/// "KEY=VALUE" for every contender that has the method, "NAME:KEY=VALUE" for one. Throws UsageError for an assignment
/// that none takes.
void assignSettings(std::vector<Contender>& contenders, const QStringList& assignments);

} // namespace blendscope::cli
