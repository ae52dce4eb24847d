#pragma once

#include <QMetaObject>
#include <QObject>
#include <memory>
#include <mutex>

namespace blendscope {

/// Lets background work reach an object of the GUI thread that may be gone by then.
class Mailbox {
public:
    explicit Mailbox(QObject* target) : m_target(target) {}
    /// Call before the target is destroyed.
    void close() {
        const std::lock_guard lock(m_mutex);
        m_target = nullptr;
    }
    /// Runs `call` in the target's thread later, or never.
    template <typename F>
    void post(F call) {
        const std::lock_guard lock(m_mutex);
        if (m_target) QMetaObject::invokeMethod(m_target, std::move(call), Qt::QueuedConnection);
    }

private:
    std::mutex m_mutex;
    QObject* m_target;
};

using MailboxPtr = std::shared_ptr<Mailbox>;

} // namespace blendscope
