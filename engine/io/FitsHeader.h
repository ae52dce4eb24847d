#pragma once

#include <QString>
#include <QStringList>
#include <map>
#include <optional>
#include <string>

namespace blendscope {

/// The cards of one FITS header. Keywords are found in any case; the first of several cards counts, as in CFITSIO.
/// Values are taken leniently: numbers in quotes count as numbers.
class FitsHeader {
public:
    FitsHeader() = default;
    /// `cards`: 80 characters each, without line ends; CONTINUE cards are joined.
    explicit FitsHeader(std::string cards);

    [[nodiscard]] const std::string& cards() const { return m_cards; }
    /// A card a line, for a person.
    [[nodiscard]] QString text() const;

    [[nodiscard]] bool has(const char* key) const { return m_values.contains(key); }
    /// Trimmed; empty if absent. Numbers and T or F come as written.
    [[nodiscard]] QString string(const char* key) const;
    /// Nothing if absent, not a number, or not finite.
    [[nodiscard]] std::optional<double> number(const char* key) const;
    [[nodiscard]] bool isTrue(const char* key) const { return string(key) == QLatin1String("T"); }
    /// Text of COMMENT and HISTORY cards, joined.
    [[nodiscard]] QString commentary() const { return m_commentary; }
    /// Keywords that begin with `prefix`, with their values.
    [[nodiscard]] std::map<std::string, QString> withPrefix(const std::string& prefix) const;

private:
    std::string m_cards;
    std::map<std::string, QString> m_values;
    QString m_commentary;
};

} // namespace blendscope
