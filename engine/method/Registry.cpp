#include "method/Registry.h"

#include "core/Error.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLibrary>
#include <QSet>
#include <dlfcn.h>

namespace blendscope {

namespace {

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

MethodInfo readInfo(const QString& folder) {
    MethodInfo info;
    info.folder = folder;
    info.id = QFileInfo(folder).fileName();
    info.title = info.id;
    QFile file(folder + QStringLiteral("/method.json"));
    if (!file.open(QIODevice::ReadOnly)) {
        info.problem = QStringLiteral("method.json cannot be read: ") + file.errorString();
        return info;
    }
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
    if (!document.isObject()) {
        info.problem = QStringLiteral("method.json is not a JSON object: ") + error.errorString();
        return info;
    }
    const QJsonObject json = document.object();
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
        info.problem = QStringLiteral("method.json: ") + e.message();
        return info;
    }
    if (!QFileInfo::exists(folder + QStringLiteral("/%1.so").arg(info.id))) {
        info.problem = QStringLiteral("the module %1.so is missing").arg(info.id);
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

Registry::Registry(const QStringList& folders) {
    QSet<QString> seen;
    for (const QString& root : folders) {
        const QDir dir(root);
        for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
            if (seen.contains(name) || !QFileInfo::exists(dir.filePath(name) + QStringLiteral("/method.json")))
                continue;
            seen.insert(name);
            m_methods.push_back(readInfo(dir.filePath(name)));
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
    QLibrary library(info.folder + QStringLiteral("/%1.so").arg(id));
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
    QLibrary library(info.folder + QStringLiteral("/%1.so").arg(id));
    const auto make = reinterpret_cast<TrainableMethod* (*)()>(load(library, id).resolve("blendscopeCreateTrainable"));
    if (!make) throw MethodError(QStringLiteral("method %1: the module lacks BLENDSCOPE_TRAINABLE").arg(id));
    return std::unique_ptr<TrainableMethod>(make());
}

} // namespace blendscope
