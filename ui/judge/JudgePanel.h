#pragma once

#include "judge/JudgeController.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QToolButton;

namespace blendscope {

class RatesChart;

/// Every result of the scene with its outcomes side by side, and in words who shreds, who merges.
class JudgePanel final : public QWidget {
    Q_OBJECT

public:
    JudgePanel(Document* document, JudgeController* judge, QWidget* parent = nullptr);
    [[nodiscard]] RatesChart* chart() const { return m_chart; }
    /// "Shreds most: ..." for tests.
    [[nodiscard]] QString words() const;

Q_SIGNALS:
    void outcomeChosen(blendscope::Outcome outcome); ///< of the result that is shown now
    void compareRequested();                         ///< two settings of a detector on this scene

private:
    void refresh();

    Document* m_document;
    JudgeController* m_judge;
    RatesChart* m_chart;
    QLabel* m_words;
    QPushButton* m_compare;
    QPushButton* m_probabilities;
    QPushButton* m_cancel;
};

} // namespace blendscope
