#include "actions/CheatSheet.h"

#include "actions/ActionRegistry.h"
#include "theme/Theme.h"

#include <QAction>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <array>

namespace blendscope {

CheatSheet::CheatSheet(ActionRegistry* actions, QWidget* parent)
    : QDialog(parent), m_actions(actions), m_layout(new QVBoxLayout(this)) {
    setWindowTitle(tr("Keys and mouse"));
    m_layout->setContentsMargins(0, 0, 0, 0);
}

void CheatSheet::popup() {
    m_actions->refresh();
    rebuild();
    show();
    raise();
    activateWindow();
}

void CheatSheet::rebuild() {
    delete m_page;
    auto* area = new QScrollArea(this);
    m_page = area;
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    auto* page = new QWidget;
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(20, 16, 20, 16);
    columns->setSpacing(28);
    std::array<QGridLayout*, 2> grids{};
    for (QGridLayout*& grid : grids) {
        auto* column = new QVBoxLayout;
        grid = new QGridLayout;
        grid->setHorizontalSpacing(14);
        grid->setVerticalSpacing(3);
        grid->setColumnStretch(1, 1);
        column->addLayout(grid);
        column->addStretch();
        columns->addLayout(column, 1);
    }
    std::array<int, 2> rows{};

    const auto heading = [&](std::size_t c, const QString& text) {
        auto* label = new QLabel(text);
        QFont font = label->font();
        font.setBold(true);
        label->setFont(font);
        label->setContentsMargins(0, rows[c] > 0 ? 10 : 0, 0, 2);
        grids[c]->addWidget(label, rows[c]++, 0, 1, 2);
    };
    const auto line = [&](std::size_t c, const QString& key, QWidget* what) {
        auto* label = new QLabel(key);
        label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        QPalette pale = label->palette();
        pale.setColor(QPalette::WindowText, Theme::colors().accent);
        label->setPalette(pale);
        grids[c]->addWidget(label, rows[c], 0);
        grids[c]->addWidget(what, rows[c]++, 1);
    };

    QStringList groups;
    for (const ActionInfo& info : m_actions->infos()) {
        if (!info.keys.isEmpty() && !groups.contains(info.group)) groups.append(info.group);
    }
    for (const QString& group : groups) {
        const std::size_t c = rows[0] <= rows[1] ? 0 : 1;
        heading(c, group);
        for (const ActionInfo& info : m_actions->infos()) {
            if (info.group != group || info.keys.isEmpty()) continue;
            QStringList keys;
            for (const QKeySequence& k : info.keys) {
                keys.append(k.toString(QKeySequence::NativeText));
            }
            auto* button = new QPushButton(QString(info.text).remove(QLatin1Char('&')));
            button->setFlat(true);
            button->setStyleSheet(QStringLiteral("text-align: left; padding: 1px 4px;"));
            button->setToolTip(info.tip);
            button->setEnabled(m_actions->action(info.id)->isEnabled());
            connect(button, &QPushButton::clicked, this, [this, id = info.id] { m_actions->trigger(id); });
            line(c, keys.join(QStringLiteral(" or ")), button);
        }
    }
    const std::size_t c = rows[0] <= rows[1] ? 0 : 1;
    heading(c, tr("Mouse in the picture"));
    const std::pair<QString, QString> mouse[] = {
        {tr("Wheel"), tr("zoom at the cursor (Ctrl: whole steps)")},
        {tr("Left drag"), tr("move the picture")},
        {tr("Click"), tr("select the object; again: its blend")},
        {tr("Double click"), tr("zoom to the blend")},
        {tr("Shift + drag"), tr("zoom to a box")},
        {tr("Right drag"), tr("contrast and bias (double right-click resets)")},
        {tr("Middle click"), tr("centre here")},
    };
    for (const auto& [key, what] : mouse) {
        line(c, key, new QLabel(what));
    }
    area->setWidget(page);
    m_layout->addWidget(area);
    const QSize wanted = page->sizeHint() + QSize(30, 10);
    resize(wanted.boundedTo(parentWidget()->size() * 0.92));
}

} // namespace blendscope
