#pragma once

#include <QColor>
#include <QFont>
#include <QString>

class QApplication;

namespace blendscope {

/// How the panels look. The picture of the sky is dark in both.
enum class ThemeChoice { System, Light, Dark };

/// Colours that the palette of Qt has no role for.
struct ThemeColors {
    QColor accent;     ///< selection, the one accent
    QColor muted;      ///< second-rank text, at least 4.5:1 on the panel
    QColor line;       ///< hairlines between parts
    QColor raised;     ///< background of headings and chips
    QColor picture;    ///< behind pictures of the sky, in both themes dark
    QColor error;      ///< background of a message that something failed
    QColor warning;    ///< background of a message that something is odd
    QColor notice;     ///< background of a message that something was done
    QColor strongText; ///< on the three message colours
};

/// Fusion with palettes of our own; `System` follows what the desktop had when the program started.
class Theme {
public:
    /// Sets style, palette and style sheet of the application, and remembers what the desktop's palette was.
    static void apply(ThemeChoice choice);
    [[nodiscard]] static ThemeChoice choice();
    [[nodiscard]] static bool isDark();
    [[nodiscard]] static const ThemeColors& colors();
    /// Digits of equal width, for tables and read-outs, in the application's size.
    [[nodiscard]] static QFont numberFont();
    /// The application's font, a little smaller (0.9) for second-rank text.
    [[nodiscard]] static QFont smallFont();

    /// "system", "light", "dark"; anything else is System.
    [[nodiscard]] static ThemeChoice parse(const QString& text);
    [[nodiscard]] static QString name(ThemeChoice choice);

    /// WCAG 2.1 contrast ratio of two opaque colours, 1..21.
    [[nodiscard]] static double contrast(const QColor& a, const QColor& b);
};

} // namespace blendscope
