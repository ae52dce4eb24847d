#include "io/FitsFile.h"

#include "io/ByteSource.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fitsio.h>
#include <limits>
#include <mutex>

namespace blendscope {

namespace {

constexpr int kMostHdus = 20000;
constexpr std::size_t kChunkBytes = 1u << 20; // raw bytes converted at a time: stays in the cache

/// Throws what CFITSIO says about `status`, and in which context.
void check(int status, const QString& path, const QString& context) {
    if (status == 0) return;
    char text[FLEN_STATUS] = {};
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    throw ReadError(QStringLiteral("%1: %2: %3").arg(path, context, QString::fromLatin1(text)));
}

template <typename T>
T bigEndian(const unsigned char* from) {
    using U = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                 std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                                    std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
    U u;
    std::memcpy(&u, from, sizeof u);
    if constexpr (sizeof(T) == 2) u = __builtin_bswap16(u);
    if constexpr (sizeof(T) == 4) u = __builtin_bswap32(u);
    if constexpr (sizeof(T) == 8) u = __builtin_bswap64(u);
    return std::bit_cast<T>(u);
}

struct Scaling {
    double scale = 1.0, zero = 0.0;
    bool hasBlank = false;
    long long blank = 0;
    [[nodiscard]] bool isIdentity() const { return scale == 1.0 && zero == 0.0; }
};

template <typename T>
void toFloat(const unsigned char* from, float* to, std::size_t n, const Scaling& s) {
    const bool identity = s.isIdentity();
    for (std::size_t i = 0; i < n; ++i) {
        const T v = bigEndian<T>(from + i * sizeof(T));
        if constexpr (std::is_integral_v<T>) {
            if (s.hasBlank && static_cast<long long>(v) == s.blank) {
                to[i] = std::numeric_limits<float>::quiet_NaN();
                continue;
            }
        }
        to[i] = identity ? static_cast<float>(v) : static_cast<float>(static_cast<double>(v) * s.scale + s.zero);
    }
}

/// The low 32 bits of a number: masks stored as unsigned integers keep all their bits.
std::int32_t lowBits(double v) {
    if (!std::isfinite(v) || std::abs(v) >= 0x1p63) return 0;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(std::llround(v))));
}

template <typename T>
void toInt(const unsigned char* from, std::int32_t* to, std::size_t n, const Scaling& s) {
    const bool identity = s.isIdentity();
    for (std::size_t i = 0; i < n; ++i) {
        const T v = bigEndian<T>(from + i * sizeof(T));
        if constexpr (std::is_integral_v<T>) {
            if (s.hasBlank && static_cast<long long>(v) == s.blank) {
                to[i] = 0;
                continue;
            }
            if (identity) {
                to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(v)));
                continue;
            }
        }
        to[i] = lowBits(static_cast<double>(v) * s.scale + s.zero);
    }
}

void convert(int bitpix, const unsigned char* from, cv::Mat& out, int row, int x, std::size_t n, const Scaling& s) {
    if (out.type() == CV_32F) {
        float* to = out.ptr<float>(row) + x;
        switch (bitpix) {
        case 8:
            return toFloat<std::uint8_t>(from, to, n, s);
        case 16:
            return toFloat<std::int16_t>(from, to, n, s);
        case 32:
            return toFloat<std::int32_t>(from, to, n, s);
        case 64:
            return toFloat<std::int64_t>(from, to, n, s);
        case -32:
            return toFloat<float>(from, to, n, s);
        default:
            return toFloat<double>(from, to, n, s);
        }
    }
    auto* to = out.ptr<std::int32_t>(row) + x;
    switch (bitpix) {
    case 8:
        return toInt<std::uint8_t>(from, to, n, s);
    case 16:
        return toInt<std::int16_t>(from, to, n, s);
    case 32:
        return toInt<std::int32_t>(from, to, n, s);
    case 64:
        return toInt<std::int64_t>(from, to, n, s);
    case -32:
        return toInt<float>(from, to, n, s);
    default:
        return toInt<double>(from, to, n, s);
    }
}

} // namespace

