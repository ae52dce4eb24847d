#include "panels/Section.h"

#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>

namespace blendscope {

Section::Section(const QString& title, QWidget* body, QWidget* parent)
    : QWidget(parent), m_heading(new QWidget(this)), m_button(new QToolButton(m_heading)), m_body(body) {
    m_button->setAutoRaise(true);
    m_button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_button->setIconSize(QSize(12, 12));
    m_button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_button->setFocusPolicy(Qt::TabFocus);
    m_heading->setAutoFillBackground(true);
    auto* line = new QHBoxLayout(m_heading);
    line->setContentsMargins(4, 1, 4, 1);
    line->setSpacing(2);
    line->addWidget(m_button);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_heading);
    layout->addWidget(m_body);
    connect(m_button, &QToolButton::clicked, this, [this] { setOpen(!m_open); });
    setTitle(title);
    refreshTheme();
    setOpen(true);
}

void Section::setTitle(const QString& title) {
    m_button->setText(title);
    m_button->setAccessibleName(title);
    setAccessibleName(title);
}

void Section::setOpen(bool open) {
    m_open = open;
    m_body->setVisible(open);
    m_button->setIcon(themeIcon(open ? QStringLiteral("down") : QStringLiteral("right")));
}

void Section::addToHeading(QWidget* widget) {
    static_cast<QHBoxLayout*>(m_heading->layout())->addWidget(widget);
}

void Section::refreshTheme() {
    QPalette p = m_heading->palette();
    p.setColor(QPalette::Window, Theme::colors().raised);
    m_heading->setPalette(p);
    QFont font = m_button->font();
    font.setBold(true);
    m_button->setFont(font);
    m_button->setStyleSheet(QStringLiteral("QToolButton { text-align: left; border: none; padding: 3px; }"));
    m_button->setIcon(themeIcon(m_open ? QStringLiteral("down") : QStringLiteral("right")));
}

void Section::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange &&
        m_heading->palette().color(QPalette::Window) != Theme::colors().raised) {
        refreshTheme();
    }
    QWidget::changeEvent(event);
}

} // namespace blendscope
