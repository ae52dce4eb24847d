#pragma once

#include "judge/InjectTool.h"

#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;

namespace blendscope {

/// What to inject, a button that turns clicks in the picture into places, and the verdict.
class InjectPanel final : public QWidget {
    Q_OBJECT

public:
    explicit InjectPanel(InjectTool* tool, QWidget* parent = nullptr);
    [[nodiscard]] QPushButton* placeButton() const { return m_place; }
    [[nodiscard]] QString words() const;

Q_SIGNALS:
    void placingChanged(bool on);

private:
    void edit();
    void refresh();

    InjectTool* m_tool;
    QComboBox* m_kind;
    QDoubleSpinBox* m_magnitude;
    QDoubleSpinBox* m_size;
    QPushButton* m_place;
    QPushButton* m_keep;
    QPushButton* m_clear;
    QLabel* m_chip;
    QLabel* m_words;
};

} // namespace blendscope