cv::Size FitsHdu::size() const {
    if (!isImage() || axes.size() < 2 || planes() == 0) return {};
    return {static_cast<int>(axes[0]), static_cast<int>(axes[1])};
}

long long FitsHdu::planes() const {
    long long n = 1;
    for (std::size_t i = 2; i < axes.size(); ++i) {
        n *= axes[i];
    }
    return n;
}

QString FitsHdu::shapeText() const {
    if (kind == Kind::Empty) return QStringLiteral("no data");
    if (kind == Kind::Table) return QStringLiteral("%1 rows").arg(rows);
    QStringList sides;
    for (const long long n : axes) {
        sides << QString::number(n);
    }
    const QString type = bitpix == -32   ? QStringLiteral("float")
                         : bitpix == -64 ? QStringLiteral("double")
                                         : QStringLiteral("%1-bit integer").arg(bitpix);
    return sides.join(QLatin1Char('x')) + QLatin1Char(' ') + type +
           (compressed ? QStringLiteral(", tile-compressed") : QString());
}

struct FitsFile::State {
    State(const QString& path) : source(path, QByteArrayLiteral("SIMPLE")) {}
    ByteSource source;
    std::vector<FitsHdu> hdus;
    QString problem;
    // CFITSIO reads a file held in memory through these.
    void* memory = nullptr;
    std::size_t memorySize = 0;
    std::mutex mutex;
    std::vector<fitsfile*> idle; // a handle serves one thread at a time
};

