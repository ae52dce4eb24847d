#include "Positions.h"

#include "core/Error.h"
#include "io/FitsFile.h"
#include "io/Table.h"

#include <QFile>

namespace blendscope::cli {

namespace {

bool isFits(const QString& path) {
    const QString name = path.toLower();
    for (const char* ending : {".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.fz"}) {
        if (name.endsWith(QLatin1String(ending))) return true;
    }
    return false;
}

UsageError lacks(const QString& path, const QString& what) {
    return UsageError(QStringLiteral("the positions %1 have no columns %2").arg(path, what));
}

} // namespace

Positions Positions::read(const QString& path) {
    Positions positions;
    if (isFits(path)) {
        const FitsFilePtr file = FitsFile::open(path);
        for (const FitsHdu& hdu : file->hdus()) {
            if (hdu.kind != FitsHdu::Kind::Table) continue;
            const Table table = file->readTable(hdu);
            const TableColumn* x = table.find(QStringLiteral("x"));
            const TableColumn* y = table.find(QStringLiteral("y"));
            if (!x || !y || x->isText() || y->isText()) continue;
            positions.take(table);
            return positions;
        }
        throw lacks(path, QStringLiteral("x and y"));
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw ReadError(QStringLiteral("the positions %1 cannot be read: %2").arg(path, file.errorString()));
    }
    Table table;
    try {
        table = parseCsv(file.readAll());
    } catch (const ReadError& e) {
        throw ReadError(QStringLiteral("the positions %1: %2").arg(path, e.message()));
    }
    if (!table.find(QStringLiteral("x")) || !table.find(QStringLiteral("y")))
        throw lacks(path, QStringLiteral("x and y"));
    positions.take(table);
    return positions;
}

void Positions::take(const Table& table) {
    const TableColumn* x = table.find(QStringLiteral("x"));
    const TableColumn* y = table.find(QStringLiteral("y"));
    const TableColumn* scene = table.find(QStringLiteral("scene_id"));
    m_namesScenes = scene != nullptr;
    for (qsizetype i = 0; i < table.rows(); ++i) {
        m_positions[scene ? scene->text(i).trimmed() : QString()].push_back({x->number(i), y->number(i)});
    }
}

std::vector<PixelPosition> Positions::of(const QString& sceneId) const {
    return m_positions.value(m_namesScenes ? sceneId : QString());
}

} // namespace blendscope::cli
