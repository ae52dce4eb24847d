#pragma once

#include <QDialog>

class QLineEdit;
class QListWidget;
class QListWidgetItem;

namespace blendscope {

class ActionRegistry;

/// A search field over all actions: type a few letters of what you want, Enter does it.
class CommandPalette final : public QDialog {
    Q_OBJECT

public:
    CommandPalette(ActionRegistry* actions, QWidget* parent);
    void popup(); ///< empties the field and shows itself at the top of its window
    [[nodiscard]] QLineEdit* field() const { return m_field; }
    [[nodiscard]] QListWidget* list() const { return m_list; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter(const QString& text);
    void colour(QListWidgetItem* item, bool chosen);
    void accept() override;

    ActionRegistry* m_actions;
    QLineEdit* m_field;
    QListWidget* m_list;
};

} // namespace blendscope
