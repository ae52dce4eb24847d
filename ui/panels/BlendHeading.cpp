#include "panels/BlendHeading.h"

#include "theme/Icons.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace blendscope {

BlendHeading::BlendHeading(QWidget* parent) : QWidget(parent), m_chip(new QLabel), m_title(new QLabel) {
    auto* line = new QHBoxLayout(this);
    line->setContentsMargins(8, 4, 4, 4);
    line->setSpacing(4);
    line->addWidget(m_chip);
    m_chip->hide();
    QFont bold = m_title->font();
    bold.setBold(true);
    bold.setPointSizeF(bold.pointSizeF() * 1.15);
    m_title->setFont(bold);
    m_title->setWordWrap(true);
    line->addWidget(m_title, 1);
    const auto button = [line](const QString& icon, const QString& tip) {
        auto* b = new QToolButton;
        b->setIcon(themeIcon(icon));
        b->setToolTip(tip);
        b->setAccessibleName(tip);
        b->setAutoRaise(true);
        line->addWidget(b);
        return b;
    };
    connect(button(QStringLiteral("previous"), tr("Previous blend (A)")), &QToolButton::clicked, this,
            [this] { Q_EMIT stepRequested(-1); });
    connect(button(QStringLiteral("next"), tr("Next blend (D)")), &QToolButton::clicked, this,
            [this] { Q_EMIT stepRequested(1); });
    connect(button(QStringLiteral("fit"), tr("Show this blend in the picture (Z)")), &QToolButton::clicked, this,
            &BlendHeading::showRequested);
}

void BlendHeading::setTitle(const QString& title) {
    m_title->setText(title);
}

QString BlendHeading::title() const {
    return m_title->text();
}

void BlendHeading::setChip(const QPixmap& chip) {
    m_chip->setPixmap(chip);
    m_chip->setVisible(!chip.isNull());
}

} // namespace blendscope
