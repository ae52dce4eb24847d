#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <vector>

namespace blendscope::test {

/// Builds small FITS files byte by byte, without any of the code under test, so that readers meet exactly what a test
/// wants: also headers that lie.
class TinyFits {
public:
    /// An image HDU of `axes` (NAXIS1 first) with `values` encoded as `bitpix` (8, 16, 32, 64, -32, -64). `cards` are
    /// given as "KEY = value".
    TinyFits& image(int bitpix, const std::vector<long long>& axes, const std::vector<double>& values,
                    const QStringList& cards = {});
    /// The same with data bytes as they are (or none): for headers that lie.
    TinyFits& rawImage(int bitpix, const std::vector<long long>& axes, const QByteArray& data,
                       const QStringList& cards = {});
    /// A primary HDU without data.
    TinyFits& empty(const QStringList& cards = {});
    /// A table of double columns, a vector a column.
    TinyFits& table(const QString& name, const QStringList& columns, const std::vector<std::vector<double>>& values);
    /// Any cards, then END, then data padded to a block.
    TinyFits& hdu(const QStringList& cards, const QByteArray& data = {});

    [[nodiscard]] QByteArray bytes() const { return m_bytes; }
    void write(const QString& path) const;
    void writeGzip(const QString& path) const;

private:
    QByteArray m_bytes;
};

/// Writes bytes as they are; gzip by the name's ending is not done.
void writeBytes(const QString& path, const QByteArray& bytes);
[[nodiscard]] QByteArray gzip(const QByteArray& bytes);

} // namespace blendscope::test
