#include "method/Trust.h"

#include "core/Error.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QStandardPaths>

namespace blendscope::trust {

namespace {

QJsonObject readList() {
    QFile file(listPath());
    if (!file.open(QIODevice::ReadOnly)) return {};
    return QJsonDocument::fromJson(file.readAll()).object();
}

} // namespace

QString listPath() {
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
           QStringLiteral("/blendscope/trusted-models.json");
}

QString digestOf(const QByteArray& content) {
    return QString::fromLatin1(QCryptographicHash::hash(content, QCryptographicHash::Sha256).toHex());
}

QString digest(const QString& path) {
    QFile file(path);
    QCryptographicHash hash(QCryptographicHash::Sha256);
    if (!file.open(QIODevice::ReadOnly) || !hash.addData(&file))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    return QString::fromLatin1(hash.result().toHex());
}

bool isTrusted(const QString& digest) {
    return readList().contains(digest);
}

void remember(const QString& digest, const QString& path) {
    QJsonObject list = readList();
    list[digest] = QFileInfo(path).absoluteFilePath();
    const QString where = listPath();
    QDir().mkpath(QFileInfo(where).path());
    QSaveFile file(where);
    const QByteArray text = QJsonDocument(list).toJson();
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit())
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(where, file.errorString()));
}

} // namespace blendscope::trust
