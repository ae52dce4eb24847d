#pragma once

#include "judge/Evaluation.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLineEdit;
class QListWidget;
class QPushButton;
class QSpinBox;

namespace blendscope {

/// Which pipelines on how many scenes, of a recipe or of a folder.
class EvaluateDialog final : public QDialog {
    Q_OBJECT

public:
    /// `pipelines`: to choose from, by name.
    explicit EvaluateDialog(std::vector<std::pair<QString, Pipeline>> pipelines, QWidget* parent = nullptr);
    [[nodiscard]] Evaluation::Wish wish() const;
    void setFolder(const QString& folder); ///< instead of a recipe; empty = a recipe

private:
    void refresh();

    std::vector<std::pair<QString, Pipeline>> m_choice;
    QListWidget* m_pipelines;
    QComboBox* m_source;
    QComboBox* m_recipes;
    QLineEdit* m_folder;
    QPushButton* m_browse;
    QSpinBox* m_scenes;
    QSpinBox* m_seed;
    QCheckBox* m_judge;
    QCheckBox* m_card;
};

} // namespace blendscope
