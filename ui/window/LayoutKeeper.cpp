#include "window/LayoutKeeper.h"

#include "panels/Section.h"

#include <QHeaderView>
#include <QSettings>

namespace blendscope {

namespace {

constexpr int kVersion = 1; ///< of the set of docks and tool bars

QString key(const char* what, const QString& name = {}) {
    return QStringLiteral("layout/%1%2").arg(QLatin1String(what), name.isEmpty() ? name : QLatin1Char('/') + name);
}

} // namespace

void LayoutKeeper::restoreWindow() {
    if (!m_on) return;
    const QSettings settings;
    m_window->restoreGeometry(settings.value(key("geometry")).toByteArray());
    for (auto it = m_headers.begin(); it != m_headers.end(); ++it) {
        const QByteArray state = settings.value(key("header", it.key())).toByteArray();
        if (!state.isEmpty()) it.value()->restoreState(state);
    }
    const QStringList closed = settings.value(key("closed")).toStringList();
    const QStringList opened = settings.value(key("opened")).toStringList();
    for (Section* section : m_window->findChildren<Section*>()) {
        if (closed.contains(section->objectName())) section->setOpen(false);
        if (opened.contains(section->objectName())) section->setOpen(true);
    }
}

bool LayoutKeeper::restoreDocks(const QString& mode) {
    QByteArray state = m_docks.value(mode);
    if (state.isEmpty() && m_on) state = QSettings().value(key("docks", mode)).toByteArray();
    return !state.isEmpty() && m_window->restoreState(state, kVersion);
}

void LayoutKeeper::keepDocks(const QString& mode) {
    m_docks.insert(mode, m_window->saveState(kVersion));
}

void LayoutKeeper::save() const {
    if (!m_on) return;
    QSettings settings;
    settings.setValue(key("geometry"), m_window->saveGeometry());
    for (auto it = m_docks.begin(); it != m_docks.end(); ++it) {
        settings.setValue(key("docks", it.key()), it.value());
    }
    for (auto it = m_headers.begin(); it != m_headers.end(); ++it) {
        settings.setValue(key("header", it.key()), it.value()->saveState());
    }
    QStringList closed, opened;
    for (const Section* section : m_window->findChildren<Section*>()) {
        if (!section->objectName().isEmpty()) (section->isOpen() ? opened : closed) << section->objectName();
    }
    settings.setValue(key("closed"), closed);
    settings.setValue(key("opened"), opened);
}

void LayoutKeeper::forget() {
    m_docks.clear();
    for (Section* section : m_window->findChildren<Section*>()) {
        section->setOpen(true);
    }
    if (m_on) QSettings().remove(QStringLiteral("layout"));
}

} // namespace blendscope
