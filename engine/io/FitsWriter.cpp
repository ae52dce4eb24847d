#include "io/FitsWriter.h"

#include <QtEndian>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <zlib.h>

namespace blendscope {

namespace {

constexpr int kBlock = 2880;
constexpr int kCard = 80;

QByteArray padded(const QByteArray& card) {
    return card.leftJustified(kCard, ' ', true);
}

QByteArray asciiOf(const QString& text) {
    QByteArray out;
    for (const QChar c : text) {
        out += c.unicode() >= 32 && c.unicode() < 127 ? char(c.unicode()) : '?';
    }
    return out;
}

QByteArray realText(double v) {
    QByteArray text = QByteArray::number(v, 'G', 16);
    if (!text.contains('.') && !text.contains('E')) text += ".0";
    return text;
}

/// One card, or several where a text needs CONTINUE.
QByteArray cardBytes(const FitsCard& card) {
    const QByteArray key = asciiOf(card.key.left(8)).leftJustified(8, ' ');
    const QByteArray comment = card.comment.isEmpty() ? QByteArray() : " / " + asciiOf(card.comment);
    switch (card.value.typeId()) {
    case QMetaType::Bool:
        return padded(key + "= " + QByteArray(card.value.toBool() ? "T" : "F").rightJustified(20, ' ') + comment);
    case QMetaType::Int:
    case QMetaType::LongLong:
        return padded(key + "= " + QByteArray::number(card.value.toLongLong()).rightJustified(20, ' ') + comment);
    case QMetaType::Float:
    case QMetaType::Double:
        // The standard has no NaN in a header: an undefined value.
        if (!std::isfinite(card.value.toDouble())) return padded(key + "=" + comment);
        return padded(key + "= " + realText(card.value.toDouble()).rightJustified(20, ' ') + comment);
    default:
        break;
    }
    QByteArray text = asciiOf(card.value.toString());
    text.replace("'", "''");
    if (text.size() <= 68) return padded(key + "= '" + text.leftJustified(8, ' ') + "'" + comment);
    QByteArray out;
    for (qsizetype at = 0; at < text.size();) {
        qsizetype n = std::min<qsizetype>(67, text.size() - at);
        // A doubled quote must not be torn apart.
        if (at + n < text.size() && text[at + n - 1] == '\'' && text.mid(at, n).count('\'') % 2 == 1) --n;
        const bool last = at + n >= text.size();
        out += padded((at == 0 ? key + "= '" : QByteArray("CONTINUE  '")) + text.mid(at, n) + (last ? "'" : "&'"));
        at += n;
    }
    return out;
}

template <typename T>
void appendBig(QByteArray& to, T value) {
    using Bits = std::conditional_t<sizeof(T) == 8, quint64, quint32>;
    const Bits swapped = qToBigEndian(std::bit_cast<Bits>(value));
    to.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

QByteArray integerCard(const char* key, long long value) {
    return cardBytes({QLatin1String(key), value, {}});
}

/// Rows of a matrix in FITS byte order.
QByteArray bigEndianRow(const cv::Mat& image, int y) {
    const auto bytes = static_cast<qsizetype>(image.elemSize()) * image.cols;
    QByteArray out(bytes, Qt::Uninitialized);
    switch (image.elemSize()) {
    case 1:
        std::copy_n(image.ptr<char>(y), bytes, out.data());
        break;
    case 4:
        qToBigEndian<quint32>(image.ptr(y), image.cols, out.data());
        break;
    default:
        qToBigEndian<quint64>(image.ptr(y), image.cols, out.data());
        break;
    }
    return out;
}

struct Layout {
    QByteArray form;
    int bytes = 0;
};

} // namespace

/// Compresses what passes through it.
class FitsWriter::Deflater {
public:
    Deflater() {
        // Level 4: on noisy pixels the higher ones cost much time and gain nothing.
        if (deflateInit2(&m_stream, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
            throw WriteError(QStringLiteral("zlib does not start"));
        }
    }
    ~Deflater() { deflateEnd(&m_stream); }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    QByteArray pass(const QByteArray& bytes, bool last = false) {
        QByteArray out;
        m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.constData()));
        m_stream.avail_in = static_cast<uInt>(bytes.size());
        do {
            char buffer[1 << 16];
            m_stream.next_out = reinterpret_cast<Bytef*>(buffer);
            m_stream.avail_out = sizeof buffer;
            deflate(&m_stream, last ? Z_FINISH : Z_NO_FLUSH);
            out.append(buffer, static_cast<qsizetype>(sizeof buffer - m_stream.avail_out));
        } while (m_stream.avail_out == 0);
        return out;
    }

private:
    z_stream m_stream{};
};

FitsWriter::FitsWriter(const QString& path) : m_file(path) {
    if (path.endsWith(QLatin1String(".gz"), Qt::CaseInsensitive)) m_deflater = std::make_unique<Deflater>();
    if (!m_file.open(QIODevice::WriteOnly)) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, m_file.errorString()));
    }
}

