#include "window/BlinkTimer.h"

#include <QSettings>
#include <algorithm>

namespace blendscope {

namespace {

constexpr int kDefaultMs = 700;

QString key() {
    return QStringLiteral("ui/blinkMs");
}

} // namespace

BlinkTimer::BlinkTimer(Document* document, QObject* parent) : QObject(parent), m_document(document) {
    m_timer.setInterval(std::clamp(QSettings().value(key(), kDefaultMs).toInt(), kLeastMs, kMostMs));
    connect(&m_timer, &QTimer::timeout, this, &BlinkTimer::flip);
    connect(m_document, &Document::currentResultChanged, this, [this] {
        const ResultEntry* e = m_document->currentResult();
        const int id = e ? e->id : 0;
        if (id == m_now) return;
        m_before = m_now;
        m_now = id;
    });
    connect(m_document, &Document::currentSceneChanged, this, [this] { setRunning(false); });
}

int BlinkTimer::indexOf(int resultId) const {
    const SceneEntry* s = m_document->current();
    if (!s || resultId == 0) return -1;
    const auto it =
        std::find_if(s->results.begin(), s->results.end(), [resultId](const auto& r) { return r->id == resultId; });
    return it == s->results.end() ? -1 : static_cast<int>(it - s->results.begin());
}

void BlinkTimer::setRunning(bool on) {
    const SceneEntry* s = m_document->current();
    if (on && (!s || s->results.size() < 2)) on = false;
    if (on == running()) return;
    if (on) {
        m_timer.start();
        flip(); // at once: the key did something
    } else {
        m_timer.stop();
    }
    Q_EMIT changed();
}

void BlinkTimer::setIntervalMs(int ms) {
    ms = std::clamp(ms, kLeastMs, kMostMs);
    if (ms == m_timer.interval()) return;
    m_timer.setInterval(ms);
    QSettings().setValue(key(), ms);
    Q_EMIT changed();
}

void BlinkTimer::flip() {
    const SceneEntry* s = m_document->current();
    if (!s || s->results.size() < 2) return setRunning(false);
    const int other = indexOf(m_before);
    if (other >= 0 && other != s->currentResult) {
        m_document->setCurrentResult(other);
    } else {
        m_document->stepResult(1);
    }
}

} // namespace blendscope
