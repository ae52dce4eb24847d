#include "simulate/RecipeReader.h"

#include "core/Error.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

QString shown(const QJsonValue& value) {
    if (value.isUndefined()) return QStringLiteral("missing");
    QString text = QString::fromUtf8(QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact));
    text = text.mid(1, text.size() - 2);
    return text.size() > 60 ? text.left(57) + QStringLiteral("...") : text;
}

QString limits(double low, double high) {
    return QStringLiteral("a number from %1 to %2").arg(low).arg(high);
}

} // namespace

QJsonObject readJsonFile(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    }
    const QByteArray bytes = file.readAll();
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(bytes, &error);
    if (error.error != QJsonParseError::NoError) {
        const auto line =
            1 + std::count(bytes.begin(), bytes.begin() + std::min<qsizetype>(error.offset, bytes.size()), '\n');
        throw UsageError(QStringLiteral("%1, line %2: %3").arg(path).arg(line).arg(error.errorString()));
    }
    if (!document.isObject()) throw UsageError(QStringLiteral("%1 holds no JSON object").arg(path));
    return document.object();
}

RecipeReader::RecipeReader(QJsonObject json, QString place) : m_json(std::move(json)), m_place(std::move(place)) {}

QString RecipeReader::path(const char* key) const {
    return m_place.isEmpty() ? QString::fromLatin1(key) : m_place + QLatin1Char('.') + QLatin1String(key);
}

void RecipeReader::fail(const char* key, const QString& wanted) const {
    throw UsageError(
        QStringLiteral("%1 is %2, wanted %3").arg(path(key), shown(m_json.value(QLatin1String(key))), wanted));
}

void RecipeReader::allow(const std::vector<const char*>& keys) const {
    for (auto it = m_json.begin(); it != m_json.end(); ++it) {
        if (it.key().startsWith(QLatin1Char('_'))) continue;
        const bool known =
            std::any_of(keys.begin(), keys.end(), [&](const char* k) { return it.key() == QLatin1String(k); });
        if (known) continue;
        QStringList names;
        for (const char* k : keys) {
            names << QLatin1String(k);
        }
        throw UsageError(QStringLiteral("%1 is not a key that is known here (%2)")
                             .arg(path(it.key().toLatin1().constData()), names.join(QStringLiteral(", "))));
    }
}

bool RecipeReader::has(const char* key) const {
    return m_json.contains(QLatin1String(key));
}

QStringList RecipeReader::keys() const {
    QStringList out = m_json.keys();
    out.removeIf([](const QString& key) { return key.startsWith(QLatin1Char('_')); });
    return out;
}

bool RecipeReader::isNumber(const char* key) const {
    return m_json.value(QLatin1String(key)).isDouble();
}

bool RecipeReader::isText(const char* key) const {
    return m_json.value(QLatin1String(key)).isString();
}

QString RecipeReader::text(const char* key) const {
    const QJsonValue v = m_json.value(QLatin1String(key));
    if (!v.isString() || v.toString().trimmed().isEmpty()) fail(key, QStringLiteral("a text"));
    return v.toString().trimmed();
}

QString RecipeReader::text(const char* key, const QString& otherwise) const {
    return has(key) ? text(key) : otherwise;
}

double RecipeReader::number(const char* key, double low, double high) const {
    const QJsonValue v = m_json.value(QLatin1String(key));
    const double d = v.toDouble(std::nan(""));
    if (!(d >= low && d <= high)) fail(key, limits(low, high));
    return d;
}

double RecipeReader::number(const char* key, double low, double high, double otherwise) const {
    return has(key) ? number(key, low, high) : otherwise;
}

bool RecipeReader::boolean(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    const QJsonValue v = m_json.value(QLatin1String(key));
    if (!v.isBool()) fail(key, QStringLiteral("true or false"));
    return v.toBool();
}

std::optional<std::pair<double, double>> RecipeReader::pair(const char* key, double low, double high) const {
    if (!has(key)) return std::nullopt;
    const QJsonArray a = m_json.value(QLatin1String(key)).toArray();
    const double first = a.size() == 2 ? a[0].toDouble(std::nan("")) : std::nan("");
    const double second = a.size() == 2 ? a[1].toDouble(std::nan("")) : std::nan("");
    if (!(first >= low && first <= high && second >= low && second <= high)) {
        fail(key, QStringLiteral("[a, b], each ") + limits(low, high));
    }
    return std::pair(first, second);
}

std::pair<double, double> RecipeReader::range(const char* key, double low, double high,
                                              std::pair<double, double> otherwise) const {
    const auto found = pair(key, low, high);
    if (!found) return otherwise;
    if (found->first > found->second) fail(key, QStringLiteral("the lower value first"));
    return *found;
}

std::vector<double> RecipeReader::numbers(const char* key, double low, double high) const {
    std::vector<double> out;
    if (!has(key)) return out;
    for (const QJsonValue item : m_json.value(QLatin1String(key)).toArray()) {
        out.push_back(item.toDouble(std::nan("")));
        if (!(out.back() >= low && out.back() <= high)) fail(key, QStringLiteral("a list, each ") + limits(low, high));
    }
    if (out.empty()) fail(key, QStringLiteral("a list, each ") + limits(low, high));
    return out;
}

QStringList RecipeReader::texts(const char* key) const {
    QStringList out;
    if (!has(key)) return out;
    const QJsonValue v = m_json.value(QLatin1String(key));
    if (!v.isArray()) fail(key, QStringLiteral("a list of texts"));
    for (const QJsonValue item : v.toArray()) {
        if (!item.isString()) fail(key, QStringLiteral("a list of texts"));
        out << item.toString();
    }
    return out;
}

RecipeReader RecipeReader::object(const char* key) const {
    if (!has(key)) return {QJsonObject(), path(key)};
    const QJsonValue v = m_json.value(QLatin1String(key));
    if (!v.isObject()) fail(key, QStringLiteral("an object {...}"));
    return {v.toObject(), path(key)};
}

std::vector<RecipeReader> RecipeReader::list(const char* key) const {
    std::vector<RecipeReader> out;
    if (!has(key)) return out;
    const QJsonValue v = m_json.value(QLatin1String(key));
    if (!v.isArray()) fail(key, QStringLiteral("a list of objects"));
    for (const QJsonValue item : v.toArray()) {
        if (!item.isObject()) fail(key, QStringLiteral("a list of objects"));
        out.emplace_back(item.toObject(), QStringLiteral("%1[%2]").arg(path(key)).arg(out.size()));
    }
    return out;
}

} // namespace blendscope
