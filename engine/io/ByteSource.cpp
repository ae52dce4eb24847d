#include "io/ByteSource.h"

#include <QDir>
#include <QFile>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include <zlib.h>

namespace blendscope {

namespace {

constexpr long long kInMemory = 8ll << 20; // inflated files up to this size stay in memory
constexpr std::size_t kChunk = 1u << 18;

QString systemError() {
    return QString::fromLocal8Bit(std::strerror(errno));
}

/// Closes a descriptor at the end of a scope.
struct Descriptor {
    int fd = -1;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int release() { return std::exchange(fd, -1); }
};

std::size_t readSome(int fd, void* to, std::size_t bytes, const QString& path) {
    for (;;) {
        const ssize_t n = ::read(fd, to, bytes);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, systemError()));
    }
}

} // namespace

/// Takes inflated bytes: memory first, then a nameless temporary file.
class ByteSource::Sink {
public:
    Sink(const QString& path, const QByteArray& magic, long long most) : m_path(path), m_magic(magic), m_most(most) {}

    void write(const unsigned char* from, std::size_t bytes) {
        const bool begins = m_total < m_magic.size();
        m_total += static_cast<long long>(bytes);
        if (m_total > m_most) {
            throw ReadError(QStringLiteral("%1 inflates to more than %2 GB: refused").arg(m_path).arg(m_most >> 30));
        }
        if (m_file.fd < 0) {
            m_memory.append(reinterpret_cast<const char*>(from), static_cast<qsizetype>(bytes));
            if (begins && m_memory.size() >= m_magic.size()) checkMagic();
            if (m_memory.size() > kInMemory) spill();
        } else {
            append(from, bytes);
        }
    }
    void checkMagic() const {
        if (!m_memory.startsWith(m_magic) && m_file.fd < 0) {
            throw ReadError(QStringLiteral("%1 is not a FITS file inside its compression").arg(m_path));
        }
    }
    [[nodiscard]] long long total() const { return m_total; }
    QByteArray takeMemory() { return std::move(m_memory); }
    int takeFile() { return m_file.release(); }

private:
    void spill() {
        QByteArray name = QFile::encodeName(QDir::tempPath() + QStringLiteral("/blendscope-XXXXXX"));
        m_file.fd = ::mkostemp(name.data(), O_CLOEXEC);
        if (m_file.fd < 0) {
            throw ReadError(
                QStringLiteral("%1 cannot be inflated into %2: %3").arg(m_path, QDir::tempPath(), systemError()));
        }
        ::unlink(name.constData());
        const QByteArray held = std::move(m_memory);
        m_memory = QByteArray();
        append(reinterpret_cast<const unsigned char*>(held.constData()), static_cast<std::size_t>(held.size()));
    }
    void append(const unsigned char* from, std::size_t bytes) {
        while (bytes > 0) {
            const ssize_t n = ::write(m_file.fd, from, bytes);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) {
                throw ReadError(
                    QStringLiteral("%1 cannot be inflated into %2: %3").arg(m_path, QDir::tempPath(), systemError()));
            }
            from += n;
            bytes -= static_cast<std::size_t>(n);
        }
    }

    QString m_path;
    QByteArray m_magic;
    long long m_most;
    long long m_total = 0;
    QByteArray m_memory;
    Descriptor m_file;
};

long long ByteSource::limit(long long compressedBytes) {
    return std::max(4ll << 30, 20 * compressedBytes);
}

ByteSource::ByteSource(const QString& path, const QByteArray& magic) : m_path(path) {
    Descriptor file;
    // Non-blocking, so that a pipe under a FITS name is refused instead of waited for.
    file.fd = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file.fd < 0) throw ReadError(QStringLiteral("%1 cannot be opened: %2").arg(path, systemError()));
    struct stat info {};
    if (::fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        throw ReadError(QStringLiteral("%1 is not a file").arg(path));
    }
    m_size = info.st_size;
    if (m_size == 0) throw ReadError(QStringLiteral("%1 is empty").arg(path));

    unsigned char head[64] = {};
    const ssize_t got = ::pread(file.fd, head, sizeof head, 0);
    if (got < 0) throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, systemError()));
    const QByteArray start(reinterpret_cast<const char*>(head), static_cast<qsizetype>(got));
    const bool gzip = got > 2 && head[0] == 0x1f && head[1] == 0x8b;
    const bool lzw = got > 2 && head[0] == 0x1f && head[1] == 0x9d;
    if (gzip || lzw) {
        Sink sink(path, magic, limit(m_size));
        gzip ? inflateGzip(file.fd, sink) : inflateLzw(file.fd, sink);
        sink.checkMagic();
        m_size = sink.total();
        m_fd = sink.takeFile();
        m_memory = sink.takeMemory();
        m_plain = false;
        return;
    }
    if (!start.startsWith(magic)) {
        QString why = QStringLiteral("%1 is not a FITS file").arg(path);
        if (start.startsWith("version https://git-lfs")) {
            why += QStringLiteral(": it is a Git LFS pointer, the data were never fetched (git lfs pull)");
        } else if (start.startsWith("BZh") ||
                   start.startsWith("\xfd"
                                    "7zXZ") ||
                   start.startsWith("PK\x03\x04")) {
            why += QStringLiteral(": it is compressed in a way that is not read (only .gz, .Z and .fz are)");
        }
        throw ReadError(why);
    }
    m_fd = file.release();
}

ByteSource::~ByteSource() {
    if (m_fd >= 0) ::close(m_fd);
}

QByteArray ByteSource::readableName() const {
    return m_plain ? QFile::encodeName(m_path) : QByteArray("/proc/self/fd/") + QByteArray::number(m_fd);
}

