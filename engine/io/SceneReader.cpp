#include "io/SceneReader.h"

#include "io/FitsFile.h"
#include "io/SceneAssembler.h"
#include "io/SceneNames.h"
#include "jobs/Progress.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QTextStream>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace blendscope {

namespace {

/// One entry of what was given: a file, or files that were joined by commas.
struct Given {
    QStringList files;
    bool forced = false; ///< joined by commas: one scene whatever the names say
};

void expand(const QString& path, std::vector<Given>& out, int depth) {
    const QFileInfo info(path);
    if (info.isDir()) {
        const QFileInfoList entries =
            QDir(path).entryInfoList(QDir::Files | QDir::Readable, QDir::Name | QDir::LocaleAware);
        std::size_t found = 0;
        for (const QFileInfo& entry : entries) {
            if (!looksLikeFits(entry.fileName())) continue;
            out.push_back({{entry.filePath()}, false});
            ++found;
        }
        if (found == 0) throw ReadError(QStringLiteral("the folder %1 holds no FITS files").arg(path));
        return;
    }
    if (!info.exists() && path.contains(QLatin1Char(','))) {
        Given joined;
        joined.forced = true;
        for (const QString& part : path.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
            if (!QFileInfo::exists(part.trimmed())) {
                throw ReadError(QStringLiteral("%1 does not exist").arg(part.trimmed()));
            }
            joined.files << part.trimmed();
        }
        if (joined.files.isEmpty()) throw ReadError(QStringLiteral("\"%1\" names no file").arg(path));
        out.push_back(joined);
        return;
    }
    if (!info.exists()) throw ReadError(QStringLiteral("%1 does not exist").arg(path));
    const QString ending = info.suffix().toLower();
    if (ending == QLatin1String("txt") || ending == QLatin1String("lst") || ending == QLatin1String("list")) {
        if (depth > 3) throw ReadError(QStringLiteral("%1: list files name each other in circles").arg(path));
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly | QIODevice::Text)) {
            throw ReadError(QStringLiteral("%1 cannot be opened: %2").arg(path, file.errorString()));
        }
        QTextStream text(&file);
        std::size_t before = out.size();
        while (!text.atEnd()) {
            QString line = text.readLine().trimmed();
            if (line.isEmpty() || line.startsWith(QLatin1Char('#'))) continue;
            // Names are relative to the list, as its writer saw them; else to the working folder.
            QStringList parts;
            for (const QString& part : line.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
                const QString beside = info.dir().filePath(part.trimmed());
                parts << (QFileInfo::exists(beside) ? beside : part.trimmed());
            }
            expand(parts.join(QLatin1Char(',')), out, depth + 1);
        }
        if (out.size() == before) throw ReadError(QStringLiteral("%1 lists no files").arg(path));
        return;
    }
    out.push_back({{path}, false});
}

QString folderName(const QString& path) {
    const QString name = QFileInfo(path).absoluteDir().dirName();
    return name.isEmpty() ? QStringLiteral("scene") : name;
}

/// Files that differ only in band and role, before their headers were looked at.
struct Group {
    struct Member {
        QString path;
        SceneFileName name;
    };
    std::vector<Member> members;
    std::size_t first = 0; ///< place in the order given
    bool hasImage = false;
};

