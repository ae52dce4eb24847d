#include "window/RecentFiles.h"

#include <QFileInfo>
#include <QSettings>

namespace blendscope {

namespace {

constexpr std::size_t kMost = 10;
constexpr QChar kBetween(0x1f);

QString key() {
    return QStringLiteral("recent/files");
}

} // namespace

RecentFiles::RecentFiles(QObject* parent) : QObject(parent) {
    const QStringList lines = QSettings().value(key()).toStringList();
    for (const QString& line : lines) {
        const QStringList paths = line.split(kBetween, Qt::SkipEmptyParts);
        if (!paths.isEmpty()) m_entries.push_back(paths);
    }
}

void RecentFiles::add(const QStringList& paths) {
    if (paths.isEmpty()) return;
    QStringList absolute;
    for (const QString& path : paths) {
        // A comma list forces one scene: every part is made absolute.
        QStringList parts;
        for (const QString& part : path.split(QLatin1Char(','))) {
            parts << QFileInfo(part).absoluteFilePath();
        }
        absolute << parts.join(QLatin1Char(','));
    }
    std::erase(m_entries, absolute);
    m_entries.insert(m_entries.begin(), absolute);
    if (m_entries.size() > kMost) m_entries.resize(kMost);
    save();
    Q_EMIT changed();
}

void RecentFiles::clear() {
    m_entries.clear();
    save();
    Q_EMIT changed();
}

void RecentFiles::save() const {
    QStringList lines;
    for (const QStringList& entry : m_entries) {
        lines << entry.join(kBetween);
    }
    QSettings().setValue(key(), lines);
}

QString RecentFiles::title(const QStringList& paths) {
    if (paths.isEmpty()) return {};
    const QString first = QFileInfo(paths.first().section(QLatin1Char(','), 0, 0)).fileName();
    const auto more = paths.size() - 1 + paths.first().count(QLatin1Char(','));
    return more > 0 ? tr("%1 + %2 more").arg(first).arg(more) : first;
}

} // namespace blendscope
