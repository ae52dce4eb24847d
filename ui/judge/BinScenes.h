#pragma once

#include "judge/Evaluation.h"
#include "judge/JudgeController.h"

#include <QObject>
#include <QSet>
#include <map>
#include <vector>

namespace blendscope {

/// Draws or opens scenes of an evaluation again, to show the blends behind a bin of its plots: first the scene that
/// holds most of them, the others one by one. They come beside what is open, are run and judged as they were, and stay
/// open.
class BinScenes final : public QObject {
    Q_OBJECT

public:
    BinScenes(Document* document, JudgeController* judge, Evaluation* evaluation, QObject* parent = nullptr);

    /// The objects of one bin: rows of PipelineReport::objects of the evaluation's report.
    void show(int pipeline, const std::vector<int>& members, const QString& why);
    void step(int scenes); ///< to another scene of the same bin, round
    void clear();
    [[nodiscard]] int count() const { return int(m_list.size()); } ///< scenes of the bin; 0 = no bin was chosen
    [[nodiscard]] int position() const { return m_at; }            ///< of the one shown, from 0
    [[nodiscard]] bool running() const { return m_job != nullptr || m_waiting != 0; }
    [[nodiscard]] QString words() const; ///< "S/N: 5 to 10, scene 2 of 7"

Q_SIGNALS:
    void changed();
    /// The scene is there and judged: ids of the judgement's blends that the bin's objects are in.
    void blendsChosen(const QSet<int>& blends, const QString& why);

private:
    struct Place {
        int scene = 0;           ///< number of the draw
        std::vector<int> truths; ///< ids
    };
    void open();
    void arrive();
    void deliver();

    Document* m_document;
    JudgeController* m_judge;
    Evaluation* m_evaluation;
    std::shared_ptr<const MetricsReport> m_report; ///< whose bin it is
    std::vector<Place> m_list;
    int m_at = 0, m_pipeline = 0;
    QString m_why;
    std::map<int, int> m_open; ///< document's scene by number of the draw
    JobPtr m_job;
    int m_waiting = 0; ///< result whose judgement is wanted; 0 = none
};

} // namespace blendscope
