#pragma once

#include "core/Error.h"

#include <QByteArray>
#include <QString>
#include <cstddef>

namespace blendscope {

/// The bytes of a file, with gzip (.gz) and compress (.Z) undone. Small inflated files stay in memory, larger ones go
/// to a temporary file that has no name any more, so that nothing is left behind and memory stays bounded. Safe to read
/// from many threads.
class ByteSource {
public:
    /// `magic`: what the inflated bytes must begin with; checked before the bulk is inflated. Throws ReadError for
    /// files that cannot be read, are damaged, or inflate beyond limit().
    ByteSource(const QString& path, const QByteArray& magic);
    ~ByteSource();
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;

    [[nodiscard]] QString path() const { return m_path; }
    [[nodiscard]] long long size() const { return m_size; }
    /// Copies `bytes` from `offset`; throws ReadError where the file ends before.
    void read(long long offset, void* to, std::size_t bytes) const;

    /// The bytes, where they are held in memory; otherwise null: then readableName() opens the same bytes again.
    [[nodiscard]] const QByteArray* memory() const { return m_fd < 0 ? &m_memory : nullptr; }
    [[nodiscard]] QByteArray readableName() const;

    /// Most bytes that a compressed file of this size may inflate to: 4 GiB, or 20 times its size if that is more.
    [[nodiscard]] static long long limit(long long compressedBytes);

private:
    class Sink;
    void inflateGzip(int fd, Sink& sink) const;
    void inflateLzw(int fd, Sink& sink) const;

    QString m_path;
    long long m_size = 0;
    int m_fd = -1;
    bool m_plain = true;
    QByteArray m_memory;
};

} // namespace blendscope
