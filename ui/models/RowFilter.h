#pragma once

#include <QString>
#include <QStringList>
#include <functional>
#include <vector>

namespace blendscope {

/// What a person types to see fewer rows: words and comparisons, all of which must hold: "n>=2 mag<24 edge".
/// Comparisons: name, one of < <= > >= = !=, a number. Anything else is a word that the row's text must contain;
/// "-word" must not occur.
class RowFilter {
public:
    RowFilter() = default;
    /// Never fails: problem() says what was not understood, and that part is left out.
    [[nodiscard]] static RowFilter parse(const QString& text, const QStringList& names);

    [[nodiscard]] bool empty() const { return m_comparisons.empty() && m_words.empty() && m_without.empty(); }
    [[nodiscard]] QString problem() const { return m_problem; }
    /// `value(name)` gives a number or NaN (which fails every comparison); `text()` the row's words, asked only if
    /// needed.
    [[nodiscard]] bool accepts(const std::function<double(int)>& value, const std::function<QString()>& text) const;

private:
    enum class Operator { Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual };
    struct Comparison {
        int name = 0; ///< index in the names that were given
        Operator op = Operator::Equal;
        double number = 0.0;
    };
    std::vector<Comparison> m_comparisons;
    QStringList m_words, m_without;
    QString m_problem;
};

} // namespace blendscope
