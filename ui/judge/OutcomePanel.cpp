#include "judge/OutcomePanel.h"

#include "figure/OutcomeLook.h"
#include "judge/FilmstripDelegate.h"
#include "judge/ThumbnailMaker.h"
#include "models/Format.h"
#include "theme/Theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QPainter>
#include <QPixmap>
#include <QScrollBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace blendscope {

namespace {

QIcon chipIcon(Outcome outcome) {
    QPixmap pixmap(36, 36);
    pixmap.setDevicePixelRatio(2.0);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paintOutcomeChip(painter, QRectF(1, 1, 16, 16), outcome);
    return QIcon(pixmap);
}

} // namespace

OutcomePanel::OutcomePanel(Document* document, JudgeController* judge, QWidget* parent)
    : QWidget(parent), m_document(document), m_judge(judge), m_thumbnails(new ThumbnailMaker(this)),
      m_model(new OutcomeModel(this)), m_view(new QListView), m_bar(new QHBoxLayout), m_all(new QToolButton),
      m_sort(new QComboBox), m_only(new QToolButton), m_note(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_bar->setContentsMargins(8, 4, 8, 4);
    m_bar->setSpacing(3);
    m_all->setText(tr("All"));
    m_all->setToolTip(tr("Blends of all outcomes"));
    m_all->setCheckable(true);
    m_all->setChecked(true);
    m_all->setAutoRaise(true);
    m_bar->addWidget(m_all);
    for (const Outcome outcome : outcomeOrder()) {
        auto* b = new QToolButton;
        b->setObjectName(QStringLiteral("chip_") + outcomeWord(outcome));
        b->setIcon(chipIcon(outcome));
        b->setIconSize(QSize(18, 18));
        b->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        b->setCheckable(true);
        b->setAutoRaise(true);
        b->setToolTip(QStringLiteral("%1: %2").arg(outcomeLook(outcome).title, outcomeLook(outcome).help));
        b->setAccessibleName(outcomeLook(outcome).title);
        m_bar->addWidget(b);
        m_chips.insert(outcome, b);
        connect(b, &QToolButton::clicked, this, [this] {
            QSet<int> shown;
            for (auto it = m_chips.begin(); it != m_chips.end(); ++it) {
                if (it.value()->isChecked()) shown.insert(static_cast<int>(it.key()));
            }
            m_syncing = true;
            m_model->setShown(shown);
            m_syncing = false;
            refreshChips();
            showSelection();
        });
    }
    connect(m_all, &QToolButton::clicked, this, [this] {
        for (QToolButton* b : m_chips) {
            b->setChecked(false);
        }
        m_syncing = true;
        m_model->setShown({});
        m_model->setOnly(std::nullopt);
        m_syncing = false;
        refreshChips();
        showSelection();
    });
    m_only->setAutoRaise(true);
    m_only->setToolTip(tr("Show all blends again"));
    m_only->hide();
    m_bar->addWidget(m_only);
    connect(m_only, &QToolButton::clicked, this, [this] { showOnly({}, {}); });
    m_bar->addStretch();
    m_note->setFont(Theme::smallFont());
    m_note->setForegroundRole(QPalette::PlaceholderText);
    m_bar->addWidget(m_note);
    m_sort->addItem(tr("brightest first"), int(OutcomeModel::Sort::SignalToNoise));
    m_sort->addItem(tr("faintest first"), -int(OutcomeModel::Sort::SignalToNoise));
    m_sort->addItem(tr("closest first"), -int(OutcomeModel::Sort::Separation));
    m_sort->addItem(tr("widest first"), int(OutcomeModel::Sort::Separation));
    m_sort->addItem(tr("most disputed first"), int(OutcomeModel::Sort::Disagreement));
    m_sort->addItem(tr("most crowded first"), int(OutcomeModel::Sort::Members));
    m_sort->setToolTip(
        tr("Order within an outcome: by S/N of the second brightest object, least separation, or how many "
           "other results judge differently"));
    m_sort->setAccessibleName(tr("Order of the blends"));
    m_sort->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_sort->setMinimumContentsLength(9);
    m_bar->addWidget(m_sort);
    auto* bar = new QWidget;
    bar->setLayout(m_bar);
    bar->setMinimumWidth(0);
    // The strip must not keep a window wide: what does not fit is cut off at its end.
    bar->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    layout->addWidget(bar);
    connect(m_sort, &QComboBox::currentIndexChanged, this, [this] {
        const int key = m_sort->currentData().toInt();
        m_syncing = true;
        m_model->setSort(static_cast<OutcomeModel::Sort>(std::abs(key)), key > 0);
        m_syncing = false;
        showSelection();
    });

    m_view->setModel(m_model);
    m_view->setItemDelegate(new FilmstripDelegate(m_thumbnails, m_view));
    m_view->setViewMode(QListView::IconMode);
    m_view->setFlow(QListView::LeftToRight);
    m_view->setWrapping(true);
    m_view->setResizeMode(QListView::Adjust);
    m_view->setMovement(QListView::Static);
    m_view->setUniformItemSizes(true);
    m_view->setSpacing(0);
    m_view->setSelectionMode(QAbstractItemView::SingleSelection);
    m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setMouseTracking(true);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setAccessibleName(tr("Blends by outcome"));
    m_view->verticalScrollBar()->setSingleStep(40);
    layout->addWidget(m_view, 1);
    connect(m_thumbnails, &ThumbnailMaker::ready, m_view->viewport(), qOverload<>(&QWidget::update));
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        if (m_syncing || !now.isValid()) return;
        m_judge->selectBlend(m_model->blendAt(now.row()));
    });
    connect(m_view, &QListView::clicked, this, &OutcomePanel::activated);
    connect(m_judge, &JudgeController::currentChanged, this, &OutcomePanel::refresh);
    connect(m_judge, &JudgeController::changed, this, &OutcomePanel::refresh);
    connect(m_judge, &JudgeController::selectionChanged, this, &OutcomePanel::showSelection);
    connect(m_document, &Document::currentSceneChanged, this, &OutcomePanel::refresh);
    refresh();
}

