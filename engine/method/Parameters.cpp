#include "method/Parameters.h"

#include "core/Error.h"

#include <QJsonArray>
#include <cmath>

namespace blendscope {

QVariant ParameterInfo::checked(const QVariant& v) const {
    const auto refuse = [&](const QString& wanted) -> UsageError {
        return UsageError(QStringLiteral("%1 is \"%2\", wanted %3").arg(key, v.toString(), wanted));
    };
    bool ok = false;
    switch (type) {
    case Type::Integer:
    case Type::Real: {
        const double number = v.toDouble(&ok);
        if (!ok || !std::isfinite(number)) throw refuse(QStringLiteral("a number"));
        if (type == Type::Integer && number != std::floor(number)) throw refuse(QStringLiteral("a whole number"));
        if (minimum.isValid() && number < minimum.toDouble()) {
            throw refuse(QStringLiteral("at least %1").arg(minimum.toDouble()));
        }
        if (maximum.isValid() && number > maximum.toDouble()) {
            throw refuse(QStringLiteral("at most %1").arg(maximum.toDouble()));
        }
        return type == Type::Integer ? QVariant(static_cast<int>(number)) : QVariant(number);
    }
    case Type::Boolean: {
        if (v.typeId() == QMetaType::Bool) return v;
        const QString word = v.toString().toLower();
        if (word == QLatin1String("true") || word == QLatin1String("1") || word == QLatin1String("yes") ||
            word == QLatin1String("on")) {
            return true;
        }
        if (word == QLatin1String("false") || word == QLatin1String("0") || word == QLatin1String("no") ||
            word == QLatin1String("off")) {
            return false;
        }
        throw refuse(QStringLiteral("true or false"));
    }
    case Type::Choice:
        for (const QString& choice : choices) {
            if (choice.compare(v.toString(), Qt::CaseInsensitive) == 0) return choice;
        }
        throw refuse(QStringLiteral("one of ") + choices.join(QStringLiteral(", ")));
    case Type::Text:
        return v.toString();
    }
    return v;
}

ParameterInfo ParameterInfo::fromJson(const QString& key, const QJsonObject& json) {
    ParameterInfo info;
    info.key = key;
    info.title = json.value(QStringLiteral("title")).toString(key);
    info.unit = json.value(QStringLiteral("unit")).toString();
    info.help = json.value(QStringLiteral("help")).toString();
    info.advanced = json.value(QStringLiteral("advanced")).toBool();
    const QString type = json.value(QStringLiteral("type")).toString();
    if (type == QLatin1String("integer")) {
        info.type = Type::Integer;
    } else if (type == QLatin1String("real")) {
        info.type = Type::Real;
    } else if (type == QLatin1String("boolean")) {
        info.type = Type::Boolean;
    } else if (type == QLatin1String("choice")) {
        info.type = Type::Choice;
    } else if (type == QLatin1String("text")) {
        info.type = Type::Text;
    } else {
        throw UsageError(QStringLiteral("parameter %1 has type \"%2\", wanted integer, real, boolean, choice or text")
                             .arg(key, type));
    }
    for (const QJsonValue choice : json.value(QStringLiteral("choices")).toArray()) {
        info.choices << choice.toString();
    }
    if (json.contains(QStringLiteral("minimum"))) info.minimum = json.value(QStringLiteral("minimum")).toVariant();
    if (json.contains(QStringLiteral("maximum"))) info.maximum = json.value(QStringLiteral("maximum")).toVariant();
    if (!json.contains(QStringLiteral("default"))) {
        throw UsageError(QStringLiteral("parameter %1 has no default").arg(key));
    }
    info.defaultValue = info.checked(json.value(QStringLiteral("default")).toVariant());
    return info;
}

void Parameters::set(const QString& key, const QVariant& v) {
    QStringList known;
    for (const ParameterInfo& info : m_infos) {
        if (info.key.compare(key, Qt::CaseInsensitive) == 0) {
            m_values.insert(info.key, info.checked(v));
            return;
        }
        known << info.key;
    }
    throw UsageError(QStringLiteral("no parameter \"%1\"; there are %2").arg(key, known.join(QStringLiteral(", "))));
}

QVariant Parameters::value(const QString& key) const {
    const auto it = m_values.constFind(key);
    if (it != m_values.constEnd()) return it.value();
    for (const ParameterInfo& info : m_infos) {
        if (info.key == key) return info.defaultValue;
    }
    throw UsageError(QStringLiteral("no parameter \"%1\"").arg(key));
}

QJsonObject Parameters::toJson() const {
    QJsonObject json;
    for (const ParameterInfo& info : m_infos) {
        json.insert(info.key, QJsonValue::fromVariant(value(info.key)));
    }
    return json;
}

} // namespace blendscope
