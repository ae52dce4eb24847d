#pragma once

#include "judge/JudgeController.h"
#include "judge/LiveMetrics.h"

#include <QWidget>
#include <vector>

class QGridLayout;
class QLabel;
class QListWidget;
class QScrollArea;
class QTableWidget;

namespace blendscope {

class PlotWidget;

/// The metrics of all results of the scene, overlaid: plots of one metric at a time, and the table of numbers. A click
/// on a bin shows its blends.
class MetricsView final : public QWidget {
    Q_OBJECT

public:
    MetricsView(Document* document, JudgeController* judge, QWidget* parent = nullptr);
    [[nodiscard]] LiveMetrics* metrics() const { return m_metrics; }
    [[nodiscard]] const std::vector<PlotWidget*>& plots() const { return m_plots; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] bool settled() const { return !m_metrics->running(); }

Q_SIGNALS:
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
    void choose(const PlotData& plot, int series, int point);

    Document* m_document;
    JudgeController* m_judge;
    LiveMetrics* m_metrics;
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