/// Splits a group by what its files hold: files of several bands stand alone, single bands go by pixel grid.
void splitByGrid(const Group& group, std::vector<std::pair<std::size_t, SceneFiles>>& out) {
    const QString stem = group.members.front().name.stem;
    const QString id = stem.isEmpty() ? folderName(group.members.front().path) : stem;
    if (group.members.size() == 1) {
        out.emplace_back(group.first, SceneFiles{id, {group.members.front().path}});
        return;
    }
    struct Grid {
        cv::Size size;
        double scale = 0.0;
        QStringList files;
        std::set<QString> bands;
    };
    std::vector<Grid> grids;
    std::vector<const Group::Member*> others;
    for (const Group::Member& m : group.members) {
        if (m.name.hasRole) {
            others.push_back(&m);
            continue;
        }
        SceneAssembler::Overview seen;
        try {
            seen = SceneAssembler::overview(*FitsFile::open(m.path));
        } catch (const ReadError&) {
            // Opening the scene says what is wrong; until then the file goes by its name.
        }
        if (seen.imagePlanes > 1 && !m.name.band.isEmpty()) {
            out.emplace_back(group.first, SceneFiles{m.name.whole, {m.path}});
            continue;
        }
        auto it = std::find_if(grids.begin(), grids.end(), [&](const Grid& g) {
            return (seen.size.empty() || g.size == seen.size) &&
                   (g.scale <= 0.0 || seen.pixelScale <= 0.0 || std::abs(g.scale / seen.pixelScale - 1.0) < 0.01);
        });
        if (it == grids.end()) {
            grids.push_back({seen.size, seen.pixelScale, {}, {}});
            it = grids.end() - 1;
        }
        it->files << m.path;
        it->bands.insert(m.name.band.toLower());
    }
    for (const Group::Member* m : others) {
        // To the grid that has its band; without a band to all of them: openScene checks shapes.
        bool taken = false;
        for (Grid& g : grids) {
            if (m->name.band.isEmpty() || g.bands.contains(m->name.band.toLower())) {
                g.files << m->path;
                taken = true;
            }
        }
        if (!taken && !grids.empty()) grids.front().files << m->path;
        if (grids.empty()) out.emplace_back(group.first, SceneFiles{m->name.whole, {m->path}});
    }
    for (std::size_t i = 0; i < grids.size(); ++i) {
        QString own = id;
        if (grids.size() > 1) {
            own += QStringLiteral("_%1x%2").arg(grids[i].size.width).arg(grids[i].size.height);
            for (std::size_t j = 0; j < i; ++j) {
                if (grids[j].size == grids[i].size) own += QStringLiteral("_%1").arg(i + 1);
            }
        }
        out.emplace_back(group.first, SceneFiles{own, grids[i].files});
    }
}

} // namespace

QJsonObject toJson(const OpenOptions& options) {
    QJsonObject json, zeroPoint, psf;
    for (auto it = options.zeroPoint.begin(); it != options.zeroPoint.end(); ++it) {
        zeroPoint.insert(it.key(), it.value());
    }
    for (auto it = options.psf.begin(); it != options.psf.end(); ++it) {
        psf.insert(it.key(), it.value());
    }
    if (!options.bands.isEmpty()) json.insert(QStringLiteral("bands"), QJsonArray::fromStringList(options.bands));
    if (!zeroPoint.isEmpty()) json.insert(QStringLiteral("zeropoint"), zeroPoint);
    if (!psf.isEmpty()) json.insert(QStringLiteral("psf"), psf);
    if (options.resample) json.insert(QStringLiteral("resample"), true);
    if (!options.name.isEmpty()) json.insert(QStringLiteral("name"), options.name);
    return json;
}

OpenOptions openOptionsFromJson(const QJsonObject& json) {
    OpenOptions options;
    for (const QJsonValue band : json.value(QStringLiteral("bands")).toArray()) {
        options.bands << band.toString();
    }
    const QJsonObject zeroPoint = json.value(QStringLiteral("zeropoint")).toObject();
    for (auto it = zeroPoint.begin(); it != zeroPoint.end(); ++it) {
        if (it.value().isDouble()) options.zeroPoint.insert(it.key(), it.value().toDouble());
    }
    const QJsonObject psf = json.value(QStringLiteral("psf")).toObject();
    for (auto it = psf.begin(); it != psf.end(); ++it) {
        if (it.value().isString()) options.psf.insert(it.key(), it.value().toString());
    }
    options.resample = json.value(QStringLiteral("resample")).toBool();
    options.name = json.value(QStringLiteral("name")).toString();
    return options;
}

