#pragma once

#include "judge/Evaluation.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QListWidget;
class QSpinBox;

namespace blendscope {

/// Which pipelines on how many simulated scenes of which recipe.
class EvaluateDialog final : public QDialog {
    Q_OBJECT

public:
    /// `pipelines`: to choose from, by name.
    explicit EvaluateDialog(std::vector<std::pair<QString, Pipeline>> pipelines, QWidget* parent = nullptr);
    [[nodiscard]] Evaluation::Wish wish() const;

private:
    std::vector<std::pair<QString, Pipeline>> m_choice;
    QListWidget* m_pipelines;
    QComboBox* m_recipes;
    QSpinBox* m_scenes;
    QSpinBox* m_seed;
    QCheckBox* m_judge;
};

} // namespace blendscope
