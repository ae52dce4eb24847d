#include "window/JobStatus.h"

#include "models/Format.h"
#include "theme/Icons.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>

namespace blendscope {

JobStatus::JobStatus(Document* document, QWidget* parent)
    : QWidget(parent), m_document(document), m_what(new QLabel), m_bar(new QProgressBar), m_cancel(new QToolButton) {
    auto* line = new QHBoxLayout(this);
    line->setContentsMargins(4, 0, 4, 0);
    line->setSpacing(6);
    m_bar->setFixedWidth(110);
    m_bar->setFixedHeight(10);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    line->addWidget(m_bar);
    line->addWidget(m_what);
    m_cancel->setIcon(themeIcon(QStringLiteral("stop")));
    m_cancel->setIconSize(QSize(12, 12));
    m_cancel->setAutoRaise(true);
    m_cancel->setToolTip(tr("Cancel; what is done stays (Ctrl+.)"));
    m_cancel->setAccessibleName(tr("Cancel"));
    line->addWidget(m_cancel);
    connect(m_cancel, &QToolButton::clicked, this, [this] {
        if (m_job) m_job->cancel();
        refresh();
    });
    connect(m_document, &Document::jobsChanged, this, &JobStatus::refresh);
    connect(m_document, &Document::idle, this, &JobStatus::refresh);
    refresh();
}

QString JobStatus::text() const {
    return m_what->text();
}

void JobStatus::refresh() {
    const std::vector<JobPtr> jobs = m_document->activeJobs();
    m_job = jobs.empty() ? nullptr : jobs.back();
    for (const JobPtr& j : jobs) {
        const Job::State s = j->state();
        if (s == Job::State::Running || s == Job::State::Cancelling) m_job = j;
    }
    m_bar->setVisible(m_job != nullptr);
    m_cancel->setVisible(m_job != nullptr);
    if (!m_job) {
        m_what->setText(tr("Ready"));
        return;
    }
    const Job::State state = m_job->state();
    const Progress::Snapshot p = m_job->progress();
    QStringList words{m_job->title()};
    if (state == Job::State::Cancelling) {
        words = {tr("Cancelling %1").arg(m_job->title())};
    } else if (state == Job::State::Queued) {
        words << tr("waiting");
    } else {
        if (!p.what.isEmpty()) words << p.what;
        if (p.total > 1) words << tr("%1 of %2").arg(formatCount(p.done), formatCount(p.total));
        if (p.secondsLeft >= 0.5) words << tr("%1 left").arg(formatDuration(p.secondsLeft));
    }
    QString text = words.join(QStringLiteral(" \u00b7 "));
    if (jobs.size() > 1) text += tr(" (+%1 more)").arg(jobs.size() - 1);
    m_what->setText(text);
    m_cancel->setEnabled(state != Job::State::Cancelling);
    if (p.total > 0) {
        m_bar->setRange(0, 1000);
        m_bar->setValue(int(p.fraction() * 1000));
    } else {
        m_bar->setRange(0, 0);
    }
}

} // namespace blendscope
