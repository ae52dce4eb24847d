#include "Console.h"

#include <QJsonDocument>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace blendscope::cli {

namespace {

// A signal handler may touch nothing else.
volatile std::sig_atomic_t interrupts = 0;

extern "C" void onInterrupt(int signal) {
    interrupts = interrupts + 1;
    if (interrupts > 1) _exit(128 + signal);
}

QString duration(double seconds) {
    const int s = static_cast<int>(std::lround(seconds));
    if (s < 100) return QStringLiteral("%1 s").arg(s);
    if (s < 6000) return QStringLiteral("%1 min").arg((s + 30) / 60);
    return QStringLiteral("%1 h").arg(seconds / 3600.0, 0, 'f', 1);
}

void writeAll(std::FILE* file, const QString& text) {
    const QByteArray bytes = text.toUtf8();
    std::fwrite(bytes.constData(), 1, static_cast<size_t>(bytes.size()), file);
    std::fflush(file);
}

} // namespace

Console::Console() : m_terminal(isatty(STDERR_FILENO) != 0) {
    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
    std::signal(SIGPIPE, SIG_IGN);
    m_watcher = std::thread([this] { watch(); });
}

Console::~Console() {
    m_stop = true;
    m_watcher.join();
    const std::lock_guard lock(m_mutex);
    clearLine();
}

void Console::watch() {
    for (int tick = 0; !m_stop; ++tick) {
        if (interrupts > 0) m_token.cancel();
        if (m_terminal && tick % 5 == 0) {
            const std::lock_guard lock(m_mutex);
            if (m_shown) {
                const Progress::Snapshot now = m_shown->snapshot();
                QString line = m_prefix + now.what;
                if (now.total > 0) line += QStringLiteral("  %1 of %2").arg(now.done).arg(now.total);
                if (now.secondsLeft >= 0.0) line += QStringLiteral(", %1 left").arg(duration(now.secondsLeft));
                if (m_token.cancelled()) line += QStringLiteral("  (stopping)");
                writeAll(stderr, QStringLiteral("\r\033[K") + line.left(110));
                m_drawn = true;
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(40));
    }
}

void Console::clearLine() {
    if (m_drawn) writeAll(stderr, QStringLiteral("\r\033[K"));
    m_drawn = false;
}

void Console::print(const QString& text) {
    const std::lock_guard lock(m_mutex);
    clearLine();
    writeAll(stdout, text.endsWith(QLatin1Char('\n')) ? text : text + QLatin1Char('\n'));
}

void Console::printJson(const QJsonObject& json) {
    print(QString::fromUtf8(QJsonDocument(json).toJson(QJsonDocument::Indented)));
}

void Console::note(const QString& sentence) {
    const std::lock_guard lock(m_mutex);
    clearLine();
    writeAll(stderr, sentence.simplified() + QLatin1Char('\n'));
}

Console::ProgressLine::ProgressLine(Console& console, const Progress& progress, QString prefix) : m_console(console) {
    const std::lock_guard lock(console.m_mutex);
    console.m_shown = &progress;
    console.m_prefix = std::move(prefix);
}

Console::ProgressLine::~ProgressLine() {
    const std::lock_guard lock(m_console.m_mutex);
    m_console.m_shown = nullptr;
    m_console.clearLine();
}

} // namespace blendscope::cli
