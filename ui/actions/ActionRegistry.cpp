#include "actions/ActionRegistry.h"

#include "theme/Icons.h"

#include <QAbstractSpinBox>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QTextEdit>
#include <algorithm>

namespace blendscope {

namespace {

bool isTyping(const QWidget* widget) {
    if (const auto* edit = qobject_cast<const QLineEdit*>(widget)) return !edit->isReadOnly();
    if (const auto* edit = qobject_cast<const QTextEdit*>(widget)) return !edit->isReadOnly();
    if (const auto* edit = qobject_cast<const QPlainTextEdit*>(widget)) return !edit->isReadOnly();
    if (const auto* combo = qobject_cast<const QComboBox*>(widget)) return combo->isEditable();
    return qobject_cast<const QAbstractSpinBox*>(widget) != nullptr;
}

} // namespace

ActionRegistry::ActionRegistry(QWidget* window) : QObject(window), m_window(window) {
    qApp->installEventFilter(this);
}

QAction* ActionRegistry::add(ActionInfo info) {
    auto* action = new QAction(info.text, m_window);
    action->setObjectName(info.id);
    action->setShortcuts(info.keys);
    action->setCheckable(info.checkable);
    QString tip = info.tip;
    if (!info.keys.isEmpty()) {
        tip += QStringLiteral("  (%1)").arg(info.keys.first().toString(QKeySequence::NativeText));
    }
    action->setToolTip(tip);
    action->setStatusTip(QString());
    if (!info.icon.isEmpty()) action->setIcon(themeIcon(info.icon));
    connect(action, &QAction::triggered, this, [run = info.run] {
        if (run) run();
    });
    m_window->addAction(action);
    m_actions.insert(info.id, action);
    m_infos.push_back(std::move(info));
    return action;
}

QAction* ActionRegistry::action(const QString& id) const {
    return m_actions.value(id, nullptr);
}

const ActionInfo* ActionRegistry::info(const QString& id) const {
    const auto it = std::find_if(m_infos.begin(), m_infos.end(), [&](const ActionInfo& i) { return i.id == id; });
    return it == m_infos.end() ? nullptr : &*it;
}

bool ActionRegistry::trigger(const QString& id) {
    refresh();
    QAction* found = action(id);
    if (!found || !found->isEnabled()) return false;
    found->trigger();
    return true;
}

void ActionRegistry::refresh() {
    for (const ActionInfo& info : m_infos) {
        QAction* a = m_actions.value(info.id);
        if (info.enabled) a->setEnabled(info.enabled());
        if (info.checked) a->setChecked(info.checked());
    }
}

void ActionRegistry::refreshIcons() {
    for (const ActionInfo& info : m_infos) {
        if (!info.icon.isEmpty()) m_actions.value(info.id)->setIcon(themeIcon(info.icon));
    }
}

void ActionRegistry::fill(QMenu* menu, const QStringList& ids) const {
    for (const QString& id : ids) {
        if (id == QLatin1String("-")) {
            menu->addSeparator();
        } else if (QAction* a = action(id)) {
            menu->addAction(a);
        }
    }
}

bool ActionRegistry::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        // A letter belongs to the field in which somebody is typing, not to an action.
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool plain = !(key->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
        if (plain && key->key() != Qt::Key_Escape && !(key->key() >= Qt::Key_F1 && key->key() <= Qt::Key_F35) &&
            isTyping(qobject_cast<QWidget*>(watched))) {
            event->accept();
            return true;
        }
    }
    return QObject::eventFilter(watched, event);
}

} // namespace blendscope