/// Borrows a CFITSIO handle on the file, opening one more where all are in use.
class FitsFile::Handle {
public:
    explicit Handle(State& state) : m_state(state) {
        {
            const std::lock_guard lock(state.mutex);
            if (!state.idle.empty()) {
                m_file = state.idle.back();
                state.idle.pop_back();
                return;
            }
        }
        int status = 0;
        if (state.memory) {
            fits_open_memfile(&m_file, "memory", READONLY, &state.memory, &state.memorySize, 0, nullptr, &status);
        } else {
            fits_open_diskfile(&m_file, state.source.readableName().constData(), READONLY, &status);
        }
        check(status, state.source.path(), QStringLiteral("cannot be opened as FITS"));
    }
    ~Handle() {
        if (!m_file) return;
        const std::lock_guard lock(m_state.mutex);
        m_state.idle.push_back(m_file);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    [[nodiscard]] fitsfile* get() const { return m_file; }
    void discard() {
        if (!m_file) return;
        int status = 0;
        fits_close_file(m_file, &status);
        fits_clear_errmsg();
        m_file = nullptr;
    }

private:
    State& m_state;
    fitsfile* m_file = nullptr;
};

FitsFilePtr FitsFile::open(const QString& path) {
    return FitsFilePtr(new FitsFile(path));
}

FitsFile::FitsFile(const QString& path) : m_state(std::make_unique<State>(path)) {
    if (const QByteArray* bytes = m_state->source.memory()) {
        // Read-only handles never write to it.
        m_state->memory = const_cast<char*>(bytes->constData());
        m_state->memorySize = static_cast<std::size_t>(bytes->size());
    }
    scan();
}

FitsFile::~FitsFile() {
    for (fitsfile* file : m_state->idle) {
        int status = 0;
        fits_close_file(file, &status);
        fits_clear_errmsg();
    }
}

QString FitsFile::path() const {
    return m_state->source.path();
}

const std::vector<FitsHdu>& FitsFile::hdus() const {
    return m_state->hdus;
}

QString FitsFile::problem() const {
    return m_state->problem;
}

const FitsHdu& FitsFile::hdu(int number) const {
    if (number < 1 || number > static_cast<int>(m_state->hdus.size())) {
        throw ReadError(
            QStringLiteral("%1 has no HDU %2 (it has %3)").arg(path()).arg(number).arg(m_state->hdus.size()));
    }
    return m_state->hdus[static_cast<std::size_t>(number - 1)];
}

void FitsFile::scan() {
    Handle handle(*m_state);
    fitsfile* f = handle.get();
    for (int number = 1; number <= kMostHdus; ++number) {
        int status = 0, type = 0;
        fits_movabs_hdu(f, number, &type, &status);
        if (status) {
            if (number == 1) check(status, path(), QStringLiteral("its first header cannot be read"));
            if (status != END_OF_FILE) {
                char text[FLEN_STATUS] = {};
                fits_get_errstatus(status, text);
                m_state->problem = QStringLiteral("behind HDU %1 the file cannot be read: %2")
                                       .arg(number - 1)
                                       .arg(QString::fromLatin1(text));
            }
            fits_clear_errmsg();
            break;
        }
        FitsHdu hdu;
        hdu.number = number;
        char* cards = nullptr;
        int count = 0;
        fits_convert_hdr2str(f, 0, nullptr, 0, &cards, &count, &status);
        if (status) {
            // Some compressed images have no header that could be turned into a plain one: as it is, then.
            status = 0;
            fits_clear_errmsg();
            if (cards) {
                int freed = 0;
                fits_free_memory(cards, &freed);
                cards = nullptr;
            }
            fits_hdr2str(f, 0, nullptr, 0, &cards, &count, &status);
        }
        if (cards) {
            hdu.header = FitsHeader(std::string(cards));
            int freed = 0;
            fits_free_memory(cards, &freed);
        }
        check(status, path(), QStringLiteral("the header of HDU %1 cannot be read").arg(number));
        hdu.name = hdu.header.string("EXTNAME");
        if (hdu.name == QLatin1String("COMPRESSED_IMAGE") || hdu.name == QLatin1String("PRIMARY")) hdu.name.clear();
        hdu.version = static_cast<int>(std::clamp(hdu.header.number("EXTVER").value_or(1.0), 0.0, 1e6));

        LONGLONG headStart = 0, dataStart = 0, dataEnd = 0;
        fits_get_hduaddrll(f, &headStart, &dataStart, &dataEnd, &status);
        hdu.m_dataStart = dataStart;
        if (type == IMAGE_HDU) {
            int axisCount = 0;
            LONGLONG axes[9] = {};
            fits_get_img_paramll(f, 9, &hdu.bitpix, &axisCount, axes, &status);
            hdu.compressed = fits_is_compressed_image(f, &status) != 0;
            if (status == 0 && axisCount >= 1 && axisCount <= 9) hdu.axes.assign(axes, axes + axisCount);
            // Trailing axes of length 1 say nothing.
            while (hdu.axes.size() > 2 && hdu.axes.back() == 1) {
                hdu.axes.pop_back();
            }
            bool usable = !hdu.axes.empty() && !hdu.header.isTrue("GROUPS");
            double pixels = 1.0;
            for (const long long n : hdu.axes) {
                usable = usable && n > 0 && n < (1ll << 31) - 1;
                pixels *= static_cast<double>(n);
            }
            usable = usable && pixels < 1e15 && std::abs(hdu.bitpix) <= 64;
            if (usable) {
                hdu.kind = FitsHdu::Kind::Image;
                hdu.m_scale = hdu.header.number("BSCALE").value_or(1.0);
                hdu.m_zero = hdu.header.number("BZERO").value_or(0.0);
                if (const auto blank = hdu.header.number("BLANK"); blank && hdu.bitpix > 0) {
                    hdu.m_hasBlank = true;
                    hdu.m_blank = static_cast<long long>(*blank);
                }
                if (hdu.compressed) {
                    // A claim of many pixels must be backed by as many tiles in the file.
                    double tiles = 1.0, tilePixels = 1.0;
                    for (std::size_t i = 0; i < hdu.axes.size(); ++i) {
                        long tile = i == 0 ? static_cast<long>(hdu.axes[0]) : 1;
                        int none = 0;
                        fits_read_key(f, TLONG, ("ZTILE" + std::to_string(i + 1)).c_str(), &tile, nullptr, &none);
                        fits_clear_errmsg();
                        if (tile < 1) usable = false;
                        tile = std::clamp<long>(tile, 1, static_cast<long>(hdu.axes[i]));
                        if (i == 1) hdu.m_tileRows = static_cast<int>(tile);
                        tilePixels *= static_cast<double>(tile);
                        tiles *= std::ceil(static_cast<double>(hdu.axes[i]) / static_cast<double>(tile));
                    }
                    LONGLONG rows = 0;
                    int none = 0;
                    fits_get_num_rowsll(f, &rows, &none);
                    fits_clear_errmsg();
                    if (!usable || tiles != static_cast<double>(rows) || tilePixels > 0x1p29) {
                        hdu.kind = FitsHdu::Kind::Empty;
                        m_state->problem =
                            QStringLiteral("HDU %1 is left out: its tiles do not make up its image").arg(number);
                    }
                    hdu.complete = dataEnd - 2879 <= m_state->source.size();
                } else {
                    const double bytes = pixels * std::abs(hdu.bitpix) / 8.0;
                    hdu.complete =
                        static_cast<double>(dataStart) + bytes <= static_cast<double>(m_state->source.size());
                }
            }
        } else if (type == BINARY_TBL || type == ASCII_TBL) {
            LONGLONG rows = 0;
            fits_get_num_rowsll(f, &rows, &status);
            hdu.kind = FitsHdu::Kind::Table;
            hdu.rows = rows;
            hdu.complete = dataEnd - 2879 <= m_state->source.size();
        }
        check(status, path(), QStringLiteral("HDU %1 cannot be read").arg(number));
        m_state->hdus.push_back(std::move(hdu));
    }
    // Scenes are opened by the thousand: descriptors are taken again when pixels are read.
    handle.discard();
}

int FitsFile::stripRows(const FitsHdu& hdu) const {
    return hdu.compressed ? hdu.m_tileRows : 1;
}

cv::Mat FitsFile::read(const FitsHdu& hdu, long long plane, const Box& box, int type) const {
    checkBox(hdu, plane, box);
    cv::Mat out(box.height, box.width, type);
    readInto(hdu, plane, box, out);
    return out;
}

void FitsFile::checkBox(const FitsHdu& hdu, long long plane, const Box& box) const {
    const cv::Size size = hdu.size();
    if (size.empty() || plane < 0 || plane >= hdu.planes()) {
        throw ReadError(QStringLiteral("%1: HDU %2 has no image plane %3").arg(path()).arg(hdu.number).arg(plane + 1));
    }
    if (box.empty() || !(Box::of(size).intersected(box) == box)) {
        throw ReadError(QStringLiteral("%1: region %2,%3 %4x%5 is outside the %6x%7 image")
                            .arg(path())
                            .arg(box.x0)
                            .arg(box.y0)
                            .arg(box.width)
                            .arg(box.height)
                            .arg(size.width)
                            .arg(size.height));
    }
}

void FitsFile::readInto(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const {
    checkBox(hdu, plane, box);
    CV_Assert(out.size() == box.size() && (out.type() == CV_32F || out.type() == CV_32S));
    if (!hdu.compressed) {
        readPlain(hdu, plane, box, out);
    } else if (out.isContinuous()) {
        readCompressed(hdu, plane, box, out);
    } else {
        cv::Mat whole(out.size(), out.type());
        readCompressed(hdu, plane, box, whole);
        whole.copyTo(out);
    }
}

void FitsFile::readPlain(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const {
    if (!hdu.complete) {
        throw ReadError(
            QStringLiteral("%1 is truncated: it ends inside the image of HDU %2").arg(path()).arg(hdu.number));
    }
    const Scaling scaling{hdu.m_scale, hdu.m_zero, hdu.m_hasBlank, hdu.m_blank};
    const auto pixelBytes = static_cast<std::size_t>(std::abs(hdu.bitpix) / 8);
    const cv::Size size = hdu.size();
    const std::size_t fileRow = static_cast<std::size_t>(size.width) * pixelBytes;
    const long long start = hdu.m_dataStart + plane * static_cast<long long>(fileRow) * size.height;
    const bool fullRows = box.width == size.width;
    const std::size_t rowBytes = static_cast<std::size_t>(box.width) * pixelBytes;
    const int rowsAtOnce = fullRows ? static_cast<int>(std::max<std::size_t>(1, kChunkBytes / rowBytes)) : 1;
    if (hdu.bitpix == -32 && out.type() == CV_32F && scaling.isIdentity()) {
        // The common case without a buffer: into place, then swapped while the chunk is still in the cache.
        const int step = out.isContinuous() ? rowsAtOnce : 1;
        for (int y = 0; y < box.height; y += step) {
            const int rows = std::min(step, box.height - y);
            const long long at = start + static_cast<long long>(box.y0 + y) * static_cast<long long>(fileRow) +
                                 static_cast<long long>(box.x0) * 4;
            m_state->source.read(at, out.ptr(y), rowBytes * static_cast<std::size_t>(rows));
            auto* words = out.ptr<std::uint32_t>(y);
            const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(box.width);
            for (std::size_t i = 0; i < n; ++i) {
                words[i] = __builtin_bswap32(words[i]);
            }
        }
        return;
    }
    std::vector<unsigned char> raw(std::min<std::size_t>(rowBytes * static_cast<std::size_t>(rowsAtOnce),
                                                         rowBytes * static_cast<std::size_t>(box.height)));
    for (int y = 0; y < box.height; y += rowsAtOnce) {
        const int rows = std::min(rowsAtOnce, box.height - y);
        const long long at = start + static_cast<long long>(box.y0 + y) * static_cast<long long>(fileRow) +
                             static_cast<long long>(box.x0) * static_cast<long long>(pixelBytes);
        m_state->source.read(at, raw.data(), rowBytes * static_cast<std::size_t>(rows));
        for (int r = 0; r < rows; ++r) {
            convert(hdu.bitpix, raw.data() + static_cast<std::size_t>(r) * rowBytes, out, y + r, 0,
                    static_cast<std::size_t>(box.width), scaling);
        }
    }
}

void FitsFile::readCompressed(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const {
    Handle handle(*m_state);
    int status = 0;
    fits_movabs_hdu(handle.get(), hdu.number, nullptr, &status);
    long first[9], last[9], step[9];
    long long rest = plane;
    for (std::size_t i = 0; i < 9; ++i) {
        first[i] = last[i] = step[i] = 1;
        if (i >= 2 && i < hdu.axes.size()) {
            first[i] = last[i] = static_cast<long>(rest % hdu.axes[i]) + 1;
            rest /= hdu.axes[i];
        }
    }
    first[0] = box.x0 + 1;
    last[0] = box.x1();
    first[1] = box.y0 + 1;
    last[1] = box.y1();
    int anyNull = 0;
    if (status == 0 && out.type() == CV_32F) {
        float nan = std::numeric_limits<float>::quiet_NaN();
        fits_read_subset(handle.get(), TFLOAT, first, last, step, &nan, out.data, &anyNull, &status);
    } else if (status == 0) {
        std::vector<double> values(static_cast<std::size_t>(box.area()));
        double nan = std::numeric_limits<double>::quiet_NaN();
        fits_read_subset(handle.get(), TDOUBLE, first, last, step, &nan, values.data(), &anyNull, &status);
        std::transform(values.begin(), values.end(), out.ptr<std::int32_t>(0), lowBits);
    }
    if (status) handle.discard();
    check(status, path(), QStringLiteral("the compressed image of HDU %1 cannot be read").arg(hdu.number));
}

Table FitsFile::readTable(const FitsHdu& hdu, bool withArrays) const {
    if (hdu.kind != FitsHdu::Kind::Table) {
        throw ReadError(QStringLiteral("%1: HDU %2 is not a table").arg(path()).arg(hdu.number));
    }
    if (!hdu.complete) {
        throw ReadError(
            QStringLiteral("%1 is truncated: it ends inside the table of HDU %2").arg(path()).arg(hdu.number));
    }
    Table table;
    table.name = hdu.name;
    const auto rows = static_cast<std::size_t>(hdu.rows);
    Handle handle(*m_state);
    fitsfile* f = handle.get();
    int status = 0, count = 0;
    fits_movabs_hdu(f, hdu.number, nullptr, &status);
    fits_get_num_cols(f, &count, &status);
    const QString context = QStringLiteral("the table of HDU %1 cannot be read").arg(hdu.number);
    for (int c = 1; c <= count && status == 0; ++c) {
        int type = 0;
        long repeat = 0, width = 0;
        if (fits_get_eqcoltype(f, c, &type, &repeat, &width, &status)) {
            // A column of a form that is not known is no reason to lose the others.
            status = 0;
            fits_clear_errmsg();
            continue;
        }
        TableColumn column;
        column.name = hdu.header.string(("TTYPE" + std::to_string(c)).c_str());
        column.unit = hdu.header.string(("TUNIT" + std::to_string(c)).c_str());
        const auto n = static_cast<LONGLONG>(rows);
        int anyNull = 0;
        if (type == TSTRING && repeat > 0 && repeat < (1 << 16)) {
            QStringList texts;
            std::vector<char> text(static_cast<std::size_t>(std::max(repeat, width)) + 1);
            for (LONGLONG row = 1; row <= n && status == 0; ++row) {
                char* at = text.data();
                char nothing[] = "";
                fits_read_col(f, TSTRING, c, row, 1, 1, nothing, &at, &anyNull, &status);
                texts << QString::fromUtf8(text.data()).trimmed();
            }
            column.values = std::move(texts);
        } else if (type == TLOGICAL && repeat == 1) {
            std::vector<char> bits(rows);
            if (n > 0) fits_read_col(f, TLOGICAL, c, 1, 1, n, nullptr, bits.data(), &anyNull, &status);
            column.values = TableColumn::Integers(bits.begin(), bits.end());
        } else if (type > 0 && repeat == 1 && type != TCOMPLEX && type != TDBLCOMPLEX && type != TBIT) {
            TableColumn::Doubles values(rows, std::numeric_limits<double>::quiet_NaN());
            double nan = std::numeric_limits<double>::quiet_NaN();
            if (n > 0) fits_read_col(f, TDOUBLE, c, 1, 1, n, &nan, values.data(), &anyNull, &status);
            const bool isInteger =
                type == TBYTE || type == TSBYTE || type == TSHORT || type == TUSHORT || type == TINT || type == TLONG;
            if (type == TFLOAT) {
                column.values = TableColumn::Floats(values.begin(), values.end());
            } else if (isInteger && !anyNull) {
                TableColumn::Integers integers(rows);
                std::transform(values.begin(), values.end(), integers.begin(), lowBits);
                column.values = std::move(integers);
            } else {
                column.values = std::move(values);
            }
        } else if (withArrays && (type == -TFLOAT || type == -TDOUBLE)) {
            TableColumn::Arrays arrays(rows);
            for (LONGLONG row = 1; row <= n && status == 0; ++row) {
                LONGLONG length = 0, offset = 0;
                fits_read_descriptll(f, c, row, &length, &offset, &status);
                if (status || length <= 0) continue;
                if (length > m_state->source.size() / 4) {
                    throw ReadError(QStringLiteral("%1: %2: an array is longer than the file").arg(path(), context));
                }
                cv::Mat values(1, static_cast<int>(length), CV_32F);
                float nan = std::numeric_limits<float>::quiet_NaN();
                fits_read_col(f, TFLOAT, c, row, 1, length, &nan, values.data, &anyNull, &status);
                arrays[static_cast<std::size_t>(row - 1)].push_back(values);
            }
            column.values = std::move(arrays);
        } else {
            continue;
        }
        table.columns.push_back(std::move(column));
    }
    // Tables are read once: the descriptor is worth more than the handle.
    handle.discard();
    check(status, path(), context);
    return table;
}

} // namespace blendscope
