#include "window/HeaderDialog.h"

#include <QFontDatabase>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QVBoxLayout>

namespace blendscope {

HeaderDialog::HeaderDialog(const QString& title, QWidget* parent)
    : QDialog(parent), m_field(new QLineEdit), m_text(new QPlainTextEdit) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(title);
    auto* layout = new QVBoxLayout(this);
    m_field->setPlaceholderText(tr("Find in the header"));
    m_field->setClearButtonEnabled(true);
    layout->addWidget(m_field);
    const QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    m_text->setFont(font);
    m_text->setReadOnly(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setPlaceholderText(tr("Reading\u2026"));
    layout->addWidget(m_text);
    connect(m_field, &QLineEdit::textChanged, this, &HeaderDialog::filter);
    resize(QFontMetrics(font).horizontalAdvance(QLatin1Char('0')) * 84 + 60, 480);
}

void HeaderDialog::setText(const QString& cards) {
    m_cards = cards;
    filter();
}

void HeaderDialog::filter() {
    const QString wanted = m_field->text().trimmed();
    if (wanted.isEmpty()) {
        m_text->setPlainText(m_cards);
        return;
    }
    QStringList lines;
    for (const QString& card : m_cards.split(QLatin1Char('\n'))) {
        if (card.contains(wanted, Qt::CaseInsensitive)) lines << card;
    }
    m_text->setPlainText(lines.join(QLatin1Char('\n')));
}

} // namespace blendscope
