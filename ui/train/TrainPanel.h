#pragma once

#include "train/TrainSession.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;

namespace blendscope {

class CurvesView;

/// Trains a method from the window: recipe, live curves, a sample prediction, stop. The training goes on when the panel
/// is closed, and stops with a checkpoint when the window is.
class TrainPanel final : public QDialog {
    Q_OBJECT

public:
    TrainPanel(Document* document, TrainSession* session, QWidget* parent = nullptr);

    void setMethod(const QString& id);
    void setOut(const QString& folder);
    void setRecipe(const QJsonObject& recipe); ///< over the method's own
    [[nodiscard]] QPushButton* startButton() const { return m_start; }
    [[nodiscard]] QPushButton* stopButton() const { return m_stop; }
    [[nodiscard]] QString statusText() const;

private:
    void refreshMethods();
    void refresh();
    void begin();
    void chooseFolder();
    void readRecipeFile();

    Document* m_document;
    TrainSession* m_session;
    QComboBox* m_methods;
    QPlainTextEdit* m_recipe;
    QLineEdit* m_out;
    QLineEdit* m_labels;
    QCheckBox* m_resume;
    QPushButton *m_start, *m_stop;
    QProgressBar* m_progress;
    QLabel *m_status, *m_picture;
    CurvesView* m_curves;
    std::size_t m_shown = 0;
};

} // namespace blendscope
