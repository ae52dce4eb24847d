#pragma once

#include <QHash>
#include <QKeySequence>
#include <QObject>
#include <QString>
#include <functional>
#include <vector>

class QAction;
class QMenu;
class QWidget;

namespace blendscope {

/// One thing that a person can do. Menus, tool bars, the cheat sheet, the search palette and tests are made from it.
struct ActionInfo {
    QString id;               ///< never translated: "blend.next"
    QString group;            ///< heading in the cheat sheet and name of the menu: "Blends"
    QString text;             ///< "Next blend"
    QString tip;              ///< one sentence
    QList<QKeySequence> keys; ///< defaults; the first is shown
    QString icon;             ///< name for themeIcon, or empty
    bool checkable = false;
    std::function<void()> run;     ///< for a checkable action: after the state has changed
    std::function<bool()> enabled; ///< when it makes sense; empty = always
    std::function<bool()> checked; ///< state of a checkable action; empty = kept by the action
};

/// Holds all actions of a window. Keys without Ctrl or Alt work only where nobody is typing.
class ActionRegistry final : public QObject {
    Q_OBJECT

public:
    /// `window` owns the QActions, so that their keys work in it.
    explicit ActionRegistry(QWidget* window);

    QAction* add(ActionInfo info);
    [[nodiscard]] QAction* action(const QString& id) const; ///< null if unknown
    [[nodiscard]] const std::vector<ActionInfo>& infos() const { return m_infos; }
    [[nodiscard]] const ActionInfo* info(const QString& id) const;

    /// Runs an action by its id as its key would; false if it is unknown or disabled now.
    bool trigger(const QString& id);
    /// Asks every action whether it makes sense now; call after anything changed.
    void refresh();
    /// New icons after a change of the theme.
    void refreshIcons();
    /// Adds actions by id to a menu; "-" makes a separator.
    void fill(QMenu* menu, const QStringList& ids) const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* m_window;
    std::vector<ActionInfo> m_infos;
    QHash<QString, QAction*> m_actions;
};

} // namespace blendscope
