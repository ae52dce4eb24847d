#include "neural/Checkpoint.h"

#include "neural/Safetensors.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <limits>

namespace blendscope {

namespace {

struct Part {
    const char* prefix;
    Tensors Checkpoint::*tensors;
};
constexpr Part kParts[] = {{"weights/", &Checkpoint::weights},
                           {"average/", &Checkpoint::average},
                           {"best/", &Checkpoint::bestWeights},
                           {"optimizer/", &Checkpoint::optimizer}};

QJsonObject toJson(const QMap<QString, double>& map) {
    QJsonObject values;
    for (auto it = map.begin(); it != map.end(); ++it) {
        values[it.key()] = it.value();
    }
    return values;
}

QMap<QString, double> mapFromJson(const QJsonObject& json) {
    QMap<QString, double> values;
    for (auto it = json.begin(); it != json.end(); ++it) {
        values[it.key()] = it.value().toDouble(std::numeric_limits<double>::quiet_NaN());
    }
    return values;
}

QJsonObject toJson(const TrainingPoint& point) {
    return {{QStringLiteral("step"), static_cast<qint64>(point.step)},
            {QStringLiteral("seconds"), point.seconds},
            {QStringLiteral("validation"), point.validation},
            {QStringLiteral("values"), toJson(point.values)}};
}

TrainingPoint pointFromJson(const QJsonObject& json) {
    TrainingPoint point;
    point.step = json.value(QStringLiteral("step")).toInteger();
    point.seconds = json.value(QStringLiteral("seconds")).toDouble();
    point.validation = json.value(QStringLiteral("validation")).toBool();
    point.values = mapFromJson(json.value(QStringLiteral("values")).toObject());
    return point;
}

} // namespace

QString Checkpoint::path(const QString& folder) {
    return folder + QStringLiteral("/checkpoint.safetensors");
}

void Checkpoint::write(const QString& folder) const {
    QJsonArray points;
    for (const TrainingPoint& point : curves) {
        points.append(toJson(point));
    }
    const QJsonObject state{{QStringLiteral("step"), static_cast<qint64>(step)},
                            {QStringLiteral("seconds"), seconds},
                            {QStringLiteral("has_best"), hasBest},
                            {QStringLiteral("best"), best},
                            {QStringLiteral("best_step"), static_cast<qint64>(bestStep)},
                            {QStringLiteral("since_best"), sinceBest},
                            {QStringLiteral("finished"), finished},
                            {QStringLiteral("curves"), points},
                            {QStringLiteral("sum"), toJson(sum)},
                            {QStringLiteral("summed"), summed},
                            {QStringLiteral("network"), network},
                            {QStringLiteral("recipe"), recipe}};
    Safetensors file;
    file.metadata[QStringLiteral("kind")] = QStringLiteral("checkpoint");
    file.metadata[QStringLiteral("method")] = method;
    file.metadata[QStringLiteral("architecture")] = QString::number(architecture);
    file.metadata[QStringLiteral("state")] = QString::fromUtf8(QJsonDocument(state).toJson(QJsonDocument::Compact));
    for (const Part& part : kParts) {
        for (const auto& [name, tensor] : this->*part.tensors) {
            file.tensors.emplace(part.prefix + name, tensor);
        }
    }
    file.write(path(folder));
}

Checkpoint Checkpoint::read(const QString& folder, const QString& method, int architecture,
                            const QJsonObject& network) {
    const QString name = path(folder);
    if (!QFileInfo::exists(name)) throw UsageError(QStringLiteral("%1 holds no checkpoint to go on from").arg(folder));
    Safetensors file = Safetensors::read(name);
    if (file.metadata.value(QStringLiteral("kind")) != QLatin1String("checkpoint"))
        throw ReadError(QStringLiteral("%1 is no checkpoint").arg(name));
    const QString of = file.metadata.value(QStringLiteral("method"));
    const QString version = file.metadata.value(QStringLiteral("architecture"));
    if (of != method)
        throw MethodError(
            QStringLiteral("the checkpoint in %1 is one of \"%2\", not of \"%3\"").arg(folder, of, method));
    if (version != QString::number(architecture))
        throw MethodError(QStringLiteral("the checkpoint in %1 is of version %2 of %3's network, and this program has "
                                         "version %4: start anew")
                              .arg(folder, version, method)
                              .arg(architecture));
    const QJsonObject state = QJsonDocument::fromJson(file.metadata.value(QStringLiteral("state")).toUtf8()).object();
    Checkpoint out;
    out.method = method;
    out.architecture = architecture;
    out.network = state.value(QStringLiteral("network")).toObject();
    if (out.network != network)
        throw MethodError(QStringLiteral("the checkpoint in %1 is of a network of another size than the recipe's: give "
                                         "the recipe that it was begun with, or start anew")
                              .arg(folder));
    out.recipe = state.value(QStringLiteral("recipe")).toObject();
    out.step = state.value(QStringLiteral("step")).toInteger();
    out.seconds = state.value(QStringLiteral("seconds")).toDouble();
    out.hasBest = state.value(QStringLiteral("has_best")).toBool();
    out.best = state.value(QStringLiteral("best")).toDouble();
    out.bestStep = state.value(QStringLiteral("best_step")).toInteger();
    out.sinceBest = state.value(QStringLiteral("since_best")).toInt();
    out.finished = state.value(QStringLiteral("finished")).toBool();
    for (const QJsonValue point : state.value(QStringLiteral("curves")).toArray()) {
        out.curves.push_back(pointFromJson(point.toObject()));
    }
    out.sum = mapFromJson(state.value(QStringLiteral("sum")).toObject());
    out.summed = state.value(QStringLiteral("summed")).toInt();
    for (auto& [key, tensor] : file.tensors) {
        for (const Part& part : kParts) {
            const std::string prefix = part.prefix;
            if (key.rfind(prefix, 0) == 0) (out.*part.tensors).emplace(key.substr(prefix.size()), tensor);
        }
    }
    return out;
}

void writeCurves(const QString& path, const std::vector<TrainingPoint>& curves) {
    QStringList columns;
    for (const TrainingPoint& point : curves) {
        for (const QString& key : point.values.keys()) {
            if (!columns.contains(key)) columns << key;
        }
    }
    QString text = QStringLiteral("step,seconds,set,%1\n").arg(columns.join(QLatin1Char(',')));
    for (const TrainingPoint& point : curves) {
        QStringList row{QString::number(point.step), QString::number(point.seconds, 'f', 1),
                        point.validation ? QStringLiteral("validation") : QStringLiteral("training")};
        for (const QString& column : columns) {
            row << (point.values.contains(column) ? QString::number(point.values[column], 'g', 7) : QString());
        }
        text += row.join(QLatin1Char(',')) + QLatin1Char('\n');
    }
    QSaveFile file(path);
    const QByteArray bytes = text.toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
}

} // namespace blendscope
