#pragma once

#include "jobs/Progress.h"

#include <QJsonObject>
#include <QString>
#include <atomic>
#include <mutex>
#include <thread>

namespace blendscope::cli {

/// Where a verb speaks: results on standard output; notes, errors and the progress line on standard error. Watches for
/// Ctrl-C and for the end that a scheduler announces (SIGTERM), and turns the first into a request to cancel.
class Console {
public:
    Console();
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    void print(const QString& text); ///< standard output, a line end added where it lacks one
    void printJson(const QJsonObject& json);
    void note(const QString& sentence); ///< one line on standard error

    /// Cancelled by Ctrl-C; every Progress of a verb is made from it.
    [[nodiscard]] const CancelToken& token() const { return m_token; }

    /// Shows how far `progress` is, with the time left, while it lives; only where standard error is a terminal.
    class ProgressLine {
    public:
        ProgressLine(Console& console, const Progress& progress, QString prefix = {});
        ~ProgressLine();
        ProgressLine(const ProgressLine&) = delete;
        ProgressLine& operator=(const ProgressLine&) = delete;

    private:
        Console& m_console;
    };

private:
    void watch();
    void clearLine(); // the caller holds the lock

    CancelToken m_token;
    bool m_terminal = false;
    std::mutex m_mutex;
    const Progress* m_shown = nullptr;
    QString m_prefix;
    bool m_drawn = false;
    std::atomic<bool> m_stop{false};
    std::thread m_watcher;
};

} // namespace blendscope::cli
