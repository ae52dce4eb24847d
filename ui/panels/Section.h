#pragma once

#include <QWidget>

class QToolButton;
class QVBoxLayout;

namespace blendscope {

/// A part of a side panel with a heading that folds it away.
class Section final : public QWidget {
    Q_OBJECT

public:
    Section(const QString& title, QWidget* body, QWidget* parent = nullptr);
    void setOpen(bool open);
    [[nodiscard]] bool isOpen() const { return m_open; }
    void setTitle(const QString& title);
    /// A small widget at the right end of the heading (a reset button).
    void addToHeading(QWidget* widget);
    void refreshTheme();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* m_heading;
    QToolButton* m_button;
    QWidget* m_body;
    bool m_open = true;
};

} // namespace blendscope
