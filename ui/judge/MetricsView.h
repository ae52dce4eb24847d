#pragma once

#include "judge/BinScenes.h"
#include "judge/Evaluation.h"
#include "judge/JudgeController.h"
#include "judge/LiveMetrics.h"

#include <QWidget>
#include <vector>

class QGridLayout;
class QLabel;
class QListWidget;
class QPushButton;
class QScrollArea;
class QTableWidget;
class QToolButton;

namespace blendscope {

class PlotWidget;

/// The metrics of all results of the scene, overlaid: plots of one metric at a time, and the table of numbers. A click
/// on a bin shows its blends.
class MetricsView final : public QWidget {
    Q_OBJECT

public:
    MetricsView(Document* document, JudgeController* judge, QWidget* parent = nullptr);
    [[nodiscard]] LiveMetrics* metrics() const { return m_metrics; }
    [[nodiscard]] Evaluation* evaluation() const { return m_evaluation; }
    [[nodiscard]] BinScenes* binScenes() const { return m_binScenes; }
    [[nodiscard]] const std::vector<PlotWidget*>& plots() const { return m_plots; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] bool settled() const {
        return !m_metrics->running() && !m_evaluation->running() && !m_binScenes->running();
    }
    /// What is shown: of the evaluation where there is one, else of this scene's results; null = nothing.
    [[nodiscard]] std::shared_ptr<const MetricsReport> report() const { return m_shown; }
    void saveReport(const QString& path); ///< as one HTML page, in the background

Q_SIGNALS:
    void evaluateRequested(); ///< ask for pipelines and scenes
    /// A bin was clicked: ids of the judgement's blends that its objects are in (of the result shown now).
    void blendsChosen(const QSet<int>& blends, const QString& why);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void refresh();
    void refreshPlots();
    void refreshTable();
    void arrange();
    void chooseFile();
    void choose(const PlotData& plot, int series, int point);
    void refreshBin();

    Document* m_document;
    JudgeController* m_judge;
    LiveMetrics* m_metrics;
    Evaluation* m_evaluation;
    BinScenes* m_binScenes;
    QWidget* m_bar;
    QLabel* m_title;
    QLabel* m_bin;
    QToolButton* m_previous;
    QToolButton* m_next;
    QPushButton* m_back;
    QPushButton* m_save;
    QListWidget* m_list;
    QScrollArea* m_scroll;
    QGridLayout* m_grid;
    QTableWidget* m_table;
    QLabel* m_note;
    std::vector<PlotWidget*> m_plots;
    std::shared_ptr<const MetricsReport> m_shown;
    int m_columns = 0;
};

} // namespace blendscope
