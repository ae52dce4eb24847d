#pragma once

#include <QJsonObject>
#include <QJsonValue>
#include <QMap>
#include <QString>
#include <QStringList>
#include <QVariant>
#include <vector>

namespace blendscope {

/// One parameter of a method, as method.json describes it.
struct ParameterInfo {
    enum class Type { Integer, Real, Boolean, Choice, Text };
    QString key;   ///< never translated: "DETECT_THRESH"
    QString title; ///< for the form
    Type type = Type::Real;
    QVariant defaultValue;
    QVariant minimum, maximum; ///< invalid = unbounded
    QStringList choices;
    QString unit; ///< "sigma", "pixel", "arcsec"
    QString help; ///< one or two sentences
    bool advanced = false;

    /// The value as its type, within its range. Throws UsageError that names the value found and what was wanted.
    [[nodiscard]] QVariant checked(const QVariant& value) const;
    /// From JSON; throws UsageError for a description that makes no sense.
    [[nodiscard]] static ParameterInfo fromJson(const QString& key, const QJsonObject& json);
};

/// Values of a method's parameters; keys that were not set give the default.
class Parameters {
public:
    Parameters() = default;
    explicit Parameters(std::vector<ParameterInfo> infos) : m_infos(std::move(infos)) {}

    /// Throws UsageError for an unknown key (naming the known ones) or an unfit value.
    void set(const QString& key, const QVariant& value);

    [[nodiscard]] double real(const QString& key) const { return value(key).toDouble(); }
    [[nodiscard]] int integer(const QString& key) const { return value(key).toInt(); }
    [[nodiscard]] bool boolean(const QString& key) const { return value(key).toBool(); }
    [[nodiscard]] QString text(const QString& key) const { return value(key).toString(); }
    /// Throws UsageError for a key that method.json does not describe.
    [[nodiscard]] QVariant value(const QString& key) const;

    [[nodiscard]] const std::vector<ParameterInfo>& infos() const { return m_infos; }
    [[nodiscard]] QJsonObject toJson() const; ///< all values, defaults included

private:
    std::vector<ParameterInfo> m_infos;
    QMap<QString, QVariant> m_values;
};

} // namespace blendscope
