#pragma once

#include <QPixmap>
#include <QWidget>

class QLabel;

namespace blendscope {

/// The line on top of an inspector: what blend it is, and the buttons to the one before, the next, and to its place in
/// the picture.
class BlendHeading final : public QWidget {
    Q_OBJECT

public:
    explicit BlendHeading(QWidget* parent = nullptr);
    void setTitle(const QString& title);
    [[nodiscard]] QString title() const;
    /// A mark before the title; a null pixmap takes it away.
    void setChip(const QPixmap& chip);

Q_SIGNALS:
    void stepRequested(int steps);
    void showRequested();

private:
    QLabel* m_chip;
    QLabel* m_title;
};

} // namespace blendscope
