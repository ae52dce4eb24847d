#include "neural/Safetensors.h"

#include "core/Error.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QtEndian>
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace blendscope {

namespace {

constexpr qint64 kMostHeader = 16 * 1024 * 1024;
constexpr const char* kMetadata = "__metadata__";

struct TypeName {
    const char* name;
    torch::Dtype type;
};
constexpr TypeName kTypes[] = {{"F32", torch::kFloat32},   {"F64", torch::kFloat64}, {"F16", torch::kFloat16},
                               {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
                               {"U8", torch::kUInt8}};

struct Entry {
    std::string name;
    torch::Dtype type = torch::kFloat32;
    std::vector<std::int64_t> shape;
    qint64 begin = 0, end = 0;
};

[[noreturn]] void refuse(const QString& path, const QString& why) {
    throw ReadError(QStringLiteral("%1 is no usable file of weights: %2").arg(QFileInfo(path).fileName(), why));
}

/// A whole number >= 0 exactly as JSON gave it; -1 for anything else.
qint64 whole(const QJsonValue& value) {
    if (!value.isDouble()) return -1;
    const qint64 number = value.toInteger(-1);
    return static_cast<double>(number) == value.toDouble() ? number : -1;
}

Entry readEntry(const QString& path, const QString& name, const QJsonValue& value, qint64 dataSize) {
    if (!value.isObject()) refuse(path, QStringLiteral("its entry \"%1\" is no object").arg(name));
    const QJsonObject json = value.toObject();
    Entry entry;
    entry.name = name.toStdString();
    const QString type = json.value(QStringLiteral("dtype")).toString();
    const auto* known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                     [&](const TypeName& t) { return type == QLatin1String(t.name); });
    if (known == std::end(kTypes)) refuse(path, QStringLiteral("\"%1\" has the unknown type \"%2\"").arg(name, type));
    entry.type = known->type;
    const auto bytes = static_cast<qint64>(torch::elementSize(known->type));
    qint64 size = bytes;
    if (!json.value(QStringLiteral("shape")).isArray()) refuse(path, QStringLiteral("\"%1\" has no shape").arg(name));
    const QJsonArray shape = json.value(QStringLiteral("shape")).toArray();
    if (shape.size() > 16) refuse(path, QStringLiteral("\"%1\" has %2 axes").arg(name).arg(shape.size()));
    for (const QJsonValue length : shape) {
        const qint64 n = whole(length);
        if (n < 0) refuse(path, QStringLiteral("\"%1\" has a length that is no whole number").arg(name));
        if (n > 0 && size > std::numeric_limits<qint64>::max() / n)
            refuse(path, QStringLiteral("\"%1\" is too large").arg(name));
        size *= n;
        entry.shape.push_back(n);
    }
    const QJsonArray offsets = json.value(QStringLiteral("data_offsets")).toArray();
    if (offsets.size() != 2) refuse(path, QStringLiteral("\"%1\" has no place in the data").arg(name));
    entry.begin = whole(offsets[0]);
    entry.end = whole(offsets[1]);
    if (entry.begin < 0 || entry.end < entry.begin || entry.end > dataSize)
        refuse(path, QStringLiteral("\"%1\" lies outside the file").arg(name));
    if (entry.end - entry.begin != size)
        refuse(path, QStringLiteral("\"%1\" has %2 bytes where its shape wants %3")
                         .arg(name)
                         .arg(entry.end - entry.begin)
                         .arg(size));
    return entry;
}

} // namespace

Safetensors Safetensors::read(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    const QByteArray prefix = file.read(8);
    if (prefix.size() != 8) refuse(path, QStringLiteral("it is too short"));
    const auto headerSize = qFromLittleEndian<quint64>(prefix.constData());
    if (headerSize > static_cast<quint64>(std::min(file.size() - 8, kMostHeader)))
        refuse(path, QStringLiteral("its header claims %1 bytes").arg(headerSize));
    const QByteArray header = file.read(static_cast<qint64>(headerSize));
    if (header.size() != static_cast<qsizetype>(headerSize)) refuse(path, QStringLiteral("it is too short"));
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(header, &error);
    if (!document.isObject())
        refuse(path, QStringLiteral("its header is no JSON object (%1)").arg(error.errorString()));

    Safetensors out;
    std::vector<Entry> entries;
    const qint64 dataStart = 8 + static_cast<qint64>(headerSize), dataSize = file.size() - dataStart;
    const QJsonObject json = document.object();
    for (auto it = json.begin(); it != json.end(); ++it) {
        if (it.key() == QLatin1String(kMetadata)) {
            const QJsonObject metadata = it.value().toObject();
            for (auto m = metadata.begin(); m != metadata.end(); ++m) {
                if (!m.value().isString()) refuse(path, QStringLiteral("its metadata are no texts"));
                out.metadata[m.key()] = m.value().toString();
            }
        } else {
            entries.push_back(readEntry(path, it.key(), it.value(), dataSize));
        }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    qint64 reached = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != reached)
            refuse(path, QStringLiteral("the data of \"%1\" %2 another's")
                             .arg(QString::fromStdString(entry.name),
                                  entry.begin < reached ? QStringLiteral("overlap") : QStringLiteral("do not follow")));
        reached = entry.end;
    }
    if (reached != dataSize) refuse(path, QStringLiteral("%1 bytes belong to nothing").arg(dataSize - reached));
    for (const Entry& entry : entries) {
        torch::Tensor tensor = torch::empty(entry.shape, torch::TensorOptions(entry.type));
        const qint64 bytes = entry.end - entry.begin;
        if (bytes > 0) {
            if (!file.seek(dataStart + entry.begin) || file.read(static_cast<char*>(tensor.data_ptr()), bytes) != bytes)
                refuse(path, QStringLiteral("it ends early"));
        }
        out.tensors.emplace(entry.name, std::move(tensor));
    }
    return out;
}

