#include "Arguments.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>

namespace blendscope::cli {

Arguments::Arguments(QString verb, QString words, QString summary, std::vector<Flag> flags)
    : m_verb(std::move(verb)), m_wordNames(std::move(words)), m_summary(std::move(summary)), m_flags(std::move(flags)) {
    m_flags.push_back({QStringLiteral("json"), {}, QStringLiteral("machine-readable output on standard output")});
    m_flags.push_back({QStringLiteral("help"), {}, QStringLiteral("this text")});
}

const Arguments::Flag* Arguments::find(const QString& name) const {
    const auto it = std::find_if(m_flags.begin(), m_flags.end(), [&](const Flag& f) { return f.name == name; });
    return it == m_flags.end() ? nullptr : &*it;
}

bool Arguments::parse(const QStringList& arguments) {
    const qsizetype end = std::max<qsizetype>(arguments.indexOf(QStringLiteral("--")), -1);
    const QStringList before = end < 0 ? arguments : arguments.first(end);
    if (before.contains(QStringLiteral("--help")) || before.contains(QStringLiteral("-h"))) return false;
    for (qsizetype i = 0; i < arguments.size(); ++i) {
        const QString& argument = arguments[i];
        if (i == end) {
            m_words += arguments.mid(i + 1);
            break;
        }
        if (!argument.startsWith(QLatin1Char('-')) || argument == QLatin1String("-")) {
            m_words << argument;
            continue;
        }
        const qsizetype equals = argument.indexOf(QLatin1Char('='));
        const QString name =
            argument.startsWith(QStringLiteral("--")) ? argument.mid(2, equals < 0 ? -1 : equals - 2) : QString();
        const Flag* flag = find(name);
        if (!flag) {
            throw UsageError(QStringLiteral("blend %1 has no flag \"%2\"; see blend %1 --help")
                                 .arg(m_verb, equals < 0 ? argument : argument.left(equals)));
        }
        if (flag->value.isEmpty()) {
            if (equals >= 0) throw UsageError(QStringLiteral("--%1 takes no value").arg(name));
            m_values[name] << QString();
        } else if (equals >= 0) {
            m_values[name] << argument.mid(equals + 1);
        } else if (i + 1 < arguments.size() && !arguments[i + 1].startsWith(QStringLiteral("--"))) {
            m_values[name] << arguments[++i];
        } else {
            throw UsageError(QStringLiteral("--%1 needs a value: %2").arg(name, flag->value));
        }
    }
    if (m_wordNames.isEmpty() && !m_words.isEmpty()) {
        throw UsageError(QStringLiteral("blend %1 takes no argument \"%2\"").arg(m_verb, m_words.first()));
    }
    return true;
}

QString Arguments::value(const QString& flag, const QString& fallback) const {
    const QStringList all = m_values.value(flag);
    return all.isEmpty() ? fallback : all.last();
}

QString Arguments::required(const QString& flag) const {
    QString text = value(flag);
    if (text.isEmpty()) {
        const Flag* described = find(flag);
        throw UsageError(
            QStringLiteral("blend %1 needs --%2 %3").arg(m_verb, flag, described ? described->value : QString()));
    }
    return text;
}

double Arguments::real(const QString& flag, double fallback, double least, double most) const {
    if (!has(flag)) return fallback;
    bool ok = false;
    const double number = value(flag).toDouble(&ok);
    if (!ok || !std::isfinite(number) || number < least || number > most) {
        throw UsageError(QStringLiteral("--%1 is \"%2\", wanted a number from %3 to %4")
                             .arg(flag, value(flag))
                             .arg(least)
                             .arg(most));
    }
    return number;
}

int Arguments::integer(const QString& flag, int fallback, int least, int most) const {
    if (!has(flag)) return fallback;
    bool ok = false;
    const int number = value(flag).toInt(&ok);
    if (!ok || number < least || number > most) {
        throw UsageError(QStringLiteral("--%1 is \"%2\", wanted a whole number from %3 to %4")
                             .arg(flag, value(flag))
                             .arg(least)
                             .arg(most));
    }
    return number;
}

QString Arguments::help() const {
    QString text = QStringLiteral("blend %1 %2\n%3\n\n")
                       .arg(m_verb, (m_wordNames + QStringLiteral(" [flags]")).trimmed(), m_summary);
    qsizetype width = 0;
    const auto title = [](const Flag& f) {
        return f.value.isEmpty() ? QStringLiteral("--") + f.name : QStringLiteral("--%1 %2").arg(f.name, f.value);
    };
    for (const Flag& flag : m_flags) {
        width = std::max(width, title(flag).size());
    }
    for (const Flag& flag : m_flags) {
        text += QStringLiteral("  %1  %2\n").arg(title(flag).leftJustified(width), flag.help);
    }
    return text;
}

} // namespace blendscope::cli