std::vector<SceneFiles> groupSceneFiles(const QStringList& paths, const OpenOptions& options) {
    std::vector<Given> given;
    for (const QString& path : paths) {
        expand(path, given, 0);
    }
    if (given.empty()) throw UsageError(QStringLiteral("no file was given"));

    std::vector<std::pair<std::size_t, SceneFiles>> found;
    std::map<std::pair<QString, QString>, Group> groups; // folder, stem
    std::set<QString> seen;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i].forced) {
            const SceneFileName name = parseFileName(given[i].files.front());
            const QString id = name.stem.isEmpty() ? folderName(given[i].files.front()) : name.stem;
            found.emplace_back(i, SceneFiles{id, given[i].files});
            continue;
        }
        const QString path = given[i].files.front();
        if (!seen.insert(QFileInfo(path).absoluteFilePath()).second) continue; // given twice
        const SceneFileName name = parseFileName(path);
        auto& group = groups[{QFileInfo(path).absolutePath(), name.stem.toLower()}];
        if (group.members.empty()) group.first = i;
        group.hasImage = group.hasImage || !name.hasRole;
        group.members.push_back({path, name});
    }
    // PSF_HSC.fits beside Cut_HSC1.fits: a file of another role joins the one group whose name holds its own.
    for (auto it = groups.begin(); it != groups.end();) {
        const auto& [key, group] = *it;
        if (group.hasImage) {
            ++it;
            continue;
        }
        Group* home = nullptr;
        int homes = 0, images = 0;
        Group* only = nullptr;
        for (auto& [otherKey, other] : groups) {
            if (!other.hasImage || otherKey.first != key.first) continue;
            ++images;
            only = &other;
            if (key.second.isEmpty() || !otherKey.second.contains(key.second)) continue;
            home = &other;
            ++homes;
        }
        if (homes == 0 && images == 1) {
            home = only;
            homes = 1;
        }
        if (homes != 1) {
            ++it;
            continue;
        }
        for (const Group::Member& m : group.members) {
            home->members.push_back(m);
        }
        it = groups.erase(it);
    }
    for (auto& [key, group] : groups) {
        if (!group.hasImage) {
            // Nothing here to be the variance or mask of: each is looked at for itself.
            for (const Group::Member& m : group.members) {
                found.emplace_back(group.first, SceneFiles{m.name.whole, {m.path}});
            }
            continue;
        }
        splitByGrid(group, found);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

    std::vector<SceneFiles> scenes;
    scenes.reserve(found.size());
    for (auto& [place, files] : found) {
        scenes.push_back(std::move(files));
    }
    if (!options.name.isEmpty()) {
        if (scenes.size() != 1) {
            throw UsageError(
                QStringLiteral("--name %1 needs one scene, but %2 come out").arg(options.name).arg(scenes.size()));
        }
        scenes.front().id = options.name;
    }
    std::map<QString, const SceneFiles*> ids;
    for (const SceneFiles& s : scenes) {
        const auto [it, isNew] = ids.emplace(s.id, &s);
        if (!isNew) {
            throw UsageError(QStringLiteral("two scenes would be called %1 (%2 and %3): open them apart with --name")
                                 .arg(s.id, it->second->files.front(), s.files.front()));
        }
    }
    return scenes;
}

std::vector<ScenePtr> openScene(const SceneFiles& files, const OpenOptions& options, Progress* progress) {
    return SceneAssembler(files, options, progress).assemble();
}

std::vector<ScenePtr> openScenes(const QStringList& paths, const OpenOptions& options, Progress* progress) {
    const std::vector<SceneFiles> groups = groupSceneFiles(paths, options);
    if (progress) progress->begin(QStringLiteral("opening"), static_cast<long long>(groups.size()));
    std::vector<ScenePtr> scenes;
    for (const SceneFiles& group : groups) {
        for (ScenePtr& scene : openScene(group, options, progress)) {
            scenes.push_back(std::move(scene));
        }
        if (progress) progress->advance();
    }
    return scenes;
}

QString readHeaderText(const QString& path, int hdu) {
    return FitsFile::open(path)->hdu(hdu).header.text();
}

} // namespace blendscope
