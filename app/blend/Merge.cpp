#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"
#include "io/Table.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QRegularExpression>
#include <QSaveFile>
#include <map>

namespace blendscope::cli {

int runMerge(const QStringList& words, Console& console) {
    Arguments arguments(
        QStringLiteral("merge"), QStringLiteral("DIR"),
        QStringLiteral("Joins catalog.0.csv, catalog.1.csv, ... that blend run --shard wrote in DIR to catalog.csv."),
        {});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().size() != 1) throw UsageError(QStringLiteral("blend merge needs one folder"));
    const QDir dir(arguments.words().first());
    if (!dir.exists()) throw ReadError(QStringLiteral("the folder %1 does not exist").arg(dir.path()));

    static const QRegularExpression pattern(QStringLiteral("^catalog\\.(\\d+)\\.csv$"));
    std::map<int, QString> shards;
    for (const QString& name : dir.entryList(QDir::Files)) {
        const QRegularExpressionMatch match = pattern.match(name);
        if (match.hasMatch()) shards[match.captured(1).toInt()] = name;
    }
    if (shards.empty()) throw ReadError(QStringLiteral("%1 holds no catalog.<i>.csv to join").arg(dir.path()));
    // A gap in the numbers is a shard that has not ended: joining would lose its scenes without a word.
    if (shards.rbegin()->first != static_cast<int>(shards.size()) - 1) {
        throw ReadError(QStringLiteral("a shard is missing in %1: the last is %2, but there are %3")
                            .arg(dir.path(), shards.rbegin()->second)
                            .arg(shards.size()));
    }
    std::vector<QStringList> tables;
    QJsonArray names;
    for (const auto& [number, name] : shards) {
        QFile file(dir.filePath(name));
        if (!file.open(QIODevice::ReadOnly)) {
            throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(file.fileName(), file.errorString()));
        }
        tables.push_back(QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'), Qt::SkipEmptyParts));
        names.append(name);
    }
    const QStringList lines = joinCsv(tables);
    QSaveFile out(dir.filePath(QStringLiteral("catalog.csv")));
    const QByteArray bytes = (lines.join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8();
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(out.fileName(), out.errorString()));
    }
    const qsizetype rows = std::max<qsizetype>(0, lines.size() - 1);
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("catalog"), out.fileName()},
                           {QStringLiteral("shards"), names},
                           {QStringLiteral("rows"), rows}});
    } else {
        console.print(QStringLiteral("%1: %2 rows of %3 shards").arg(out.fileName()).arg(rows).arg(shards.size()));
    }
    return 0;
}

} // namespace blendscope::cli
