#include "panels/BlendsPanel.h"

#include "models/Format.h"
#include "models/ResultModel.h"
#include "theme/Theme.h"

#include <QButtonGroup>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QTimer>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

namespace blendscope {

BlendsPanel::BlendsPanel(Document* document, QWidget* parent)
    : QWidget(parent), m_document(document), m_model(new ResultModel(this)), m_view(new QTreeView),
      m_filter(new QLineEdit), m_show(new QButtonGroup(this)), m_note(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* bar = new QWidget;
    auto* line = new QHBoxLayout(bar);
    line->setContentsMargins(8, 4, 8, 4);
    line->setSpacing(4);
    const std::pair<QString, QString> kinds[] = {{tr("All"), tr("Everything that was detected")},
                                                 {tr("Blends"), tr("Footprints that hold several objects")},
                                                 {tr("Isolated"), tr("Footprints that hold one object")}};
    for (int i = 0; i < 3; ++i) {
        auto* b = new QToolButton;
        b->setText(kinds[i].first);
        b->setToolTip(kinds[i].second);
        b->setCheckable(true);
        b->setAutoRaise(true);
        m_show->addButton(b, i);
        line->addWidget(b);
    }
    m_show->button(0)->setChecked(true);
    line->addSpacing(8);
    m_filter->setPlaceholderText(tr("Filter: n>2  mag<24  snr>10  edge"));
    m_filter->setToolTip(tr("Words and comparisons, all of which must hold. Columns: %1. A minus before a word leaves "
                            "rows with it out.")
                             .arg(ResultModel::filterNames().join(QStringLiteral(", "))));
    m_filter->setAccessibleName(tr("Filter of the table"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(360);
    line->addWidget(m_filter, 1);
    m_note->setFont(Theme::smallFont());
    m_note->setForegroundRole(QPalette::PlaceholderText);
    line->addWidget(m_note);
    line->addStretch();
    layout->addWidget(bar);

    m_view->setModel(m_model);
    m_view->setUniformRowHeights(true);
    m_view->setAlternatingRowColors(true);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(ResultModel::Name, Qt::AscendingOrder);
    m_view->setSelectionMode(QAbstractItemView::SingleSelection);
    m_view->setAllColumnsShowFocus(true);
    m_view->setFont(Theme::numberFont());
    m_view->setAccessibleName(tr("Blends and objects"));
    m_view->setIndentation(16);
    m_view->setIconSize(QSize(10, 10));
    m_view->setTextElideMode(Qt::ElideRight);
    QHeaderView* header = m_view->header();
    header->setStretchLastSection(true);
    header->setSectionsMovable(true);
    resetColumns();
    layout->addWidget(m_view, 1);

    auto* wait = new QTimer(this);
    wait->setSingleShot(true);
    wait->setInterval(150); // a filter runs when typing pauses
    connect(wait, &QTimer::timeout, this, &BlendsPanel::applyFilter);
    connect(m_filter, &QLineEdit::textChanged, wait, [wait] { wait->start(); });
    connect(m_show, &QButtonGroup::idClicked, this, [this](int id) {
        m_syncing = true;
        m_model->setShow(static_cast<ResultModel::Show>(id));
        unfold();
        m_syncing = false;
        showSelection();
        refreshCounts();
        Q_EMIT hiddenChanged(m_model->hiddenObjects());
    });
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        if (m_syncing || !now.isValid()) return;
        m_syncing = true; // the row is there already: no scrolling under the mouse
        m_document->setSelection({m_model->blendId(now), m_model->objectId(now)});
        m_syncing = false;
    });
    m_view->setMouseTracking(true);
    m_view->viewport()->installEventFilter(this);
    connect(m_view, &QTreeView::entered, this, [this](const QModelIndex& i) {
        m_document->setHovered({m_model->blendId(i), m_model->objectId(i)});
    });
    connect(m_document, &Document::hoveredChanged, this, [this] {
        const Selection h = m_document->hovered();
        m_model->setHovered(h.blend, h.object);
    });
    connect(m_view, &QTreeView::expanded, this, [this](const QModelIndex& i) { m_open.insert(m_model->blendId(i)); });
    connect(m_view, &QTreeView::collapsed, this, [this](const QModelIndex& i) { m_open.remove(m_model->blendId(i)); });
    connect(m_view, &QTreeView::activated, this, &BlendsPanel::activated);
    connect(m_document, &Document::currentResultChanged, this, &BlendsPanel::refresh);
    connect(m_document, &Document::resultUpdated, this, &BlendsPanel::refresh);
    connect(m_document, &Document::selectionChanged, this, [this] {
        if (!m_syncing) showSelection();
    });
    refreshCounts();
}

void BlendsPanel::resetColumns() {
    QHeaderView* header = m_view->header();
    const QFontMetrics metrics(m_view->font());
    const int em = metrics.horizontalAdvance(QLatin1Char('0'));
    const int widths[] = {14, 4, 14, 8, 8, 9, 9, 8, 9, 17, 40, 15};
    for (int c = 0; c < ResultModel::Columns; ++c) {
        header->resizeSection(c, widths[c] * em + 8);
    }
    // What tells blends apart comes first; positions are in the picture already.
    for (int c = 0; c < ResultModel::Columns; ++c) {
        header->moveSection(header->visualIndex(c), c);
    }
    const int first[] = {ResultModel::SignalToNoise, ResultModel::Blendedness, ResultModel::Flags};
    for (int i = 0; i < 3; ++i) {
        header->moveSection(header->visualIndex(first[i]), 3 + i);
    }
    header->moveSection(header->visualIndex(ResultModel::Fate), 2);
    m_view->setColumnHidden(ResultModel::Fate, !m_judged);
}

void BlendsPanel::setVerdict(std::function<std::optional<Outcome>(int, int)> verdict) {
    m_judged = bool(verdict);
    m_syncing = true;
    m_model->setVerdict(std::move(verdict));
    unfold();
    m_syncing = false;
    m_view->setColumnHidden(ResultModel::Fate, !m_judged);
    showSelection();
}

void BlendsPanel::setObjectColor(std::function<QColor(int)> color) {
    m_model->setObjectColor(std::move(color));
}

bool BlendsPanel::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Leave) m_document->setHovered({});
    return QWidget::eventFilter(watched, event);
}

