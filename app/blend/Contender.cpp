#include "Contender.h"

#include "io/FitsFile.h"
#include "io/ResultFolder.h"
#include "io/ResultTables.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <cmath>

namespace blendscope::cli {

namespace {

/// "NAME=REST" apart; no name where the text is a file's or has none.
std::pair<QString, QString> nameAndRest(const QString& text) {
    static const QRegularExpression named(QStringLiteral("^([^=/{\"+]+)=(.+)$"));
    const auto match = named.match(text);
    if (!match.hasMatch() || QFileInfo::exists(text)) return {{}, text};
    return {match.captured(1).trimmed(), match.captured(2).trimmed()};
}

/// Text columns that hold nothing but numbers (CSV knows no types) become numbers.
Table withNumbers(Table table) {
    for (TableColumn& column : table.columns) {
        const auto* texts = std::get_if<QStringList>(&column.values);
        if (!texts || column.name.compare(QStringLiteral("scene_id"), Qt::CaseInsensitive) == 0) continue;
        TableColumn::Doubles numbers;
        bool all = true;
        for (const QString& text : *texts) {
            bool ok = false;
            double v = text.toDouble(&ok);
            if (!ok) v = std::nan("");
            const QString lower = text.trimmed().toLower();
            all &= ok || lower.isEmpty() || lower == QLatin1String("nan") || lower == QLatin1String("none");
            numbers.push_back(v);
        }
        if (all) column.values = std::move(numbers);
    }
    return table;
}

Table rowsOf(const Table& table, const std::vector<qsizetype>& rows) {
    Table out;
    out.name = table.name;
    for (const TableColumn& column : table.columns) {
        TableColumn c;
        c.name = column.name.toLower() == QLatin1String("det_id") ? QStringLiteral("id") : column.name;
        std::visit(
            [&](const auto& values) {
                std::decay_t<decltype(values)> part;
                for (const qsizetype r : rows) {
                    part.push_back(values[static_cast<std::decay_t<decltype(values.size())>>(r)]);
                }
                c.values = std::move(part);
            },
            column.values);
        out.columns.push_back(std::move(c));
    }
    return out;
}

bool isFits(const QString& path) {
    static const QRegularExpression ending(QStringLiteral("\\.(fits|fit|fts)(\\.gz|\\.fz)?$"),
                                           QRegularExpression::CaseInsensitiveOption);
    return ending.match(path).hasMatch();
}

} // namespace

Contender Contender::fromPipeline(const QString& text) {
    const auto [name, rest] = nameAndRest(text);
    Contender c;
    c.m_pipeline = Pipeline::parse(rest);
    c.m_name = !name.isEmpty() ? name : QFileInfo(rest).isFile() ? QFileInfo(rest).completeBaseName() : rest;
    return c;
}

Contender Contender::fromResults(const QString& text) {
    const auto [name, rest] = nameAndRest(text);
    Contender c;
    c.m_name = name.isEmpty() ? QFileInfo(QDir::cleanPath(rest)).completeBaseName() : name;
    if (QFileInfo(rest).isDir()) {
        c.m_folder = rest;
    } else if (QFileInfo(rest).isFile()) {
        c.readCatalogue(rest);
    } else {
        throw UsageError(QStringLiteral("--results %1: there is no folder or file %2").arg(text, rest));
    }
    return c;
}

void Contender::readCatalogue(const QString& path) {
    m_catalogue = path;
    Table table;
    if (isFits(path)) {
        const FitsFilePtr file = FitsFile::open(path);
        for (const FitsHdu& hdu : file->hdus()) {
            if (hdu.kind != FitsHdu::Kind::Table) continue;
            table = file->readTable(hdu);
            if (table.find(QStringLiteral("x")) && table.find(QStringLiteral("y"))) break;
        }
    } else {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly))
            throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
        try {
            table = withNumbers(parseCsv(file.readAll()));
        } catch (const ReadError& e) {
            throw ReadError(QStringLiteral("%1: %2").arg(path, e.message()));
        }
    }
    const TableColumn *x = table.find(QStringLiteral("x")), *y = table.find(QStringLiteral("y"));
    if (!x || !y || x->isText() || y->isText())
        throw UsageError(QStringLiteral("the catalogue %1 has no columns x and y of numbers").arg(path));
    const TableColumn* scene = table.find(QStringLiteral("scene_id"));
    QMap<QString, std::vector<qsizetype>> rows;
    for (qsizetype i = 0; i < table.rows(); ++i) {
        rows[scene ? scene->text(i).trimmed() : QString()].push_back(i);
    }
    for (auto it = rows.begin(); it != rows.end(); ++it) {
        m_rowsOfScene.insert(it.key(), rowsOf(table, it.value()));
    }
}