FitsWriter::~FitsWriter() = default;

void FitsWriter::put(const QByteArray& bytes) {
    m_written += bytes.size();
    const QByteArray& out = m_deflater ? m_deflater->pass(bytes) : bytes;
    if (m_file.write(out) != out.size()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(m_file.fileName(), m_file.errorString()));
    }
}

void FitsWriter::pad(char with) {
    const auto over = static_cast<int>(m_written % kBlock);
    if (over > 0) put(QByteArray(kBlock - over, with));
}

void FitsWriter::header(const QByteArray& mandatory, const QString& name, const std::vector<FitsCard>& cards,
                        const std::string& rawCards) {
    QByteArray all = mandatory;
    if (!name.isEmpty()) all += cardBytes({QStringLiteral("EXTNAME"), name, {}});
    for (const FitsCard& card : cards) {
        all += cardBytes(card);
    }
    for (size_t at = 0; at < rawCards.size(); at += kCard) {
        const QByteArray card = padded(QByteArray::fromStdString(rawCards.substr(at, kCard)));
        if (!card.startsWith("END     ") && !card.trimmed().isEmpty()) all += card;
    }
    put(all + padded("END"));
    pad(' ');
    m_first = false;
}

void FitsWriter::imageHeader(int type, cv::Size size, std::size_t planes, const QString& name,
                             const std::vector<FitsCard>& cards, const std::string& rawCards) {
    int bitpix = 0;
    switch (type) {
    case CV_8U:
        bitpix = 8;
        break;
    case CV_32S:
        bitpix = 32;
        break;
    case CV_32F:
        bitpix = -32;
        break;
    case CV_64F:
        bitpix = -64;
        break;
    default:
        throw WriteError(QStringLiteral("images of this pixel type cannot be written"));
    }
    QByteArray start = m_first ? cardBytes({QStringLiteral("SIMPLE"), true, QStringLiteral("FITS standard 4.0")})
                               : cardBytes({QStringLiteral("XTENSION"), QStringLiteral("IMAGE"), {}});
    start += integerCard("BITPIX", bitpix) + integerCard("NAXIS", planes > 1 ? 3 : 2) +
             integerCard("NAXIS1", size.width) + integerCard("NAXIS2", size.height);
    if (planes > 1) start += integerCard("NAXIS3", static_cast<long long>(planes));
    start +=
        m_first ? cardBytes({QStringLiteral("EXTEND"), true, {}}) : integerCard("PCOUNT", 0) + integerCard("GCOUNT", 1);
    header(start, name, cards, rawCards);
}

void FitsWriter::addImage(const cv::Mat& image, const QString& name, const std::vector<FitsCard>& cards,
                          const std::string& rawCards) {
    imageHeader(image.type(), image.size(), 1, name, cards, rawCards);
    for (int y = 0; y < image.rows; ++y) {
        put(bigEndianRow(image, y));
    }
    pad('\0');
}

void FitsWriter::addPlanes(const std::vector<PlanePtr>& planes, const QString& name, const std::vector<FitsCard>& cards,
                           const std::string& rawCards) {
    if (planes.empty()) throw WriteError(QStringLiteral("an image of no planes cannot be written"));
    const cv::Size size = planes.front()->size();
    const int type = planes.front()->type();
    for (const PlanePtr& plane : planes) {
        if (plane->size() != size || plane->type() != type) {
            throw WriteError(QStringLiteral("planes of different sizes cannot be written into one image"));
        }
    }
    imageHeader(type, size, planes.size(), name, cards, rawCards);
    const int rows = std::max(1, (1 << 20) / std::max(1, size.width));
    for (const PlanePtr& plane : planes) {
        for (int y = 0; y < size.height; y += rows) {
            const cv::Mat strip = plane->read({0, y, size.width, std::min(rows, size.height - y)});
            for (int r = 0; r < strip.rows; ++r) {
                put(bigEndianRow(strip, r));
            }
        }
    }
    pad('\0');
}

void FitsWriter::addEmpty(const std::vector<FitsCard>& cards) {
    header(cardBytes({QStringLiteral("SIMPLE"), true, QStringLiteral("FITS standard 4.0")}) + integerCard("BITPIX", 8) +
               integerCard("NAXIS", 0) + cardBytes({QStringLiteral("EXTEND"), true, {}}),
           {}, cards, {});
}

