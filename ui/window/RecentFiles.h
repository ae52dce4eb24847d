#pragma once

#include <QObject>
#include <QStringList>
#include <vector>

namespace blendscope {

/// What was opened last, newest first: each entry the list of files of one opening. Kept in the user's settings.
class RecentFiles final : public QObject {
    Q_OBJECT

public:
    explicit RecentFiles(QObject* parent = nullptr);
    void add(const QStringList& paths);
    void clear();
    [[nodiscard]] const std::vector<QStringList>& entries() const { return m_entries; }
    [[nodiscard]] static QString title(const QStringList& paths); ///< "img_g.fits + 2 more"

Q_SIGNALS:
    void changed();

private:
    void save() const;
    std::vector<QStringList> m_entries;
};

} // namespace blendscope
