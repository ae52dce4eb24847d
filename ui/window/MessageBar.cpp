#include "window/MessageBar.h"

#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QTimer>
#include <QToolButton>

namespace blendscope {

namespace {
constexpr int kNoticeMs = 6000;
constexpr std::size_t kKept = 20;
} // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent), m_icon(new QLabel), m_text(new QLabel), m_close(new QToolButton) {
    auto* line = new QHBoxLayout(this);
    line->setContentsMargins(10, 5, 4, 5);
    line->addWidget(m_icon);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    line->addWidget(m_text, 1);
    m_close->setIcon(themeIcon(QStringLiteral("close")));
    m_close->setAutoRaise(true);
    m_close->setToolTip(tr("Close this message"));
    m_close->setAccessibleName(tr("Close this message"));
    line->addWidget(m_close);
    setAutoFillBackground(true);
    connect(m_close, &QToolButton::clicked, this, [this] {
        if (!m_messages.empty()) m_messages.pop_front();
        refresh();
    });
    hide();
}

void MessageBar::post(Document::Severity severity, const QString& text) {
    std::erase_if(m_messages, [&](const Message& m) { return m.text == text; });
    m_messages.push_front({severity, text});
    if (m_messages.size() > kKept) m_messages.pop_back();
    refresh();
    if (severity != Document::Severity::Notice) return;
    QTimer::singleShot(kNoticeMs, this, [this, text] {
        std::erase_if(m_messages,
                      [&](const Message& m) { return m.severity == Document::Severity::Notice && m.text == text; });
        refresh();
    });
}

QString MessageBar::text() const {
    return m_messages.empty() ? QString() : m_messages.front().text;
}

void MessageBar::clear() {
    m_messages.clear();
    refresh();
}

void MessageBar::refresh() {
    setVisible(!m_messages.empty());
    if (m_messages.empty()) return;
    const Message& m = m_messages.front();
    const ThemeColors& c = Theme::colors();
    QPalette p = palette();
    p.setColor(QPalette::Window, m.severity == Document::Severity::Error     ? c.error
                                 : m.severity == Document::Severity::Warning ? c.warning
                                                                             : c.notice);
    p.setColor(QPalette::WindowText, c.strongText);
    setPalette(p);
    m_icon->setPixmap(themeIcon(m.severity == Document::Severity::Error     ? QStringLiteral("error")
                                : m.severity == Document::Severity::Warning ? QStringLiteral("warning")
                                                                            : QStringLiteral("notice"))
                          .pixmap(16, 16));
    QString text = m.text;
    if (m_messages.size() > 1) text += tr("   (%1 more)").arg(m_messages.size() - 1);
    m_text->setText(text);
}

} // namespace blendscope
