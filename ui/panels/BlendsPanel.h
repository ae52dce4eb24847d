#pragma once

#include "document/Document.h"
#include "judge/Outcome.h"

#include <QSet>
#include <QWidget>
#include <functional>
#include <optional>

class QLabel;
class QLineEdit;
class QButtonGroup;
class QToolButton;
class QTreeView;

namespace blendscope {

class ResultModel;

/// The table of blends and their objects, with a filter; selection goes both ways between it and the document.
class BlendsPanel final : public QWidget {
    Q_OBJECT

public:
    explicit BlendsPanel(Document* document, QWidget* parent = nullptr);
    [[nodiscard]] ResultModel* model() const { return m_model; }
    [[nodiscard]] QTreeView* view() const { return m_view; }
    [[nodiscard]] QLineEdit* filterField() const { return m_filter; }
    /// Selects the next (previous: negative) blend in the table's order.
    void step(int steps);
    /// As ResultModel::setVerdict; without one the column is hidden.
    void setVerdict(std::function<std::optional<Outcome>(int blendId, int objectId)> verdict);
    void resetColumns(); ///< widths and order as they are at first
    void setObjectColor(std::function<QColor(int)> color);

Q_SIGNALS:
    void hiddenChanged(const std::vector<int>& objectIds); ///< left out by the filter
    void activated();                                      ///< Enter or double click: show it large

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh();
    void showSelection();
    void applyFilter();
    void refreshCounts();
    void unfold(); ///< again, after the model was reset

    Document* m_document;
    ResultModel* m_model;
    QTreeView* m_view;
    QLineEdit* m_filter;
    QButtonGroup* m_show;
    QLabel* m_note;
    int m_resultId = 0;
    QSet<int> m_open;   ///< blends whose objects are unfolded
    int m_unfolded = 0; ///< the selected blend, where it was unfolded by being selected
    bool m_syncing = false;
    bool m_judged = false; ///< the column of outcomes is there
};

} // namespace blendscope
