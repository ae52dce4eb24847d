#pragma once

#include "document/Document.h"
#include "figure/ReportPage.h"
#include "judge/MetricsReport.h"

#include <QObject>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace blendscope {

/// Several pipelines on the same many scenes, simulated or of a folder, scored and judged, in the background: what one
/// scene shows by chance, a hundred show with errors.
class Evaluation final : public QObject {
    Q_OBJECT

public:
    struct Wish {
        QString recipe;  ///< for loadRecipe
        QString folder;  ///< instead: a folder (file, list) of scenes, of which those with truth count
        int scenes = 20; ///< at most, where they come from a folder
        std::uint64_t seed = 1;
        bool judge = true; ///< outcomes as well: takes several times as long
        bool card = false; ///< the pipeline-readiness card as well: minutes
        int worst = 8;     ///< failures of each pipeline that are drawn for the saved report
        std::vector<std::pair<QString, Pipeline>> pipelines;
    };

    explicit Evaluation(Document* document, QObject* parent = nullptr);
    void start(const Wish& wish); ///< an older one is cancelled
    void cancel();
    [[nodiscard]] bool running() const { return m_job != nullptr; }
    /// Of what was done, also where it was cancelled after some scenes; null until there is one.
    [[nodiscard]] std::shared_ptr<const MetricsReport> report() const { return m_report; }
    [[nodiscard]] const Wish& wish() const { return m_wish; } ///< what the report is about
    /// The worst failures of each pipeline, for the saved report.
    [[nodiscard]] const std::vector<FailurePicture>& failures() const { return m_failures; }
    /// Draws or opens a scene of the report once more, by its row; safe from any thread. Throws Error.
    [[nodiscard]] std::function<ScenePtr(int, Progress&)> source() const { return m_source; }
    void clear(); ///< forgets the report

Q_SIGNALS:
    void changed();

private:
    Document* m_document;
    std::shared_ptr<const MetricsReport> m_report;
    Wish m_wish;
    std::vector<FailurePicture> m_failures;
    std::function<ScenePtr(int, Progress&)> m_source;
    JobPtr m_job;
};

} // namespace blendscope
