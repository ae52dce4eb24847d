#include "judge/MetricsView.h"

#include "core/Error.h"
#include "figure/ReportPage.h"
#include "judge/PlotWidget.h"
#include "models/Format.h"
#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QListWidget>
#include <QMap>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollArea>
#include <QSplitter>
#include <QTableWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <tuple>

namespace blendscope {

namespace {
constexpr int kPlotWidth = 340;
} // namespace

MetricsView::MetricsView(Document* document, JudgeController* judge, QWidget* parent)
    : QWidget(parent), m_document(document), m_judge(judge), m_metrics(new LiveMetrics(document, judge, this)),
      m_evaluation(new Evaluation(document, this)), m_binScenes(new BinScenes(document, judge, m_evaluation, this)),
      m_bar(new QWidget), m_title(new QLabel), m_bin(new QLabel), m_previous(new QToolButton), m_next(new QToolButton),
      m_back(new QPushButton(tr("Back to this scene"))), m_save(new QPushButton(tr("Save report\u2026"))),
      m_list(new QListWidget), m_scroll(new QScrollArea), m_grid(new QGridLayout), m_table(new QTableWidget),
      m_note(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* line = new QHBoxLayout(m_bar);
    line->setContentsMargins(8, 4, 8, 4);
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    line->addWidget(m_title, 1);
    m_bin->setFont(Theme::smallFont());
    line->addWidget(m_bin);
    for (const auto& [button, icon, tip, steps] :
         {std::tuple(m_previous, "previous", tr("Previous scene with blends of this bin"), -1),
          std::tuple(m_next, "next", tr("Next scene with blends of this bin"), 1)}) {
        button->setIcon(themeIcon(QLatin1String(icon)));
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setAutoRaise(true);
        line->addWidget(button);
        connect(button, &QToolButton::clicked, m_binScenes, [this, n = steps] { m_binScenes->step(n); });
    }
    connect(m_binScenes, &BinScenes::changed, this, &MetricsView::refreshBin);
    connect(m_binScenes, &BinScenes::blendsChosen, this, &MetricsView::blendsChosen);
    line->addWidget(m_back);
    auto* evaluate = new QPushButton(tr("Evaluate on many scenes\u2026"));
    evaluate->setToolTip(tr("These pipelines on simulated scenes, or those of a folder, in the background"));
    line->addWidget(evaluate);
    m_save->setToolTip(tr("Numbers and curves as one page that any browser shows"));
    line->addWidget(m_save);
    layout->addWidget(m_bar);
    connect(evaluate, &QPushButton::clicked, this, &MetricsView::evaluateRequested);
    connect(m_back, &QPushButton::clicked, m_evaluation, &Evaluation::clear);
    connect(m_save, &QPushButton::clicked, this, &MetricsView::chooseFile);
    connect(m_evaluation, &Evaluation::changed, this, &MetricsView::refresh);
    m_note->setWordWrap(true);
    m_note->setAlignment(Qt::AlignCenter);
    m_note->setForegroundRole(QPalette::PlaceholderText);
    m_note->setContentsMargins(24, 24, 24, 24);
    layout->addWidget(m_note);
    auto* split = new QSplitter(Qt::Horizontal);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setAccessibleName(tr("Metrics"));
    m_list->setMinimumWidth(110);
    split->addWidget(m_list);
    auto* right = new QSplitter(Qt::Vertical);
    auto* page = new QWidget;
    m_grid->setContentsMargins(6, 6, 6, 6);
    m_grid->setSpacing(6);
    page->setLayout(m_grid);
    m_scroll->setWidget(page);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    right->addWidget(m_scroll);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setAlternatingRowColors(true);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->verticalHeader()->hide();
    m_table->setAccessibleName(tr("Numbers of each result"));
    right->addWidget(m_table);
    right->setStretchFactor(0, 3);
    right->setStretchFactor(1, 1);
    right->setSizes({600, 200});
    split->addWidget(right);
    split->setStretchFactor(1, 1);
    split->setSizes({140, 900});
    layout->addWidget(split, 1);
    connect(m_list, &QListWidget::currentRowChanged, this, &MetricsView::refreshPlots);
    connect(m_metrics, &LiveMetrics::changed, this, &MetricsView::refresh);
    refreshBin();
    refresh();
}

void MetricsView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_metrics->setWanted(true);
}