void ByteSource::read(long long offset, void* to, std::size_t bytes) const {
    if (offset < 0 || offset > m_size || static_cast<unsigned long long>(m_size - offset) < bytes) {
        throw ReadError(QStringLiteral("%1 is truncated: it ends after %2 bytes").arg(m_path).arg(m_size));
    }
    if (m_fd < 0) {
        std::memcpy(to, m_memory.constData() + offset, bytes);
        return;
    }
    auto* target = static_cast<char*>(to);
    while (bytes > 0) {
        const ssize_t n = ::pread(m_fd, target, bytes, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(m_path, systemError()));
        if (n == 0) throw ReadError(QStringLiteral("%1 became shorter while it was open").arg(m_path));
        target += n;
        offset += n;
        bytes -= static_cast<std::size_t>(n);
    }
}

void ByteSource::inflateGzip(int fd, Sink& sink) const {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw ReadError(QStringLiteral("%1: zlib does not start").arg(m_path));
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
    std::vector<unsigned char> in(kChunk), out(4 * kChunk);
    bool memberOpen = true; // between members only another gzip header may follow
    for (;;) {
        if (stream.avail_in == 0) {
            const std::size_t n = readSome(fd, in.data(), in.size(), m_path);
            if (n == 0) break;
            stream.next_in = in.data();
            stream.avail_in = static_cast<uInt>(n);
        }
        if (!memberOpen) {
            // Some writers pad the end with zeros.
            if (stream.next_in[0] != 0x1f) return;
            inflateReset(&stream);
            memberOpen = true;
        }
        stream.next_out = out.data();
        stream.avail_out = static_cast<uInt>(out.size());
        const int status = inflate(&stream, Z_NO_FLUSH);
        sink.write(out.data(), out.size() - stream.avail_out);
        if (status == Z_STREAM_END) {
            memberOpen = false;
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            throw ReadError(QStringLiteral("%1 is damaged: its gzip stream cannot be inflated").arg(m_path));
        }
    }
    if (memberOpen) throw ReadError(QStringLiteral("%1 is truncated: its gzip stream ends early").arg(m_path));
}

void ByteSource::inflateLzw(int fd, Sink& sink) const {
    // The format of Unix compress: codes of 9 to 16 bits, least significant bit first, in groups of eight codes.
    std::vector<unsigned char> bytes;
    for (std::vector<unsigned char> in(kChunk);;) {
        const std::size_t n = readSome(fd, in.data(), in.size(), m_path);
        if (n == 0) break;
        bytes.insert(bytes.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(n));
        if (bytes.size() > (1u << 30)) throw ReadError(QStringLiteral("%1 is too large for .Z").arg(m_path));
    }
    const auto damaged = [this] {
        return ReadError(QStringLiteral("%1 is damaged: its .Z stream cannot be inflated").arg(m_path));
    };
    if (bytes.size() < 4) throw damaged();
    const int mostBits = bytes[2] & 0x1f;
    const bool blockMode = bytes[2] & 0x80;
    if (mostBits < 9 || mostBits > 16) throw damaged();
    std::vector<unsigned short> prefix(1u << mostBits, 0);
    std::vector<unsigned char> suffix(1u << mostBits, 0), stack;
    const unsigned clearCode = 256;
    unsigned next = blockMode ? 257 : 256;
    int bits = 9;
    std::size_t position = 3, groupStart = 3;
    unsigned previous = 0;
    unsigned char first = 0;
    bool havePrevious = false;
    std::size_t bitOffset = 0; // inside the current run of codes of one width
    std::vector<unsigned char> out;
    const auto newWidth = [&] {
        // The writer fills groups of `bits` bytes: the rest of the group is padding.
        const std::size_t used = (bitOffset + 7) / 8;
        const auto group = static_cast<std::size_t>(bits);
        position = groupStart + (used + group - 1) / group * group;
        groupStart = position;
        bitOffset = 0;
    };
    for (;;) {
        const std::size_t at = groupStart + bitOffset / 8;
        if (at * 8 + bitOffset % 8 + static_cast<std::size_t>(bits) > bytes.size() * 8) break;
        unsigned long raw = 0;
        for (std::size_t k = 0; k < 4 && at + k < bytes.size(); ++k) {
            raw |= static_cast<unsigned long>(bytes[at + k]) << (8 * k);
        }
        unsigned code = static_cast<unsigned>(raw >> (bitOffset % 8)) & ((1u << bits) - 1);
        bitOffset += static_cast<std::size_t>(bits);
        if (blockMode && code == clearCode) {
            newWidth();
            bits = 9;
            next = 257;
            havePrevious = false;
            continue;
        }
        const unsigned given = code;
        stack.clear();
        if (!havePrevious) {
            if (code > 255) throw damaged();
            first = static_cast<unsigned char>(code);
        } else {
            if (code > next) throw damaged();
            if (code == next) { // the one code that refers to itself
                stack.push_back(first);
                code = previous;
            }
            while (code > 255) {
                stack.push_back(suffix[code]);
                code = prefix[code];
            }
            first = static_cast<unsigned char>(code);
        }
        out.push_back(first);
        out.insert(out.end(), stack.rbegin(), stack.rend());
        if (havePrevious && next < (1u << mostBits)) {
            prefix[next] = static_cast<unsigned short>(previous);
            suffix[next] = first;
            ++next;
            if (next > (1u << bits) - 1 && bits < mostBits) {
                newWidth();
                ++bits;
            }
        }
        previous = given;
        havePrevious = true;
        if (out.size() > kChunk) {
            sink.write(out.data(), out.size());
            out.clear();
        }
    }
    sink.write(out.data(), out.size());
}

} // namespace blendscope