void Safetensors::write(const QString& path) const {
    QJsonObject header;
    if (!metadata.isEmpty()) {
        QJsonObject json;
        for (auto it = metadata.begin(); it != metadata.end(); ++it) {
            json[it.key()] = it.value();
        }
        header[QLatin1String(kMetadata)] = json;
    }
    std::vector<torch::Tensor> ordered;
    qint64 offset = 0;
    for (const auto& [name, given] : tensors) {
        const torch::Tensor tensor = given.detach().to(torch::kCPU).contiguous();
        const auto* known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                         [&](const TypeName& t) { return tensor.scalar_type() == t.type; });
        if (known == std::end(kTypes))
            throw UsageError(QStringLiteral("the tensor \"%1\" has a type that no file of weights holds")
                                 .arg(QString::fromStdString(name)));
        QJsonArray shape;
        for (const std::int64_t n : tensor.sizes()) {
            shape.append(static_cast<qint64>(n));
        }
        const auto bytes = static_cast<qint64>(tensor.nbytes());
        header[QString::fromStdString(name)] =
            QJsonObject{{QStringLiteral("dtype"), QLatin1String(known->name)},
                        {QStringLiteral("shape"), shape},
                        {QStringLiteral("data_offsets"), QJsonArray{offset, offset + bytes}}};
        offset += bytes;
        ordered.push_back(tensor);
    }
    QByteArray text = QJsonDocument(header).toJson(QJsonDocument::Compact);
    // Readers that map the file want aligned numbers.
    while (text.size() % 8 != 0) {
        text += ' ';
    }
    QSaveFile file(path);
    const auto failed = [&] {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    };
    if (!file.open(QIODevice::WriteOnly)) failed();
    QByteArray prefix(8, '\0');
    qToLittleEndian<quint64>(static_cast<quint64>(text.size()), prefix.data());
    if (file.write(prefix) != 8 || file.write(text) != text.size()) failed();
    for (const torch::Tensor& tensor : ordered) {
        const auto bytes = static_cast<qint64>(tensor.nbytes());
        if (bytes > 0 && file.write(static_cast<const char*>(tensor.data_ptr()), bytes) != bytes) failed();
    }
    if (!file.commit()) failed();
}

} // namespace blendscope
