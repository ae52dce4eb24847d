#pragma once

#include <QByteArray>
#include <QMainWindow>
#include <QMap>
#include <QString>

class QHeaderView;

namespace blendscope {

/// Remembers how a person arranged the window: its place and size, docks (one arrangement a mode), columns of tables
/// and which sections of the panels are closed. Written when the window closes, or a mode or the last scene is left.
class LayoutKeeper {
public:
    explicit LayoutKeeper(QMainWindow* window) : m_window(window) {}

    /// Off for unattended runs: nothing is read or written.
    void setOn(bool on) { m_on = on; }
    void addHeader(const QString& name, QHeaderView* header) { m_headers.insert(name, header); }

    /// The window's place and size, columns and sections; call once, when the window is whole.
    void restoreWindow();
    /// The arrangement of docks of a mode; false if there is none that fits this version.
    bool restoreDocks(const QString& mode);
    /// Takes the arrangement of docks of a mode, while they are shown.
    void keepDocks(const QString& mode);
    void save() const;
    /// Forgets everything; the window is left as it is, but for sections, which open.
    void forget();

private:
    QMainWindow* m_window;
    bool m_on = true;
    QMap<QString, QByteArray> m_docks; ///< by mode, of this session
    QMap<QString, QHeaderView*> m_headers;
};

} // namespace blendscope