QJsonObject Contender::definition() const {
    if (runs()) return m_pipeline.toJson();
    return {{QStringLiteral("results"), m_folder.isEmpty() ? m_catalogue : m_folder}};
}

ResultPtr Contender::resultFor(const Scene& scene, const Registry& registry, Progress& progress,
                               const RunOptions& options) const {
    if (runs()) {
        ResultPtr result = runPipeline(scene, m_pipeline, registry, progress, options);
        progress.check();
        return result;
    }
    if (!m_folder.isEmpty()) {
        const QDir dir(m_folder);
        for (const QString& name : {scene.id, scene.id.section(QLatin1Char('.'), 0, 0)}) {
            const QString own = dir.filePath(QString(name).replace(QLatin1Char('/'), QLatin1Char('_')));
            if (QFileInfo::exists(own + QStringLiteral("/catalog.fits"))) return readResult(scene, own);
        }
        if (dir.exists(QStringLiteral("catalog.fits"))) return readResult(scene, m_folder);
        throw ReadError(QStringLiteral("%1 holds no result of scene %2").arg(m_folder, scene.id));
    }
    Result result;
    result.sceneId = scene.id;
    result.bands = scene.bandNames();
    const auto it =
        m_rowsOfScene.contains(scene.id) ? m_rowsOfScene.constFind(scene.id) : m_rowsOfScene.constFind(QString());
    if (it == m_rowsOfScene.constEnd()) return std::make_shared<const Result>(std::move(result));
    tables::readCatalog(*it, result);
    bool numbered = true;
    for (size_t i = 0; i < result.objects.size(); ++i) {
        numbered &= result.objects[i].id > 0 && (i == 0 || result.objects[i].id != result.objects[i - 1].id);
    }
    for (size_t i = 0; !numbered && i < result.objects.size(); ++i) {
        result.objects[i].id = static_cast<int>(i) + 1;
    }
    return std::make_shared<const Result>(std::move(result));
}

void assignSettings(std::vector<Contender>& contenders, const QStringList& assignments) {
    static const QRegularExpression form(QStringLiteral("^(?:([^:=]+):)?([A-Za-z0-9_]+)\\.([^=]+)=(.*)$"));
    for (const QString& assignment : assignments) {
        const auto match = form.match(assignment);
        if (!match.hasMatch()) {
            throw UsageError(
                QStringLiteral("--set %1: wanted METHOD.KEY=VALUE, or NAME:METHOD.KEY=VALUE for one of the "
                               "pipelines")
                    .arg(assignment));
        }
        const QString name = match.captured(1), method = match.captured(2);
        const QString setting = assignment.mid(match.capturedStart(2));
        bool used = false;
        for (Contender& c : contenders) {
            if (!c.runs() || (!name.isEmpty() && c.name() != name)) continue;
            bool takes = method == QLatin1String("pipeline");
            for (const Pipeline::Stage& stage : c.pipeline().stages) {
                takes |= stage.method == method;
            }
            if (!takes) continue;
            c.pipeline().set(setting);
            used = true;
        }
        if (!used) throw UsageError(QStringLiteral("no pipeline takes --set %1").arg(assignment));
    }
}

} // namespace blendscope::cli
