#pragma once

#include "document/Document.h"

#include <QFrame>
#include <deque>

class QLabel;
class QToolButton;

namespace blendscope {

/// Words above the picture that do not stop anybody: errors stay until they are closed, notices go by themselves. Of
/// several, the newest is shown, with how many wait behind it.
class MessageBar final : public QFrame {
    Q_OBJECT

public:
    explicit MessageBar(QWidget* parent = nullptr);
    void post(Document::Severity severity, const QString& text);
    [[nodiscard]] QString text() const; ///< empty if nothing is shown
    void clear();
    void refreshTheme() { refresh(); }

private:
    void refresh();

    struct Message {
        Document::Severity severity;
        QString text;
    };
    std::deque<Message> m_messages; ///< newest first
    QLabel* m_icon;
    QLabel* m_text;
    QToolButton* m_close;
};

} // namespace blendscope
