#pragma once

#include "document/Document.h"
#include "judge/JudgeController.h"
#include "judge/MetricsReport.h"
#include "judge/SceneScore.h"

#include <QObject>
#include <map>
#include <memory>

namespace blendscope {

/// The numbers and curves of all finished results of the scene shown, made in the background while they are wanted.
class LiveMetrics final : public QObject {
    Q_OBJECT

public:
    LiveMetrics(Document* document, JudgeController* judge, QObject* parent = nullptr);

    /// Whether anybody looks at the report; only then it follows the results.
    void setWanted(bool wanted);
    [[nodiscard]] std::shared_ptr<const MetricsReport> report() const { return m_report; } ///< null until there is one
    /// The result that a row of MetricsReport::pipelines is about; 0 = gone.
    [[nodiscard]] int resultOf(int pipeline) const;
    [[nodiscard]] bool running() const { return m_job != nullptr; }
    [[nodiscard]] QString problem() const { return m_problem; } ///< why there is no report, a sentence

Q_SIGNALS:
    void changed();

private:
    void follow();

    struct Scored {
        ResultPtr result;       ///< the snapshot that was scored
        JudgementPtr judgement; ///< whose outcomes were taken over; may be null
        std::shared_ptr<const SceneScore> score;
    };
    Document* m_document;
    JudgeController* m_judge;
    std::map<int, Scored> m_scores; ///< by result id
    std::shared_ptr<const MetricsReport> m_report;
    std::vector<int> m_results; ///< of the report, by pipeline
    int m_sceneId = 0;
    JobPtr m_job;
    QString m_problem;
    bool m_wanted = false;
};

} // namespace blendscope
