#pragma once

#include "document/Document.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QToolButton;

namespace blendscope {

/// The job at work in the status bar: what, how far, time left, cancel; how many more wait.
class JobStatus final : public QWidget {
    Q_OBJECT

public:
    explicit JobStatus(Document* document, QWidget* parent = nullptr);
    [[nodiscard]] QString text() const;

private:
    void refresh();

    Document* m_document;
    QLabel* m_what;
    QProgressBar* m_bar;
    QToolButton* m_cancel;
    JobPtr m_job;
};

} // namespace blendscope
