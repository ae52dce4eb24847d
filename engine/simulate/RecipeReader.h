#pragma once

#include <QJsonObject>
#include <QString>
#include <optional>
#include <utility>
#include <vector>

namespace blendscope {

/// A JSON object from a file. Throws ReadError (cannot be read), UsageError (no JSON object: line and reason).
[[nodiscard]] QJsonObject readJsonFile(const QString& path);

/// Reads one JSON object of a recipe with checks; every failure is a UsageError that names the key with its place, the
/// value found and what was wanted ("galaxies.density is -3, wanted a number from 0 to 1e4").
class RecipeReader {
public:
    RecipeReader(QJsonObject json, QString place);

    /// Throws for keys other than these (keys that start with '_' are comments).
    void allow(const std::vector<const char*>& keys) const;
    [[nodiscard]] bool has(const char* key) const;
    [[nodiscard]] QStringList keys() const; ///< but comments
    [[nodiscard]] bool isNumber(const char* key) const;
    [[nodiscard]] bool isText(const char* key) const;

    [[nodiscard]] QString text(const char* key) const;
    [[nodiscard]] QString text(const char* key, const QString& otherwise) const;
    [[nodiscard]] double number(const char* key, double low, double high) const;
    [[nodiscard]] double number(const char* key, double low, double high, double otherwise) const;
    [[nodiscard]] bool boolean(const char* key, bool otherwise) const;
    /// [low, high] with low <= high, both within the limits.
    [[nodiscard]] std::pair<double, double> range(const char* key, double low, double high,
                                                  std::pair<double, double> otherwise) const;
    /// [a, b] in any order; nothing if the key is absent.
    [[nodiscard]] std::optional<std::pair<double, double>> pair(const char* key, double low, double high) const;
    [[nodiscard]] std::vector<double> numbers(const char* key, double low, double high) const; ///< empty if absent
    [[nodiscard]] QStringList texts(const char* key) const;                                    ///< empty if absent
    /// The object under a key; an empty one if absent.
    [[nodiscard]] RecipeReader object(const char* key) const;
    [[nodiscard]] std::vector<RecipeReader> list(const char* key) const; ///< of objects; empty if absent

    [[noreturn]] void fail(const char* key, const QString& wanted) const;

private:
    [[nodiscard]] QString path(const char* key) const;
    QJsonObject m_json;
    QString m_place;
};

} // namespace blendscope
