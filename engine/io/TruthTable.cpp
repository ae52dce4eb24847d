#include "io/TruthTable.h"

#include "io/FitsFile.h"
#include "io/SceneNames.h"

#include <QFile>
#include <cmath>

namespace blendscope {

namespace {

bool hasPosition(const Table& table) {
    return table.find(QStringLiteral("x")) && table.find(QStringLiteral("y"));
}

/// CSV columns are text; those of a FITS table that hold words are no numbers.
bool isNumeric(const TableColumn& column) {
    if (!column.isText()) return !std::holds_alternative<TableColumn::Arrays>(column.values);
    for (qsizetype i = 0; i < column.rows(); ++i) {
        if (std::isfinite(column.number(i))) return true;
    }
    return false;
}

} // namespace

std::vector<TruthObject> truthObjects(const Table& table, const std::vector<Band>& bands, const QString& sceneId) {
    const TableColumn *x = table.find(QStringLiteral("x")), *y = table.find(QStringLiteral("y"));
    if (!x || !y) throw ReadError(QStringLiteral("the truth table has no columns x and y"));
    const TableColumn* kind = table.find(QStringLiteral("kind"));
    if (!kind) kind = table.find(QStringLiteral("type"));
    const TableColumn* hlr = table.find(QStringLiteral("hlr"));
    const TableColumn* scene = sceneId.isEmpty() ? nullptr : table.find(QStringLiteral("scene_id"));
    std::vector<const TableColumn*> numbers;
    for (const TableColumn& column : table.columns) {
        if (isNumeric(column)) numbers.push_back(&column);
    }
    std::vector<TruthObject> objects;
    for (qsizetype i = 0; i < table.rows(); ++i) {
        if (scene && scene->text(i).trimmed() != sceneId) continue;
        TruthObject object;
        object.id = static_cast<int>(objects.size()) + 1;
        object.x = x->number(i);
        object.y = y->number(i);
        if (kind && kind->isText()) {
            const QString word = kind->text(i).trimmed().toLower();
            object.kind = word.startsWith(QLatin1String("gal")) ? QStringLiteral("gal") : word;
        }
        if (hlr) object.hlrArcsec = hlr->number(i);
        for (const TableColumn* column : numbers) {
            object.columns.insert(column->name, column->number(i));
        }
        for (const Band& band : bands) {
            double flux = std::numeric_limits<double>::quiet_NaN();
            const TableColumn* direct = table.find(QStringLiteral("flux_") + band.name);
            const TableColumn* magnitude = table.find(QStringLiteral("mag_") + band.name);
            if (direct) {
                flux = direct->number(i);
            } else if (magnitude) {
                flux = std::pow(10.0, -0.4 * (magnitude->number(i) - band.zeroPoint));
            }
            object.flux.push_back(flux);
        }
        objects.push_back(std::move(object));
    }
    return objects;
}

Table readTruthTable(const QString& path) {
    if (looksLikeFits(path)) {
        const FitsFilePtr file = FitsFile::open(path);
        for (const FitsHdu& hdu : file->hdus()) {
            if (hdu.isImage()) continue;
            Table table = file->readTable(hdu);
            if (hasPosition(table)) return table;
        }
        throw ReadError(QStringLiteral("%1 has no table with columns x and y").arg(path));
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    }
    Table table;
    try {
        table = parseCsv(file.readAll());
    } catch (const ReadError& e) {
        throw ReadError(QStringLiteral("%1 is not a table: %2").arg(path, e.message()));
    }
    if (!hasPosition(table)) throw ReadError(QStringLiteral("%1 has no columns x and y").arg(path));
    return table;
}

} // namespace blendscope
