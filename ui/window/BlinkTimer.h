#pragma once

#include "document/Document.h"

#include <QObject>
#include <QTimer>

namespace blendscope {

/// Flips between two results of the scene by the clock: the one that is shown and the one that was shown before it.
/// Stops by itself where one of them goes or another scene is shown. The interval is remembered.
class BlinkTimer final : public QObject {
    Q_OBJECT

public:
    static constexpr int kLeastMs = 100, kMostMs = 5000;

    explicit BlinkTimer(Document* document, QObject* parent = nullptr);
    [[nodiscard]] bool running() const { return m_timer.isActive(); }
    void setRunning(bool on);
    [[nodiscard]] int intervalMs() const { return m_timer.interval(); }
    void setIntervalMs(int ms); ///< kept within the limits

Q_SIGNALS:
    void changed(); ///< started, stopped, or another interval

private:
    [[nodiscard]] int indexOf(int resultId) const; ///< in the current scene, -1 = gone
    void flip();

    Document* m_document;
    QTimer m_timer;
    int m_now = 0, m_before = 0; ///< ids of the result shown and of the one before
};

} // namespace blendscope
