#pragma once

#include "document/Document.h"
#include "judge/MetricsReport.h"

#include <QObject>
#include <memory>
#include <utility>
#include <vector>

namespace blendscope {

/// Several pipelines on the same many simulated scenes, scored and judged, in the background: what one scene shows by
/// chance, a hundred show with errors.
class Evaluation final : public QObject {
    Q_OBJECT

public:
    struct Wish {
        QString recipe; ///< for loadRecipe
        int scenes = 20;
        std::uint64_t seed = 1;
        bool judge = true; ///< outcomes as well: takes several times as long
        std::vector<std::pair<QString, Pipeline>> pipelines;
    };

    explicit Evaluation(Document* document, QObject* parent = nullptr);
    void start(const Wish& wish); ///< an older one is cancelled
    void cancel();
    [[nodiscard]] bool running() const { return m_job != nullptr; }
    /// Of what was done, also where it was cancelled after some scenes; null until there is one.
    [[nodiscard]] std::shared_ptr<const MetricsReport> report() const { return m_report; }
    [[nodiscard]] const Wish& wish() const { return m_wish; } ///< what the report is about
    void clear();                                             ///< forgets the report

Q_SIGNALS:
    void changed();

private:
    Document* m_document;
    std::shared_ptr<const MetricsReport> m_report;
    Wish m_wish;
    JobPtr m_job;
};

} // namespace blendscope
