#include "theme/Theme.h"

#include <QApplication>
#include <QFontDatabase>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>
#include <QToolTip>
#include <cmath>
#include <optional>

namespace blendscope {

namespace {

struct State {
    ThemeChoice choice = ThemeChoice::System;
    bool dark = false;
    std::optional<bool> systemDark;
    ThemeColors colors;
};

State& state() {
    static State s;
    return s;
}

QPalette darkPalette() {
    QPalette p;
    const QColor window(0x20, 0x22, 0x26), base(0x18, 0x1a, 0x1d), text(0xe4, 0xe6, 0xe9), dim(0x74, 0x79, 0x80);
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, base);
    p.setColor(QPalette::AlternateBase, QColor(0x1d, 0x1f, 0x23));
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::Button, QColor(0x2c, 0x2f, 0x34));
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, Qt::white);
    p.setColor(QPalette::ToolTipBase, QColor(0x33, 0x37, 0x3d));
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::PlaceholderText, QColor(0x8a, 0x90, 0x98));
    p.setColor(QPalette::Highlight, QColor(0x2f, 0x6f, 0xb5));
    p.setColor(QPalette::HighlightedText, Qt::white);
    p.setColor(QPalette::Link, QColor(0x6c, 0xb2, 0xf5));
    p.setColor(QPalette::LinkVisited, QColor(0xb0, 0x9a, 0xe8));
    p.setColor(QPalette::Light, QColor(0x3d, 0x41, 0x47));
    p.setColor(QPalette::Midlight, QColor(0x33, 0x36, 0x3b));
    p.setColor(QPalette::Mid, QColor(0x2a, 0x2d, 0x31));
    p.setColor(QPalette::Dark, QColor(0x13, 0x14, 0x16));
    p.setColor(QPalette::Shadow, Qt::black);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, dim);
    }
    p.setColor(QPalette::Disabled, QPalette::Highlight, QColor(0x3a, 0x3e, 0x44));
    return p;
}

QPalette lightPalette() {
    QPalette p;
    const QColor window(0xf2, 0xf3, 0xf5), base(0xff, 0xff, 0xff), text(0x1c, 0x1e, 0x21), dim(0x9a, 0x9e, 0xa5);
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, base);
    p.setColor(QPalette::AlternateBase, QColor(0xf7, 0xf8, 0xfa));
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::Button, QColor(0xfb, 0xfb, 0xfc));
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, Qt::white);
    p.setColor(QPalette::ToolTipBase, QColor(0xff, 0xff, 0xff));
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::PlaceholderText, QColor(0x72, 0x77, 0x7f));
    p.setColor(QPalette::Highlight, QColor(0x1f, 0x6f, 0xc0));
    p.setColor(QPalette::HighlightedText, Qt::white);
    p.setColor(QPalette::Link, QColor(0x14, 0x5f, 0xb0));
    p.setColor(QPalette::LinkVisited, QColor(0x6a, 0x4a, 0xb0));
    p.setColor(QPalette::Light, Qt::white);
    p.setColor(QPalette::Midlight, QColor(0xe6, 0xe8, 0xeb));
    p.setColor(QPalette::Mid, QColor(0xc4, 0xc8, 0xce));
    p.setColor(QPalette::Dark, QColor(0xa0, 0xa5, 0xac));
    p.setColor(QPalette::Shadow, QColor(0x60, 0x64, 0x6a));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, dim);
    }
    p.setColor(QPalette::Disabled, QPalette::Highlight, QColor(0xc8, 0xcd, 0xd4));
    return p;
}

