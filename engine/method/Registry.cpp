#include "method/Registry.h"

#include "core/Error.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLibrary>
#include <QSet>
#include <QStandardPaths>
#include <dlfcn.h>

namespace blendscope {

namespace {

const QString kTorchScript = QStringLiteral("torchscript");

/// The folder of the engine library, in build tree and installation alike.
QString libraryFolder() {
    static const QString folder = [] {
        Dl_info info{};
        if (dladdr(reinterpret_cast<const void*>(&engineVersion), &info) && info.dli_fname) {
            return QFileInfo(QFile::decodeName(info.dli_fname)).canonicalPath();
        }
        return QString();
    }();
    return folder;
}

/// What a JSON file says of a method; `json` becomes all of it.
MethodInfo readInfo(const QString& path, const QString& id, QJsonObject& json) {
    MethodInfo info;
    info.id = id;
    info.title = id;
    const QString name = QFileInfo(path).fileName();
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        info.problem = QStringLiteral("%1 cannot be read: %2").arg(name, file.errorString());
        return info;
    }
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
    if (!document.isObject()) {
        info.problem = QStringLiteral("%1 is not a JSON object: %2").arg(name, error.errorString());
        return info;
    }
    json = document.object();
    const auto text = [&](const char* key) { return json.value(QLatin1String(key)).toString(); };
    try {
        if (text("id") != info.id) {
            throw UsageError(QStringLiteral("its id \"%1\" is not its folder's name").arg(text("id")));
        }
        info.title = text("title");
        info.description = text("description");
        info.citation = text("citation");
        info.version = text("version");
        static const QStringList known{QStringLiteral("detect"), QStringLiteral("deblend"), QStringLiteral("measure"),
                                       QStringLiteral("classify"), QStringLiteral("count")};
        for (const QJsonValue stage : json.value(QStringLiteral("stages")).toArray()) {
            if (!known.contains(stage.toString())) {
                throw UsageError(QStringLiteral("unknown stage \"%1\", wanted %2")
                                     .arg(stage.toString(), known.join(QStringLiteral(", "))));
            }
            info.stages << stage.toString();
        }
        if (info.stages.isEmpty()) throw UsageError(QStringLiteral("it names no stages"));
        const QJsonObject bands = json.value(QStringLiteral("bands")).toObject();
        info.minBands = bands.value(QStringLiteral("minimum")).toInt(1);
        info.maxBands = bands.value(QStringLiteral("maximum")).toInt(0);
        info.needsPsf = json.value(QStringLiteral("needs_psf")).toBool();
        info.device = json.value(QStringLiteral("device")).toBool();
        info.trainable = json.value(QStringLiteral("trainable")).toBool();
        // An array keeps the order of the form; QJsonObject would sort the keys.
        for (const QJsonValue parameter : json.value(QStringLiteral("parameters")).toArray()) {
            const QJsonObject p = parameter.toObject();
            info.parameters.push_back(ParameterInfo::fromJson(p.value(QStringLiteral("key")).toString(), p));
        }
    } catch (const Error& e) {
        info.problem = name + QStringLiteral(": ") + e.message();
    }
    return info;
}

/// A method of a folder.
MethodInfo readFolder(const QString& folder, QJsonObject& json) {
    MethodInfo info = readInfo(folder + QStringLiteral("/method.json"), QFileInfo(folder).fileName(), json);
    info.folder = folder;
    info.module = folder + QStringLiteral("/%1.so").arg(info.id);
    if (info.problem.isEmpty() && !QFileInfo::exists(info.module))
        info.problem = QStringLiteral("the module %1.so is missing").arg(info.id);
    return info;
}

/// A TorchScript model and the JSON file beside it.
MethodInfo readModel(const QString& path, const QString& module, QJsonObject& json) {
    MethodInfo info = readInfo(path, QFileInfo(path).completeBaseName(), json);
    info.folder = path;
    info.module = module;
    const QString file = json.value(kTorchScript).toObject().value(QStringLiteral("model")).toString();
    info.script = QFileInfo(path).absoluteDir().filePath(file);
    if (!info.problem.isEmpty()) return info;
    if (file.isEmpty() || !QFileInfo(info.script).isFile()) {
        info.problem = QStringLiteral("its TorchScript file \"%1\" is missing").arg(file);
    } else if (module.isEmpty()) {
        info.problem = QStringLiteral("this Blendscope was built without LibTorch");
    }
    return info;
}

const MethodInfo& usable(const std::vector<MethodInfo>& methods, const QString& id) {
    QStringList known;
    for (const MethodInfo& info : methods) {
        if (info.id != id) {
            known << info.id;
            continue;
        }
        if (!info.problem.isEmpty()) throw MethodError(QStringLiteral("method %1: %2").arg(id, info.problem));
        return info;
    }
    throw UsageError(QStringLiteral("no method \"%1\"; there are %2").arg(id, known.join(QStringLiteral(", "))));
}

/// Loads a method's module, which stays loaded for the life of the program: instances and their code may outlive any
/// registry.
QLibrary& load(QLibrary& library, const QString& id) {
    // LibTorch comes with the first neural method; its OpenMP reads this as it is loaded. Waiting threads that spin
    // would take the processors from everything else.
    if (!qEnvironmentVariableIsSet("OMP_WAIT_POLICY")) qputenv("OMP_WAIT_POLICY", "passive");
    if (!library.load()) throw MethodError(QStringLiteral("method %1: %2").arg(id, library.errorString()));
    const auto abi = reinterpret_cast<int (*)()>(library.resolve("blendscopeMethodAbi"));
    if (!abi) throw MethodError(QStringLiteral("method %1: the module lacks BLENDSCOPE_METHOD").arg(id));
    if (abi() != kMethodAbi) {
        throw MethodError(QStringLiteral("method %1: built for interface version %2, this is version %3")
                              .arg(id)
                              .arg(abi())
                              .arg(kMethodAbi));
    }
    return library;
}

} // namespace

