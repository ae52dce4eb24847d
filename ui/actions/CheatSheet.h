#pragma once

#include <QDialog>

class QVBoxLayout;

namespace blendscope {

class ActionRegistry;

/// All keys that work now, by group, each one clickable; and what the mouse does in the picture.
class CheatSheet final : public QDialog {
    Q_OBJECT

public:
    CheatSheet(ActionRegistry* actions, QWidget* parent);
    void popup();

private:
    void rebuild();

    ActionRegistry* m_actions;
    QWidget* m_page = nullptr;
    QVBoxLayout* m_layout;
};

} // namespace blendscope