ThemeColors colorsOf(bool dark) {
    ThemeColors c;
    c.accent = dark ? QColor(0x5a, 0xa9, 0xf0) : QColor(0x1f, 0x6f, 0xc0);
    c.muted = dark ? QColor(0xa2, 0xa8, 0xb0) : QColor(0x5c, 0x61, 0x69);
    c.line = dark ? QColor(0x38, 0x3c, 0x42) : QColor(0xd4, 0xd7, 0xdc);
    c.raised = dark ? QColor(0x2a, 0x2d, 0x32) : QColor(0xe6, 0xe9, 0xed);
    c.picture = QColor(0x0b, 0x0c, 0x0e);
    c.error = dark ? QColor(0x7a, 0x26, 0x22) : QColor(0xfb, 0xdd, 0xda);
    c.warning = dark ? QColor(0x5d, 0x49, 0x10) : QColor(0xfd, 0xf0, 0xcc);
    c.notice = dark ? QColor(0x1d, 0x45, 0x66) : QColor(0xdb, 0xea, 0xf8);
    c.strongText = dark ? QColor(0xf6, 0xf7, 0xf8) : QColor(0x1c, 0x1e, 0x21);
    return c;
}

QString styleSheet(const ThemeColors& c) {
    // Only what Fusion draws too heavily: dock titles, splitters, tool bar, section headings.
    return QStringLiteral("QMainWindow::separator { background: %1; width: 4px; height: 4px; }"
                          "QMainWindow::separator:hover { background: %2; }"
                          "QToolBar { border: none; border-bottom: 1px solid %1; spacing: 4px; padding: 3px 6px; }"
                          "QStatusBar { border-top: 1px solid %1; }"
                          "QStatusBar::item { border: none; }"
                          "QToolTip { border: 1px solid %1; padding: 4px; }"
                          "QScrollArea#plain, QScrollArea#plain > QWidget > QWidget { background: transparent; }"
                          "QTreeView { border: none; }"
                          "QHeaderView::section { background: %3; border: none; border-right: 1px solid %1;"
                          " border-bottom: 1px solid %1; padding: 3px 6px; }")
        .arg(c.line.name(), c.accent.name(), c.raised.name());
}

double luminance(const QColor& color) {
    const auto part = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF());
}

} // namespace

void Theme::apply(ThemeChoice choice) {
    State& s = state();
    if (!s.systemDark) {
        // Qt 6.4 has no colorScheme(): the palette that the desktop gave before ours tells it.
        const QPalette desktop = QGuiApplication::palette();
        const QByteArray gtk = qgetenv("GTK_THEME");
        s.systemDark = gtk.endsWith("dark") || desktop.color(QPalette::Window).lightness() < 128;
        QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    }
    s.choice = choice;
    s.dark = choice == ThemeChoice::Dark || (choice == ThemeChoice::System && *s.systemDark);
    s.colors = colorsOf(s.dark);
    QApplication::setPalette(s.dark ? darkPalette() : lightPalette());
    QToolTip::setPalette(QApplication::palette());
    qApp->setStyleSheet(styleSheet(s.colors));
}

ThemeChoice Theme::choice() {
    return state().choice;
}

bool Theme::isDark() {
    return state().dark;
}

const ThemeColors& Theme::colors() {
    if (!state().colors.accent.isValid()) state().colors = colorsOf(false);
    return state().colors;
}

QFont Theme::numberFont() {
    QFont font = QApplication::font();
    font.setStyleHint(QFont::SansSerif);
    return font; // the digits of proportional interface fonts (DejaVu, Noto, Segoe, San Francisco) are of equal width
}

QFont Theme::smallFont() {
    QFont font = QApplication::font();
    if (font.pointSizeF() > 0) font.setPointSizeF(font.pointSizeF() * 0.9);
    return font;
}

ThemeChoice Theme::parse(const QString& text) {
    if (text.compare(QLatin1String("dark"), Qt::CaseInsensitive) == 0) return ThemeChoice::Dark;
    if (text.compare(QLatin1String("light"), Qt::CaseInsensitive) == 0) return ThemeChoice::Light;
    return ThemeChoice::System;
}

QString Theme::name(ThemeChoice choice) {
    switch (choice) {
    case ThemeChoice::Dark:
        return QStringLiteral("dark");
    case ThemeChoice::Light:
        return QStringLiteral("light");
    case ThemeChoice::System:
        break;
    }
    return QStringLiteral("system");
}

double Theme::contrast(const QColor& a, const QColor& b) {
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

} // namespace blendscope