void MetricsView::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    m_metrics->setWanted(false);
}

void MetricsView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

void MetricsView::refresh() {
    const bool many = m_evaluation->report() != nullptr;
    const auto report = many ? m_evaluation->report() : m_metrics->report();
    m_back->setVisible(many);
    m_save->setEnabled(report != nullptr);
    m_title->setText(many                      ? report->title
                     : m_evaluation->running() ? tr("Evaluating\u2026")
                     : m_document->scene()     ? tr("This scene: %1").arg(m_document->scene()->id)
                                               : QString());
    QString note;
    if (!report) {
        note = !m_metrics->problem().isEmpty()  ? m_metrics->problem()
               : m_metrics->running()           ? tr("Measuring\u2026")
               : !m_judge->obstacle().isEmpty() ? m_judge->obstacle()
                                                : tr("Run a pipeline (F5): its numbers and curves appear here.");
    }
    m_note->setText(note);
    m_note->setVisible(!note.isEmpty());
    if (report == m_shown) return;
    m_shown = report;
    const QString before = m_list->currentItem() ? m_list->currentItem()->data(Qt::UserRole).toString() : QString();
    {
        const QSignalBlocker block(m_list);
        m_list->clear();
        QStringList metrics;
        for (std::size_t i = 0; report && i < report->plots.size(); ++i) {
            const PlotData& plot = report->plots[i];
            if (plot.empty() || metrics.contains(plot.metric)) continue;
            metrics << plot.metric;
            static const QMap<QString, QString> names = {{QStringLiteral("within20"), tr("Flux within 20 %")},
                                                         {QStringLiteral("pit"), tr("PIT")},
                                                         {QStringLiteral("mask_iou"), tr("Mask IoU")},
                                                         {QStringLiteral("e1_scatter"), tr("Ellipticity scatter")},
                                                         {QStringLiteral("found"), tr("Found by position")}};
            QString title = names.value(plot.metric, plot.metric);
            title.replace(QLatin1Char('_'), QLatin1Char(' '));
            title[0] = title[0].toUpper();
            auto* item = new QListWidgetItem(title, m_list);
            item->setData(Qt::UserRole, plot.metric);
        }
        const auto row = metrics.indexOf(before);
        if (!metrics.isEmpty()) m_list->setCurrentRow(static_cast<int>(std::max<qsizetype>(0, row)));
    }
    refreshPlots();
    refreshTable();
}

void MetricsView::refreshPlots() {
    qDeleteAll(m_plots);
    m_plots.clear();
    m_columns = 0;
    const QString metric = m_list->currentItem() ? m_list->currentItem()->data(Qt::UserRole).toString() : QString();
    if (!m_shown || metric.isEmpty()) return;
    for (const PlotData& plot : m_shown->plots) {
        if (plot.metric != metric || plot.empty()) continue;
        auto* widget = new PlotWidget(plot);
        m_plots.push_back(widget);
        connect(widget, &PlotWidget::pointClicked, this,
                [this, widget](int series, int point) { choose(widget->plot(), series, point); });
    }
    arrange();
}

void MetricsView::arrange() {
    const int columns = std::max(1, m_scroll->viewport()->width() / kPlotWidth);
    if (columns == m_columns || m_plots.empty()) return;
    m_columns = columns;
    for (std::size_t i = 0; i < m_plots.size(); ++i) {
        m_grid->addWidget(m_plots[i], int(i) / columns, int(i) % columns);
    }
    for (int c = 0; c < m_grid->columnCount(); ++c) {
        m_grid->setColumnStretch(c, c < columns ? 1 : 0);
    }
}