void OutcomePanel::setRgb(const RgbSettings& rgb) {
    if (rgb.weights == m_rgb.weights && rgb.stretch == m_rgb.stretch && rgb.q == m_rgb.q) return;
    m_rgb = rgb;
    m_thumbnails->setScene(m_scene, m_rgb);
    m_view->viewport()->update();
}

void OutcomePanel::refreshTheme() {
    m_view->viewport()->update();
}

bool OutcomePanel::settled() const {
    return m_thumbnails->idle();
}

void OutcomePanel::refresh() {
    const ScenePtr scene = m_document->scene();
    if (scene != m_scene) {
        m_scene = scene;
        m_thumbnails->setScene(scene, m_rgb);
    }
    m_syncing = true;
    m_model->setJudgement(m_judge->current(), m_judge->others(), m_judge->suspected());
    m_syncing = false;
    refreshChips();
    showSelection();
}

void OutcomePanel::refreshChips() {
    const bool any = m_model->judgement() != nullptr;
    m_all->setText(tr("All %1").arg(formatCount(m_model->total())));
    m_all->setChecked(m_model->shown().isEmpty() && !m_model->restricted());
    for (auto it = m_chips.begin(); it != m_chips.end(); ++it) {
        const int n = m_model->count(it.key());
        it.value()->setText(formatCount(n));
        // The five outcomes of a pair always have their place; the others come when they happen.
        it.value()->setVisible(any && (n > 0 || outcomeRank(it.key()) < 5));
        it.value()->setChecked(m_model->shown().contains(static_cast<int>(it.key())));
    }
    m_all->setVisible(any);
    m_sort->setEnabled(any);
    m_only->setVisible(m_model->restricted());
    const ResultEntry* e = m_document->currentResult();
    const JudgeController::Entry* entry = e ? m_judge->entry(e->id) : nullptr;
    QString note;
    if (!any) {
        if (!m_document->scene()) {
            note = m_judge->obstacle();
        } else {
            note = !e                                   ? tr("Nothing was detected yet: press Run (F5).")
                   : e->running                         ? tr("Detecting\u2026")
                   : entry && entry->job                ? tr("Judging: every object is detected alone\u2026")
                   : entry && !entry->problem.isEmpty() ? entry->problem
                                                        : tr("Not judged yet: press J.");
        }
    } else if (m_model->rowCount() == 0) {
        note = tr("No blend fits");
    }
    m_note->setText(note);
}

void OutcomePanel::showSelection() {
    m_syncing = true;
    const int row = m_model->rowOf(m_judge->selectedBlend());
    if (row >= 0) {
        const QModelIndex i = m_model->index(row);
        m_view->setCurrentIndex(i);
        m_view->scrollTo(i);
    } else {
        m_view->selectionModel()->clear();
    }
    m_syncing = false;
}

void OutcomePanel::step(int steps) {
    const int next = m_model->step(m_judge->selectedBlend(), steps);
    if (next > 0) m_judge->selectBlend(next);
}

void OutcomePanel::showOnly(const QSet<int>& blends, const QString& why) {
    m_syncing = true;
    m_model->setOnly(blends.isEmpty() ? std::nullopt : std::optional<QSet<int>>(blends));
    m_syncing = false;
    m_only->setText(why + QStringLiteral("  \u00d7"));
    refreshChips();
    showSelection();
}

} // namespace blendscope
