#include "neural/ModelFile.h"

#include "core/Error.h"
#include "neural/Safetensors.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

namespace blendscope {

namespace {

QString cardPath(const QString& folder) {
    return folder + QStringLiteral("/card.json");
}

QString weightsPath(const QString& folder) {
    return folder + QStringLiteral("/weights.safetensors");
}

QString shapeText(const torch::Tensor& tensor) {
    QStringList lengths;
    for (const std::int64_t n : tensor.sizes()) {
        lengths << QString::number(n);
    }
    return QStringLiteral("[%1]").arg(lengths.join(QStringLiteral(", ")));
}

} // namespace

Tensors weightsOf(const torch::nn::Module& network) {
    Tensors out;
    for (const auto& item : network.named_parameters()) {
        out.emplace(item.key(), item.value());
    }
    for (const auto& item : network.named_buffers()) {
        out.emplace(item.key(), item.value());
    }
    return out;
}

void setWeights(torch::nn::Module& network, const Tensors& weights, const QString& what) {
    const torch::NoGradGuard guard;
    Tensors own = weightsOf(network);
    for (const auto& [name, tensor] : weights) {
        if (!own.count(name))
            throw MethodError(QStringLiteral("%1 holds \"%2\", which this network does not have")
                                  .arg(what, QString::fromStdString(name)));
    }
    for (const auto& [name, tensor] : own) {
        const auto it = weights.find(name);
        if (it == weights.end())
            throw MethodError(QStringLiteral("%1 lacks \"%2\"").arg(what, QString::fromStdString(name)));
        if (it->second.sizes() != tensor.sizes())
            throw MethodError(QStringLiteral("%1: \"%2\" has the shape %3, this network's has %4")
                                  .arg(what, QString::fromStdString(name), shapeText(it->second), shapeText(tensor)));
    }
    for (auto& [name, tensor] : own) {
        tensor.copy_(weights.at(name));
    }
}

QString modelFolder(const QString& wanted, const QString& methodFolder) {
    const QString given = wanted.trimmed();
    QString folder = given.isEmpty() ? methodFolder + QStringLiteral("/model") : given;
    if (QFileInfo::exists(cardPath(folder))) return folder;
    if (given.isEmpty())
        throw UsageError(QStringLiteral("no model comes with this method: train one with blend train, and give its "
                                        "folder as MODEL"));
    throw UsageError(QStringLiteral("%1 holds no model (there is no card.json)").arg(folder));
}

ModelFile ModelFile::open(const QString& folder, const QString& method, int architecture) {
    QFile file(cardPath(folder));
    if (!file.exists()) throw UsageError(QStringLiteral("%1 holds no model (there is no card.json)").arg(folder));
    if (!file.open(QIODevice::ReadOnly))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(file.fileName(), file.errorString()));
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
    if (!document.isObject())
        throw ReadError(QStringLiteral("%1 is no JSON object: %2").arg(file.fileName(), error.errorString()));
    ModelFile model;
    model.m_folder = folder;
    model.m_card = document.object();
    const QString of = model.m_card.value(QStringLiteral("method")).toString();
    if (of != method)
        throw MethodError(QStringLiteral("the model in %1 is one of \"%2\", not of \"%3\"").arg(folder, of, method));
    const int version = model.m_card.value(QStringLiteral("architecture")).toInt(-1);
    if (version != architecture)
        throw MethodError(QStringLiteral("the model in %1 is of version %2 of %3's network, and this program has "
                                         "version %4: train it again")
                              .arg(folder)
                              .arg(version)
                              .arg(method)
                              .arg(architecture));
    model.m_weights = Safetensors::read(weightsPath(folder)).tensors;
    return model;
}

Preprocessing ModelFile::preprocessing() const {
    return Preprocessing::fromJson(m_card.value(QStringLiteral("preprocessing")).toObject());
}

void ModelFile::load(torch::nn::Module& network) const {
    setWeights(network, m_weights, QStringLiteral("the model in %1").arg(m_folder));
    network.eval();
}

void ModelFile::save(const QString& folder, const torch::nn::Module& network, const QJsonObject& card,
                     Storage storage) {
    if (!QDir().mkpath(folder)) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(folder));
    Safetensors file;
    for (const auto& [name, tensor] : weightsOf(network)) {
        // Statistics and scales are few, and may lie outside what float16 holds.
        const bool half = storage == Storage::Float16 && tensor.is_floating_point() && tensor.dim() >= 2;
        file.tensors.emplace(name, half ? tensor.detach().to(torch::kFloat16) : tensor.detach());
    }
    file.metadata[QStringLiteral("method")] = card.value(QStringLiteral("method")).toString();
    file.metadata[QStringLiteral("architecture")] = QString::number(card.value(QStringLiteral("architecture")).toInt());
    file.write(weightsPath(folder));
    QSaveFile out(cardPath(folder));
    const QByteArray text = QJsonDocument(card).toJson();
    if (!out.open(QIODevice::WriteOnly) || out.write(text) != text.size() || !out.commit())
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(out.fileName(), out.errorString()));
}

} // namespace blendscope
