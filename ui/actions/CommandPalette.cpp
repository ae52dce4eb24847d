#include "actions/CommandPalette.h"

#include "actions/ActionRegistry.h"
#include "theme/Theme.h"

#include <QAction>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

namespace blendscope {

namespace {

/// How well `text` answers the letters typed: all words must occur; an early hit and a word's beginning count more.
int matchScore(const QString& text, const QString& typed) {
    int score = 1;
    for (const QString& word : typed.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const auto at = text.indexOf(word, 0, Qt::CaseInsensitive);
        if (at < 0) return 0;
        score += at == 0 ? 30 : text[at - 1].isSpace() ? 20 : 5;
    }
    return score;
}

} // namespace

CommandPalette::CommandPalette(ActionRegistry* actions, QWidget* parent)
    : QDialog(parent, Qt::Popup), m_actions(actions), m_field(new QLineEdit(this)), m_list(new QListWidget(this)) {
    setAccessibleName(tr("Search for an action"));
    m_field->setPlaceholderText(tr("What do you want to do?"));
    m_field->setClearButtonEnabled(true);
    m_field->installEventFilter(this);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setUniformItemSizes(true);
    m_list->setFrameShape(QFrame::NoFrame);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(m_field);
    layout->addWidget(m_list);
    connect(m_field, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_list, &QListWidget::itemClicked, this, [this] { accept(); });
    connect(m_list, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* now, QListWidgetItem* before) {
        colour(before, false);
        colour(now, true);
    });
}

void CommandPalette::popup() {
    m_actions->refresh();
    m_field->clear();
    filter({});
    const QWidget* window = parentWidget();
    resize(std::min(520, window->width() - 40), std::min(380, window->height() - 80));
    move(window->mapToGlobal(QPoint((window->width() - width()) / 2, 60)));
    show();
    m_field->setFocus();
}

void CommandPalette::colour(QListWidgetItem* item, bool chosen) {
    QWidget* row = item ? m_list->itemWidget(item) : nullptr;
    if (!row) return;
    const QList<QLabel*> labels = row->findChildren<QLabel*>();
    for (qsizetype i = 0; i < labels.size(); ++i) {
        QPalette p = labels[i]->palette();
        p.setColor(QPalette::WindowText, chosen  ? palette().color(QPalette::HighlightedText)
                                         : i > 0 ? Theme::colors().muted
                                                 : palette().color(QPalette::Text));
        labels[i]->setPalette(p);
    }
}

void CommandPalette::filter(const QString& text) {
    struct Hit {
        int score;
        const ActionInfo* info;
    };
    std::vector<Hit> hits;
    for (const ActionInfo& info : m_actions->infos()) {
        int score = matchScore(info.group + QLatin1Char(' ') + info.text + QLatin1Char(' ') + info.tip, text);
        if (score > 0 && !text.isEmpty()) score += 3 * matchScore(info.text, text); // its name says more than its tip
        if (score > 0 && m_actions->action(info.id)->isEnabled()) hits.push_back({score, &info});
    }
    std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
    m_list->clear();
    for (const Hit& hit : hits) {
        auto* item = new QListWidgetItem(m_list);
        item->setData(Qt::UserRole, hit.info->id);
        item->setToolTip(hit.info->tip);
        auto* row = new QWidget;
        row->setAttribute(Qt::WA_TransparentForMouseEvents);
        auto* line = new QHBoxLayout(row);
        line->setContentsMargins(8, 3, 8, 3);
        QString name = hit.info->text;
        line->addWidget(new QLabel(name.remove(QLatin1Char('&'))));
        line->addStretch();
        auto* key = new QLabel(hit.info->keys.isEmpty() ? hit.info->group
                                                        : hit.info->keys.first().toString(QKeySequence::NativeText));
        QPalette pale = key->palette();
        pale.setColor(QPalette::WindowText, Theme::colors().muted);
        key->setPalette(pale);
        line->addWidget(key);
        item->setSizeHint(row->sizeHint());
        m_list->setItemWidget(item, row);
    }
    if (m_list->count() > 0) m_list->setCurrentRow(0);
}

void CommandPalette::accept() {
    const QListWidgetItem* item = m_list->currentItem();
    const QString id = item ? item->data(Qt::UserRole).toString() : QString();
    QDialog::accept();
    // After the popup is gone, so that an action that opens a dialog gets the focus.
    if (!id.isEmpty()) QTimer::singleShot(0, m_actions, [actions = m_actions, id] { actions->trigger(id); });
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_field && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int row = m_list->currentRow(), rows = m_list->count();
        if ((key == Qt::Key_Down || key == Qt::Key_Up) && rows > 0) {
            m_list->setCurrentRow((row + (key == Qt::Key_Down ? 1 : rows - 1)) % rows);
            return true;
        }
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            accept();
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace blendscope