QString engineVersion() {
    return QStringLiteral(BLENDSCOPE_VERSION);
}

QString resourceFolder() {
    QString given = qEnvironmentVariable("BLENDSCOPE_DATA_DIR");
    if (!given.isEmpty()) return given;
    QDir dir(libraryFolder());
    for (int up = 0; up < 4; ++up) {
        QString candidate = dir.filePath(QStringLiteral(BLENDSCOPE_DATA_DIR));
        if (QFileInfo::exists(candidate)) return candidate;
        if (!dir.cdUp()) break;
    }
    return {};
}

QStringList Registry::defaultFolders() {
    QStringList folders = qEnvironmentVariable("BLENDSCOPE_PLUGIN_PATH").split(QLatin1Char(':'), Qt::SkipEmptyParts);
    folders << libraryFolder() + QStringLiteral("/blendscope/plugins");
    return folders;
}

QStringList Registry::defaultModelFolders() {
    QStringList folders = qEnvironmentVariable("BLENDSCOPE_MODEL_PATH").split(QLatin1Char(':'), Qt::SkipEmptyParts);
    folders << QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) +
                   QStringLiteral("/blendscope/models");
    return folders;
}

Registry::Registry(const QStringList& folders, const QStringList& modelFolders) {
    QSet<QString> seen;
    QString scriptModule;
    for (const QString& root : folders) {
        const QDir dir(root);
        for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
            if (seen.contains(name) || !QFileInfo::exists(dir.filePath(name) + QStringLiteral("/method.json")))
                continue;
            seen.insert(name);
            QJsonObject json;
            MethodInfo info = readFolder(dir.filePath(name), json);
            if (json.value(QStringLiteral("runs")).toString() == kTorchScript) {
                scriptModule = info.module;
            } else {
                m_methods.push_back(std::move(info));
            }
        }
    }
    for (const QString& root : modelFolders) {
        const QDir dir(root);
        for (const QString& name : dir.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name)) {
            QJsonObject json;
            MethodInfo info = readModel(dir.filePath(name), scriptModule, json);
            if (!json.contains(kTorchScript) || seen.contains(info.id)) continue;
            seen.insert(info.id);
            m_methods.push_back(std::move(info));
        }
    }
    std::sort(m_methods.begin(), m_methods.end(), [](const MethodInfo& a, const MethodInfo& b) { return a.id < b.id; });
}

const MethodInfo* Registry::find(const QString& id) const {
    for (const MethodInfo& info : m_methods) {
        if (info.id == id) return &info;
    }
    return nullptr;
}

std::unique_ptr<Method> Registry::create(const QString& id) const {
    const MethodInfo& info = usable(m_methods, id);
    QLibrary library(info.module);
    const auto make = reinterpret_cast<Method* (*)()>(load(library, id).resolve("blendscopeCreateMethod"));
    if (!make) throw MethodError(QStringLiteral("method %1: the module lacks BLENDSCOPE_METHOD").arg(id));
    return std::unique_ptr<Method>(make());
}

std::unique_ptr<TrainableMethod> Registry::createTrainable(const QString& id) const {
    const MethodInfo& info = usable(m_methods, id);
    if (!info.trainable) {
        QStringList those;
        for (const MethodInfo& m : m_methods) {
            if (m.trainable) those << m.id;
        }
        throw UsageError(
            QStringLiteral("%1 cannot be trained; %2 can")
                .arg(id, those.isEmpty() ? QStringLiteral("no method") : those.join(QStringLiteral(", "))));
    }
    QLibrary library(info.module);
    const auto make = reinterpret_cast<TrainableMethod* (*)()>(load(library, id).resolve("blendscopeCreateTrainable"));
    if (!make) throw MethodError(QStringLiteral("method %1: the module lacks BLENDSCOPE_TRAINABLE").arg(id));
    return std::unique_ptr<TrainableMethod>(make());
}

} // namespace blendscope