void FitsWriter::addTable(const Table& table, const std::vector<FitsCard>& cards) {
    if (m_first) addEmpty();
    const qsizetype rows = table.rows();

    // Where each row's arrays lie in the heap must be known before the rows are written.
    long long heapBytes = 0;
    std::vector<Layout> layouts;
    for (const TableColumn& column : table.columns) {
        Layout layout;
        if (std::holds_alternative<TableColumn::Integers>(column.values)) {
            layout = {"1J", 4};
        } else if (std::holds_alternative<TableColumn::Floats>(column.values)) {
            layout = {"1E", 4};
        } else if (std::holds_alternative<TableColumn::Doubles>(column.values)) {
            layout = {"1D", 8};
        } else if (const auto* text = std::get_if<QStringList>(&column.values)) {
            qsizetype width = 1;
            for (const QString& t : *text) {
                width = std::max(width, t.toUtf8().size());
            }
            layout = {QByteArray::number(width) + "A", static_cast<int>(width)};
        } else {
            long long most = 0;
            for (const auto& row : std::get<TableColumn::Arrays>(column.values)) {
                long long n = 0;
                for (const cv::Mat& m : row) {
                    CV_Assert(m.empty() || m.type() == CV_32F);
                    n += static_cast<long long>(m.total());
                }
                most = std::max(most, n);
                heapBytes += 4 * n;
            }
            layout = {"QE(" + QByteArray::number(most) + ")", 16};
        }
        layouts.push_back(layout);
    }
    // 32-bit descriptors are what most readers know best; 64-bit ones where the heap needs them.
    const bool wide = heapBytes > std::numeric_limits<std::int32_t>::max();
    int rowBytes = 0;
    for (Layout& layout : layouts) {
        if (layout.form.startsWith('Q') && !wide) {
            layout.form.replace(0, 1, "P");
            layout.bytes = 8;
        }
        if (layout.form.startsWith('P') || layout.form.startsWith('Q')) layout.form.prepend('1');
        rowBytes += layout.bytes;
    }

    QByteArray start = cardBytes({QStringLiteral("XTENSION"), QStringLiteral("BINTABLE"), {}}) +
                       integerCard("BITPIX", 8) + integerCard("NAXIS", 2) + integerCard("NAXIS1", rowBytes) +
                       integerCard("NAXIS2", rows) + integerCard("PCOUNT", heapBytes) + integerCard("GCOUNT", 1) +
                       integerCard("TFIELDS", static_cast<long long>(table.columns.size()));
    for (size_t i = 0; i < table.columns.size(); ++i) {
        const QString n = QString::number(i + 1);
        start += cardBytes({QStringLiteral("TTYPE") + n, table.columns[i].name, {}});
        start += cardBytes({QStringLiteral("TFORM") + n, QString::fromLatin1(layouts[i].form), {}});
        if (!table.columns[i].unit.isEmpty()) {
            start += cardBytes({QStringLiteral("TUNIT") + n, table.columns[i].unit, {}});
        }
    }
    header(start, table.name, cards, {});

    long long heap = 0;
    QByteArray buffer;
    for (qsizetype row = 0; row < rows; ++row) {
        const auto r = static_cast<size_t>(row);
        for (size_t i = 0; i < table.columns.size(); ++i) {
            const auto& values = table.columns[i].values;
            if (const auto* integers = std::get_if<TableColumn::Integers>(&values)) {
                appendBig(buffer, (*integers)[r]);
            } else if (const auto* floats = std::get_if<TableColumn::Floats>(&values)) {
                appendBig(buffer, (*floats)[r]);
            } else if (const auto* doubles = std::get_if<TableColumn::Doubles>(&values)) {
                appendBig(buffer, (*doubles)[r]);
            } else if (const auto* text = std::get_if<QStringList>(&values)) {
                buffer += (*text)[row].toUtf8().leftJustified(layouts[i].bytes, '\0', true);
            } else {
                long long n = 0;
                for (const cv::Mat& m : std::get<TableColumn::Arrays>(values)[r]) {
                    n += static_cast<long long>(m.total());
                }
                if (wide) {
                    appendBig(buffer, static_cast<std::int64_t>(n));
                    appendBig(buffer, static_cast<std::int64_t>(heap));
                } else {
                    appendBig(buffer, static_cast<std::int32_t>(n));
                    appendBig(buffer, static_cast<std::int32_t>(heap));
                }
                heap += 4 * n;
            }
        }
        if (buffer.size() > (1 << 20)) {
            put(buffer);
            buffer.clear();
        }
    }
    put(buffer);
    for (qsizetype row = 0; row < rows; ++row) {
        for (const TableColumn& column : table.columns) {
            const auto* arrays = std::get_if<TableColumn::Arrays>(&column.values);
            if (!arrays) continue;
            for (const cv::Mat& m : (*arrays)[static_cast<size_t>(row)]) {
                for (int y = 0; y < m.rows; ++y) {
                    put(bigEndianRow(m, y));
                }
            }
        }
    }
    pad('\0');
}

void FitsWriter::commit() {
    if (m_deflater) {
        const QByteArray rest = m_deflater->pass({}, true);
        if (m_file.write(rest) != rest.size()) {
            throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(m_file.fileName(), m_file.errorString()));
        }
    }
    if (!m_file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(m_file.fileName(), m_file.errorString()));
    }
}

} // namespace blendscope
