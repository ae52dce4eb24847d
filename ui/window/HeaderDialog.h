#pragma once

#include <QDialog>

class QLabel;
class QLineEdit;
class QPlainTextEdit;

namespace blendscope {

/// The header of one HDU as text, with a field that shows only the cards that contain what is typed.
class HeaderDialog final : public QDialog {
    Q_OBJECT

public:
    explicit HeaderDialog(const QString& title, QWidget* parent = nullptr);
    void setText(const QString& cards); ///< a card a line

private:
    void filter();

    QString m_cards;
    QLineEdit* m_field;
    QPlainTextEdit* m_text;
};

} // namespace blendscope
