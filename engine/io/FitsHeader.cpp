#include "io/FitsHeader.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace blendscope {

namespace {

constexpr std::size_t kCard = 80;

/// The value of a card's part after "=": the text in quotes, or what stands before the comment.
QString parseValue(const std::string& field, bool& quoted) {
    std::size_t i = field.find_first_not_of(' ');
    quoted = false;
    if (i == std::string::npos) return {};
    if (field[i] != '\'') {
        const std::size_t end = std::min(field.find('/', i), field.size());
        return QString::fromLatin1(field.data() + i, static_cast<qsizetype>(end - i)).trimmed();
    }
    quoted = true;
    std::string text;
    for (++i; i < field.size(); ++i) {
        if (field[i] == '\'') {
            if (i + 1 >= field.size() || field[i + 1] != '\'') break;
            ++i;
        }
        text += field[i];
    }
    // Leading blanks count in the standard, trailing ones do not; neither says anything here.
    return QString::fromLatin1(text.data(), static_cast<qsizetype>(text.size())).trimmed();
}

} // namespace

FitsHeader::FitsHeader(std::string cards) : m_cards(std::move(cards)) {
    for (char& c : m_cards) {
        // Control characters have no place in a header, and would break its lines apart.
        if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
    }
    std::string longKey; // a string that ends in & goes on in the next CONTINUE card
    for (std::size_t at = 0; at < m_cards.size(); at += kCard) {
        const std::string card = m_cards.substr(at, kCard);
        std::string key = card.substr(0, std::min<std::size_t>(8, card.size()));
        key.erase(key.find_last_not_of(' ') + 1);
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::toupper(c); });
        if (key == "END") break;
        bool quoted = false;
        if (key == "CONTINUE" && !longKey.empty()) {
            QString& value = m_values[longKey];
            value.chop(1);
            value += parseValue(card.size() > 8 ? card.substr(8) : std::string(), quoted);
            if (!value.endsWith(QLatin1Char('&'))) longKey.clear();
            continue;
        }
        longKey.clear();
        if (key == "COMMENT" || key == "HISTORY") {
            if (card.size() > 8) {
                m_commentary += QString::fromLatin1(card.data() + 8, static_cast<qsizetype>(card.size() - 8)).trimmed();
                m_commentary += QLatin1Char(' ');
            }
            continue;
        }
        std::size_t valueAt = 10;
        if (key == "HIERARCH") {
            const std::size_t equals = card.find('=');
            if (equals == std::string::npos || equals < 9) continue;
            key = QString::fromStdString(card.substr(9, equals - 9)).trimmed().toUpper().toStdString();
            valueAt = equals + 1;
        } else if (card.size() < 10 || card[8] != '=') {
            continue;
        }
        if (valueAt >= card.size()) continue;
        const QString value = parseValue(card.substr(valueAt), quoted);
        if (!m_values.emplace(key, value).second) continue;
        if (quoted && value.endsWith(QLatin1Char('&'))) longKey = key;
    }
}

QString FitsHeader::text() const {
    QString out;
    for (std::size_t at = 0; at < m_cards.size(); at += kCard) {
        QString line =
            QString::fromLatin1(m_cards.data() + at, static_cast<qsizetype>(std::min(kCard, m_cards.size() - at)));
        while (line.endsWith(QLatin1Char(' '))) {
            line.chop(1);
        }
        out += line + QLatin1Char('\n');
    }
    return out;
}

QString FitsHeader::string(const char* key) const {
    const auto it = m_values.find(key);
    return it == m_values.end() ? QString() : it->second;
}

std::optional<double> FitsHeader::number(const char* key) const {
    QString text = string(key);
    if (text.isEmpty()) return std::nullopt;
    text.replace(QLatin1Char('D'), QLatin1Char('E')).replace(QLatin1Char('d'), QLatin1Char('e'));
    bool ok = false;
    const double value = text.toDouble(&ok);
    if (!ok || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::map<std::string, QString> FitsHeader::withPrefix(const std::string& prefix) const {
    std::map<std::string, QString> found;
    for (auto it = m_values.lower_bound(prefix); it != m_values.end() && it->first.starts_with(prefix); ++it) {
        found.insert(*it);
    }
    return found;
}

} // namespace blendscope
