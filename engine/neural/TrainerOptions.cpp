#include "neural/TrainerOptions.h"

#include "core/Error.h"

#include <QStringList>
#include <limits>

namespace blendscope {

namespace {

/// Reads members with their ranges, and remembers which keys there are.
class Reader {
public:
    explicit Reader(const QJsonObject& json) : m_json(json) {}

    void number(const char* key, double& value, double least, double most) {
        m_known << QLatin1String(key);
        const QJsonValue found = m_json.value(QLatin1String(key));
        if (found.isUndefined()) return;
        if (!found.isDouble() || !(found.toDouble() >= least && found.toDouble() <= most))
            throw UsageError(QStringLiteral("training: %1 must be a number from %2 to %3")
                                 .arg(QLatin1String(key))
                                 .arg(least)
                                 .arg(most));
        value = found.toDouble();
    }

    template <class Integer>
    void whole(const char* key, Integer& value, double least, double most) {
        auto real = static_cast<double>(value);
        number(key, real, least, most);
        if (real != static_cast<double>(static_cast<long long>(real)))
            throw UsageError(QStringLiteral("training: %1 must be a whole number").arg(QLatin1String(key)));
        value = static_cast<Integer>(real);
    }

    void flag(const char* key, bool& value) {
        m_known << QLatin1String(key);
        const QJsonValue found = m_json.value(QLatin1String(key));
        if (found.isUndefined()) return;
        if (!found.isBool())
            throw UsageError(QStringLiteral("training: %1 must be true or false").arg(QLatin1String(key)));
        value = found.toBool();
    }

    void text(const char* key, QString& value) {
        m_known << QLatin1String(key);
        const QJsonValue found = m_json.value(QLatin1String(key));
        if (found.isUndefined()) return;
        if (!found.isString()) throw UsageError(QStringLiteral("training: %1 must be a text").arg(QLatin1String(key)));
        value = found.toString();
    }

    void choice(const char* key, QString& value, const QStringList& choices) {
        m_known << QLatin1String(key);
        const QJsonValue found = m_json.value(QLatin1String(key));
        if (found.isUndefined()) return;
        if (!choices.contains(found.toString()))
            throw UsageError(QStringLiteral("training: %1 must be one of %2")
                                 .arg(QLatin1String(key), choices.join(QStringLiteral(", "))));
        value = found.toString();
    }

    void refuseOthers() const { checkRecipeKeys(m_json, QStringLiteral("training"), m_known); }

private:
    const QJsonObject& m_json;
    QStringList m_known;
};

} // namespace

TrainerOptions TrainerOptions::fromJson(const QJsonObject& json) {
    TrainerOptions o;
    Reader in(json);
    in.choice("optimizer", o.optimizer, {QStringLiteral("adamw"), QStringLiteral("sgd")});
    in.number("learning_rate", o.learningRate, 1e-12, 100.0);
    in.number("final_rate", o.finalRate, 0.0, 1.0);
    in.number("weight_decay", o.weightDecay, 0.0, 100.0);
    in.whole("batch", o.batch, 1, 65536);
    in.whole("steps", o.steps, 0, 1e12);
    in.number("minutes", o.minutes, 0.0, 1e7);
    in.whole("warm_up", o.warmUp, 0, 1e9);
    in.number("clip", o.clip, 0.0, 1e12);
    in.number("ema", o.ema, 0.0, 0.9999999);
    in.whole("validation", o.validation, 1, 1e7);
    in.whole("test", o.test, 0, 1e7);
    in.whole("validate_every", o.validateEvery, 1, 1e9);
    in.whole("patience", o.patience, 0, 1e9);
    in.whole("curve_every", o.curveEvery, 1, 1e9);
    in.number("checkpoint_minutes", o.checkpointMinutes, 0.0, 1e5);
    in.whole("seed", o.seed, 0, 9007199254740992.0);
    in.whole("workers", o.workers, 0, 1024);
    in.flag("half_precision", o.halfPrecision);
    in.text("start", o.start);
    in.refuseOthers();
    if (o.steps == 0 && o.minutes == 0.0)
        throw UsageError(QStringLiteral("training: give steps or minutes, otherwise it never ends"));
    return o;
}

QJsonObject TrainerOptions::toJson() const {
    return {{QStringLiteral("optimizer"), optimizer},
            {QStringLiteral("learning_rate"), learningRate},
            {QStringLiteral("final_rate"), finalRate},
            {QStringLiteral("weight_decay"), weightDecay},
            {QStringLiteral("batch"), batch},
            {QStringLiteral("steps"), static_cast<qint64>(steps)},
            {QStringLiteral("minutes"), minutes},
            {QStringLiteral("warm_up"), warmUp},
            {QStringLiteral("clip"), clip},
            {QStringLiteral("ema"), ema},
            {QStringLiteral("validation"), validation},
            {QStringLiteral("test"), test},
            {QStringLiteral("validate_every"), validateEvery},
            {QStringLiteral("patience"), patience},
            {QStringLiteral("curve_every"), curveEvery},
            {QStringLiteral("checkpoint_minutes"), checkpointMinutes},
            {QStringLiteral("seed"), static_cast<qint64>(seed)},
            {QStringLiteral("workers"), workers},
            {QStringLiteral("half_precision"), halfPrecision},
            {QStringLiteral("start"), start}};
}

void checkRecipeKeys(const QJsonObject& json, const QString& where, const QStringList& known) {
    for (const QString& key : json.keys()) {
        if (!known.contains(key))
            throw UsageError(
                QStringLiteral("%1: no key \"%2\"; there are %3").arg(where, key, known.join(QStringLiteral(", "))));
    }
}

QJsonObject completeRecipe(const QJsonObject& defaults, const QJsonObject& given) {
    QJsonObject out = defaults;
    for (auto it = given.begin(); it != given.end(); ++it) {
        const QJsonValue before = defaults.value(it.key());
        out[it.key()] = before.isObject() && it.value().isObject()
                            ? QJsonValue(completeRecipe(before.toObject(), it.value().toObject()))
                            : it.value();
    }
    return out;
}

} // namespace blendscope
