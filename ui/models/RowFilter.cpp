#include "models/RowFilter.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>

namespace blendscope {

RowFilter RowFilter::parse(const QString& text, const QStringList& names) {
    RowFilter filter;
    static const QRegularExpression spaces(QStringLiteral("\\s*(<=|>=|!=|<|>|=)\\s*"));
    static const QRegularExpression comparison(QStringLiteral("^([^<>=!]+)(<=|>=|!=|<|>|=)(.*)$"));
    QString tight = text;
    tight.replace(spaces, QStringLiteral("\\1"));
    for (const QString& part : tight.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const auto match = comparison.match(part);
        if (!match.hasMatch()) {
            if (part.size() > 1 && part.startsWith(QLatin1Char('-'))) {
                filter.m_without.append(part.mid(1));
            } else {
                filter.m_words.append(part);
            }
            continue;
        }
        Comparison c;
        const auto known = std::find_if(names.begin(), names.end(), [&](const QString& n) {
            return n.compare(match.captured(1), Qt::CaseInsensitive) == 0;
        });
        bool number = false;
        c.number = match.captured(3).toDouble(&number);
        if (known == names.end()) {
            filter.m_problem = QCoreApplication::translate("RowFilter", "\"%1\" is not a column; known are %2.")
                                   .arg(match.captured(1), names.join(QStringLiteral(", ")));
            continue;
        }
        if (!number) {
            filter.m_problem =
                QCoreApplication::translate("RowFilter", "\"%1\" is not a number.").arg(match.captured(3));
            continue;
        }
        c.name = static_cast<int>(known - names.begin());
        const QString op = match.captured(2);
        c.op = op == QLatin1String("<")    ? Operator::Less
               : op == QLatin1String("<=") ? Operator::LessEqual
               : op == QLatin1String(">")  ? Operator::Greater
               : op == QLatin1String(">=") ? Operator::GreaterEqual
               : op == QLatin1String("=")  ? Operator::Equal
                                           : Operator::NotEqual;
        filter.m_comparisons.push_back(c);
    }
    return filter;
}

bool RowFilter::accepts(const std::function<double(int)>& value, const std::function<QString()>& text) const {
    for (const Comparison& c : m_comparisons) {
        const double v = value(c.name);
        if (!std::isfinite(v)) return false;
        bool ok = false;
        switch (c.op) {
        case Operator::Less:
            ok = v < c.number;
            break;
        case Operator::LessEqual:
            ok = v <= c.number;
            break;
        case Operator::Greater:
            ok = v > c.number;
            break;
        case Operator::GreaterEqual:
            ok = v >= c.number;
            break;
        case Operator::Equal:
            ok = v == c.number;
            break;
        case Operator::NotEqual:
            ok = v != c.number;
            break;
        }
        if (!ok) return false;
    }
    if (m_words.isEmpty() && m_without.isEmpty()) return true;
    const QString row = text();
    return std::all_of(m_words.begin(), m_words.end(),
                       [&](const QString& w) { return row.contains(w, Qt::CaseInsensitive); }) &&
           std::none_of(m_without.begin(), m_without.end(),
                        [&](const QString& w) { return row.contains(w, Qt::CaseInsensitive); });
}

} // namespace blendscope
