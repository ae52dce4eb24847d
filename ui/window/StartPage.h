#pragma once

#include <QWidget>

class QVBoxLayout;

namespace blendscope {

class RecentFiles;

/// What a newcomer sees first: what this is, and three ways to begin.
class StartPage final : public QWidget {
    Q_OBJECT

public:
    explicit StartPage(RecentFiles* recent, QWidget* parent = nullptr);

Q_SIGNALS:
    void openRequested();
    void demoRequested();
    void compareRequested(); ///< simulate, and compare two settings
    void filesRequested(const QStringList& paths);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();

    RecentFiles* m_recent;
    QWidget* m_list = nullptr;
    QVBoxLayout* m_column;
};

} // namespace blendscope
