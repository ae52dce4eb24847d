#include "support/TinyFits.h"

#include <QFile>
#include <QtEndian>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <zlib.h>

namespace blendscope::test {

namespace {

template <typename T>
void append(QByteArray& to, T value) {
    char bytes[sizeof(T)];
    qToBigEndian(value, bytes);
    to.append(bytes, sizeof bytes);
}

void encode(QByteArray& to, int bitpix, double v) {
    switch (bitpix) {
    case 8:
        to.append(static_cast<char>(static_cast<unsigned char>(v)));
        break;
    case 16:
        append(to, static_cast<qint16>(v));
        break;
    case 32:
        append(to, static_cast<qint32>(v));
        break;
    case 64:
        append(to, static_cast<qint64>(v));
        break;
    case -32:
        append(to, std::bit_cast<quint32>(static_cast<float>(v)));
        break;
    default:
        append(to, std::bit_cast<quint64>(v));
        break;
    }
}

} // namespace

TinyFits& TinyFits::hdu(const QStringList& cards, const QByteArray& data) {
    const auto pad = [this](char with) {
        while (m_bytes.size() % 2880) {
            m_bytes += with;
        }
    };
    for (QString card : cards) {
        const qsizetype equals = card.indexOf(QLatin1String(" = "));
        if (equals > 0 && equals <= 8) {
            card = card.left(equals).leftJustified(8) + QStringLiteral("= ") + card.mid(equals + 3);
        }
        m_bytes += card.toLatin1().leftJustified(80, ' ', true);
    }
    m_bytes += QByteArray("END").leftJustified(80, ' ');
    pad(' ');
    m_bytes += data;
    pad('\0');
    return *this;
}

TinyFits& TinyFits::rawImage(int bitpix, const std::vector<long long>& axes, const QByteArray& data,
                             const QStringList& cards) {
    QStringList all;
    const bool primary = m_bytes.isEmpty();
    all << (primary ? QStringLiteral("SIMPLE = T") : QStringLiteral("XTENSION = 'IMAGE   '"))
        << QStringLiteral("BITPIX = %1").arg(bitpix) << QStringLiteral("NAXIS = %1").arg(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
        all << QStringLiteral("NAXIS%1 = %2").arg(i + 1).arg(axes[i]);
    }
    if (primary) {
        all << QStringLiteral("EXTEND = T");
    } else {
        all << QStringLiteral("PCOUNT = 0") << QStringLiteral("GCOUNT = 1");
    }
    return hdu(all + cards, data);
}

TinyFits& TinyFits::image(int bitpix, const std::vector<long long>& axes, const std::vector<double>& values,
                          const QStringList& cards) {
    QByteArray data;
    for (const double v : values) {
        encode(data, bitpix, v);
    }
    return rawImage(bitpix, axes, data, cards);
}

TinyFits& TinyFits::empty(const QStringList& cards) {
    return rawImage(8, {}, {}, cards);
}

TinyFits& TinyFits::table(const QString& name, const QStringList& columns,
                          const std::vector<std::vector<double>>& values) {
    if (m_bytes.isEmpty()) empty();
    const std::size_t rows = values.empty() ? 0 : values.front().size();
    QStringList cards = {QStringLiteral("XTENSION = 'BINTABLE'"),
                         QStringLiteral("BITPIX = 8"),
                         QStringLiteral("NAXIS = 2"),
                         QStringLiteral("NAXIS1 = %1").arg(8 * columns.size()),
                         QStringLiteral("NAXIS2 = %1").arg(rows),
                         QStringLiteral("PCOUNT = 0"),
                         QStringLiteral("GCOUNT = 1"),
                         QStringLiteral("TFIELDS = %1").arg(columns.size()),
                         QStringLiteral("EXTNAME = '%1'").arg(name)};
    for (qsizetype i = 0; i < columns.size(); ++i) {
        cards << QStringLiteral("TTYPE%1 = '%2'").arg(i + 1).arg(columns[i])
              << QStringLiteral("TFORM%1 = '1D      '").arg(i + 1);
    }
    QByteArray data;
    for (std::size_t r = 0; r < rows; ++r) {
        for (const std::vector<double>& column : values) {
            encode(data, -64, column[r]);
        }
    }
    return hdu(cards, data);
}

void TinyFits::write(const QString& path) const {
    writeBytes(path, m_bytes);
}

void TinyFits::writeGzip(const QString& path) const {
    writeBytes(path, gzip(m_bytes));
}

void writeBytes(const QString& path, const QByteArray& bytes) {
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
        throw std::runtime_error("a test file cannot be written");
    }
}

QByteArray gzip(const QByteArray& bytes) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    QByteArray out(static_cast<qsizetype>(deflateBound(&stream, static_cast<uLong>(bytes.size()))) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.constData()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.truncate(static_cast<qsizetype>(stream.total_out));
    deflateEnd(&stream);
    return out;
}

} // namespace blendscope::test