void BlendsPanel::unfold() {
    for (const int blend : QSet<int>(m_open)) {
        const QModelIndex i = m_model->indexOfBlend(blend);
        if (i.isValid()) m_view->expand(i);
    }
}

void BlendsPanel::refresh() {
    const ResultEntry* entry = m_document->currentResult();
    const int id = entry ? entry->id : 0;
    const int scroll = m_view->verticalScrollBar()->value();
    if (id != m_resultId) m_open.clear();
    m_syncing = true;
    m_model->setResult(m_document->result(), m_document->scene());
    unfold();
    m_syncing = false;
    showSelection();
    if (id == m_resultId) m_view->verticalScrollBar()->setValue(scroll);
    m_resultId = id;
    refreshCounts();
    if (!m_filter->text().isEmpty() || m_model->shown() != ResultModel::Show::All) {
        Q_EMIT hiddenChanged(m_model->hiddenObjects());
    }
}

void BlendsPanel::applyFilter() {
    const RowFilter filter = RowFilter::parse(m_filter->text(), ResultModel::filterNames());
    m_syncing = true;
    m_model->setFilter(filter);
    unfold();
    m_syncing = false;
    m_note->setToolTip(filter.problem());
    showSelection();
    refreshCounts();
    if (!filter.problem().isEmpty()) m_note->setText(filter.problem());
    Q_EMIT hiddenChanged(m_model->hiddenObjects());
}

void BlendsPanel::refreshCounts() {
    const int blends = m_model->blendsTotal(), isolated = m_model->isolatedTotal();
    m_show->button(0)->setText(tr("All %1").arg(formatCount(blends + isolated)));
    m_show->button(1)->setText(tr("Blends %1").arg(formatCount(blends)));
    m_show->button(2)->setText(tr("Isolated %1").arg(formatCount(isolated)));
    const ResultPtr r = m_model->result();
    const auto total = r ? static_cast<long long>(r->objects.size()) : 0LL;
    const long long shown = m_model->objectsShown();
    if (!r) {
        m_note->setText(m_document->scene() ? tr("Nothing detected yet: press Run (F5)") : QString());
    } else if (shown == total) {
        m_note->setText(total == 1 ? tr("1 object") : tr("%1 objects").arg(formatCount(total)));
    } else {
        m_note->setText(tr("%1 of %2 objects").arg(formatCount(shown), formatCount(total)));
    }
}

void BlendsPanel::showSelection() {
    const Selection s = m_document->selection();
    const QModelIndex i = s.object > 0 ? m_model->indexOfObject(s.object) : m_model->indexOfBlend(s.blend);
    m_syncing = true;
    // The objects of the blend that is looked at are in sight, those of the one before fold away again.
    if (m_unfolded > 0 && m_unfolded != s.blend) {
        const QModelIndex before = m_model->indexOfBlend(m_unfolded);
        if (before.isValid()) m_view->collapse(before);
        m_unfolded = 0;
    }
    if (i.isValid()) {
        const QModelIndex blend = i.parent().isValid() ? i.parent() : i;
        if (!m_view->isExpanded(blend) && m_model->rowCount(blend) > 0) {
            m_view->expand(blend);
            m_unfolded = s.blend;
        }
        m_view->setCurrentIndex(i);
        if (m_model->rowCount(blend) > 0) {
            m_view->scrollTo(m_model->index(std::min(m_model->rowCount(blend), 6) - 1, 0, blend));
        }
        m_view->scrollTo(i);
    } else {
        m_view->selectionModel()->clear();
    }
    m_syncing = false;
}

void BlendsPanel::step(int steps) {
    const int next = m_model->stepBlend(m_document->selection().blend, steps);
    if (next > 0) m_document->selectBlend(next);
}

} // namespace blendscope
