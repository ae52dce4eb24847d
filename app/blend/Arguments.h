#pragma once

#include <QMap>
#include <QString>
#include <QStringList>
#include <vector>

namespace blendscope::cli {

/// The flags and words that follow a verb. Every verb has --help and --json.
class Arguments {
public:
    struct Flag {
        QString name;  ///< without the dashes
        QString value; ///< what its value is called in the help; empty = the flag takes none
        QString help;
    };

    /// `words` names the positional arguments for the help, as "SCENE..."; empty = none are allowed.
    Arguments(QString verb, QString words, QString summary, std::vector<Flag> flags);

    /// Takes "--flag value" and "--flag=value"; "--" ends the flags. False where --help was asked for, and nothing else
    /// is checked then. Throws UsageError for an unknown flag, a missing value, or words where none are allowed.
    [[nodiscard]] bool parse(const QStringList& arguments);

    [[nodiscard]] bool has(const QString& flag) const { return m_values.contains(flag); }
    /// The last value given.
    [[nodiscard]] QString value(const QString& flag, const QString& fallback = {}) const;
    [[nodiscard]] QStringList values(const QString& flag) const { return m_values.value(flag); }
    /// Throws UsageError where the value is no number or outside the range.
    [[nodiscard]] double real(const QString& flag, double fallback, double least, double most) const;
    [[nodiscard]] int integer(const QString& flag, int fallback, int least, int most) const;
    [[nodiscard]] const QStringList& words() const { return m_words; }
    /// Throws UsageError where the flag is missing.
    [[nodiscard]] QString required(const QString& flag) const;

    [[nodiscard]] QString help() const;

private:
    [[nodiscard]] const Flag* find(const QString& name) const;

    QString m_verb;
    QString m_wordNames;
    QString m_summary;
    std::vector<Flag> m_flags;
    QMap<QString, QStringList> m_values;
    QStringList m_words;
};

} // namespace blendscope::cli