void MetricsView::refreshTable() {
    m_table->clear();
    m_table->setRowCount(0);
    m_table->setColumnCount(0);
    if (!m_shown || m_shown->pipelines.empty()) return;
    const auto& pipelines = m_shown->pipelines;
    QStringList heads{tr("Metric")};
    for (const PipelineReport& p : pipelines) {
        heads << p.name;
    }
    m_table->setColumnCount(int(heads.size()));
    m_table->setHorizontalHeaderLabels(heads);
    // A pipeline may have numbers that another has not (components, count probabilities).
    std::vector<const MetricValue*> rows;
    QSet<QString> ids;
    for (const PipelineReport& p : pipelines) {
        for (const MetricValue& m : p.metrics) {
            if (ids.contains(m.id)) continue;
            ids.insert(m.id);
            rows.push_back(&m);
        }
    }
    m_table->setRowCount(int(rows.size()));
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const MetricValue& first = *rows[std::size_t(row)];
        m_table->setItem(row, 0, new QTableWidgetItem(first.title));
        m_table->item(row, 0)->setToolTip(first.title);
        for (int c = 0; c < int(pipelines.size()); ++c) {
            const MetricValue* v = pipelines[std::size_t(c)].metric(first.id);
            QString text = QStringLiteral("\u2013");
            if (v && std::isfinite(v->value)) {
                text = formatValue(v->value);
                if (std::isfinite(v->error)) text += QStringLiteral(" \u00b1 ") + formatValue(v->error, 2);
            }
            auto* item = new QTableWidgetItem(text);
            item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            item->setFont(Theme::numberFont());
            if (v) item->setToolTip(tr("from %1").arg(formatCount(v->count)));
            m_table->setItem(row, c + 1, item);
        }
    }
    m_table->resizeColumnsToContents();
    m_table->setColumnWidth(0, std::min(m_table->columnWidth(0), 22 * fontMetrics().averageCharWidth()));
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
}

void MetricsView::chooseFile() {
    const QString path = QFileDialog::getSaveFileName(this, tr("Save the report"), QStringLiteral("report.html"),
                                                      tr("Web page (*.html)"));
    if (!path.isEmpty()) saveReport(path);
}

void MetricsView::saveReport(const QString& path) {
    if (!m_shown) return;
    m_document->start(
        tr("Saving %1").arg(QFileInfo(path).fileName()),
        [report = m_shown, path,
         failures =
             m_shown == m_evaluation->report() ? m_evaluation->failures() : std::vector<FailurePicture>()](Progress&) {
            QSaveFile file(path);
            if (!file.open(QIODevice::WriteOnly) || file.write(reportPage(*report, failures)) < 0 || !file.commit()) {
                throw WriteError(tr("%1 cannot be written: %2").arg(path, file.errorString()));
            }
        },
        [document = m_document, path](const Job& job) {
            if (job.state() == Job::State::Failed) Q_EMIT document->message(Document::Severity::Error, job.error());
            if (job.state() == Job::State::Finished) {
                Q_EMIT document->message(Document::Severity::Notice, tr("The report was saved as %1.").arg(path));
            }
        });
}

void MetricsView::choose(const PlotData& plot, int series, int point) {
    if (!m_shown) return;
    const PlotSeries& s = plot.series[std::size_t(series)];
    const PlotPoint& p = s.points[std::size_t(point)];
    const QString range =
        p.high > p.low ? tr("%1 to %2").arg(formatValue(p.low), formatValue(p.high)) : formatValue(p.x);
    const QString why = tr("%1: %2").arg(plot.xLabel, range);
    if (m_shown == m_evaluation->report()) {
        m_binScenes->show(s.pipeline, p.members, why);
        return;
    }
    if (m_shown != m_metrics->report()) return;
    const int id = m_metrics->resultOf(s.pipeline);
    const SceneEntry* scene = m_document->current();
    for (std::size_t i = 0; scene && i < scene->results.size(); ++i) {
        if (scene->results[i]->id == id) m_document->setCurrentResult(int(i));
    }
    const JudgementPtr judgement = m_judge->judgement(id);
    if (!judgement) return;
    QSet<int> blends;
    for (const int member : p.members) {
        const auto& objects = m_shown->pipelines[std::size_t(s.pipeline)].objects;
        if (member < 0 || member >= int(objects.size())) continue;
        const TruthVerdict* t = judgement->object(objects[std::size_t(member)].truthId);
        if (t && t->blend > 0) blends.insert(t->blend);
    }
    if (blends.isEmpty()) return;
    Q_EMIT blendsChosen(blends, why);
}

void MetricsView::refreshBin() {
    const bool any = m_binScenes->count() > 0;
    m_bin->setVisible(any);
    m_bin->setText(m_binScenes->running() ? tr("%1: opening\u2026").arg(m_binScenes->words()) : m_binScenes->words());
    m_previous->setVisible(m_binScenes->count() > 1);
    m_next->setVisible(m_binScenes->count() > 1);
}

} // namespace blendscope
