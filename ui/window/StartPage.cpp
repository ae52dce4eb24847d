#include "window/StartPage.h"

#include "figure/Palette.h"
#include "theme/Icons.h"
#include "window/RecentFiles.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

namespace blendscope {

namespace {

// The page is the dark ground on which the picture will be, whatever the theme of the panels.
constexpr const char* kInk = "#e8eaed";
constexpr const char* kPale = "#a3a9b2";

QLabel* label(const QString& text, const char* color, double size = 1.0, bool bold = false) {
    auto* l = new QLabel(text);
    QFont font = l->font();
    font.setPointSizeF(font.pointSizeF() * size);
    font.setBold(bold);
    l->setFont(font);
    l->setWordWrap(true);
    l->setStyleSheet(QStringLiteral("color: %1;").arg(QLatin1String(color)));
    return l;
}

} // namespace

StartPage::StartPage(RecentFiles* recent, QWidget* parent)
    : QWidget(parent), m_recent(recent), m_column(new QVBoxLayout) {
    setMinimumSize(320, 240);
    auto* page = new QWidget;
    page->setMaximumWidth(560);
    auto* middle = new QVBoxLayout(page);
    middle->addStretch(2);
    auto* title = new QHBoxLayout;
    auto* icon = new QLabel;
    icon->setPixmap(applicationIcon().pixmap(56, 56));
    title->addWidget(icon);
    title->addSpacing(10);
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(label(tr("Blendscope"), kInk, 1.9, true));
    words->addWidget(label(tr("Detect blended galaxies, take them apart, and see what became of each."), kPale));
    title->addLayout(words, 1);
    middle->addLayout(title);
    middle->addSpacing(18);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(10);
    const auto button = [buttons](const QString& text, const QString& name, const QString& tip, bool first) {
        auto* b = new QPushButton(text);
        b->setObjectName(name);
        b->setToolTip(tip);
        b->setCursor(Qt::PointingHandCursor);
        b->setStyleSheet(
            first ? QStringLiteral(
                        "QPushButton { background: #2873c2; color: white; border: 2px solid #2873c2;"
                        " border-radius: 5px; padding: 7px 16px; font-weight: bold; }"
                        "QPushButton:hover { background: #3584d8; } QPushButton:focus { border-color: #bcdcff; }")
                  : QStringLiteral(
                        "QPushButton { background: #23272e; color: #e8eaed; border: 2px solid #47505c;"
                        " border-radius: 5px; padding: 7px 16px; }"
                        "QPushButton:hover { background: #2d333c; } QPushButton:focus { border-color: #bcdcff; }"));
        buttons->addWidget(b);
        return b;
    };
    auto* demo = button(tr("Try the demo scene"), QStringLiteral("startDemo"),
                        tr("A simulated field in six bands, detected and deblended while you watch"), true);
    auto* open = button(tr("Open files\u2026"), QStringLiteral("startOpen"),
                        tr("FITS images: one file with several bands, or one file a band chosen together"), false);
    auto* compare = button(tr("Who shreds, who merges?"), QStringLiteral("startCompare"),
                           tr("Simulates a field, detects with deblending contrast 0.005 and 0.0005, and judges both "
                              "against the truth"),
                           false);
    connect(compare, &QPushButton::clicked, this, &StartPage::compareRequested);
    buttons->addStretch();
    middle->addLayout(buttons);
    middle->addSpacing(6);
    middle->addWidget(label(tr("or drop FITS files or a folder anywhere in this window"), kPale, 0.92));
    middle->addSpacing(16);
    middle->addLayout(m_column);
    middle->addStretch(3);
    auto* outer = new QHBoxLayout(this);
    outer->addStretch(1);
    outer->addWidget(page, 100);
    outer->addStretch(1);
    connect(demo, &QPushButton::clicked, this, &StartPage::demoRequested);
    connect(open, &QPushButton::clicked, this, &StartPage::openRequested);
    connect(m_recent, &RecentFiles::changed, this, &StartPage::refresh);
    refresh();
}

void StartPage::refresh() {
    delete m_list;
    m_list = new QWidget;
    auto* column = new QVBoxLayout(m_list);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    if (!m_recent->entries().empty()) {
        column->addWidget(label(tr("Recent"), kInk, 1.0, true));
        int shown = 0;
        for (const QStringList& paths : m_recent->entries()) {
            if (++shown > 6) break;
            auto* b = new QPushButton(RecentFiles::title(paths));
            b->setFlat(true);
            b->setCursor(Qt::PointingHandCursor);
            b->setToolTip(paths.join(QLatin1Char('\n')));
            b->setStyleSheet(
                QStringLiteral("QPushButton { text-align: left; color: #7fbcf5; border: none; padding: 3px 0; }"
                               "QPushButton:hover, QPushButton:focus { text-decoration: underline; }"));
            connect(b, &QPushButton::clicked, this, [this, paths] { Q_EMIT filesRequested(paths); });
            column->addWidget(b, 0, Qt::AlignLeft);
        }
    } else {
        column->addWidget(label(tr("What to do"), kInk, 1.0, true));
        const QString steps[] = {tr("1.  Open a scene: bands are matched by themselves, colours come at once."),
                                 tr("2.  Press Run (F5): objects are detected and deblended in the background."),
                                 tr("3.  Click a blend: data, model, residual and every component appear beside it."),
                                 tr("4.  D and A go to the next and the previous blend; ? shows all keys."),
                                 tr("5.  Judge (Alt+2) says what became of each blend, where the truth is known.")};
        for (const QString& step : steps) {
            column->addSpacing(4);
            column->addWidget(label(step, kPale));
        }
    }
    m_column->addWidget(m_list);
}

void StartPage::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), look::canvas());
}

} // namespace blendscope
