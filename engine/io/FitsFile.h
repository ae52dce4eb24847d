#pragma once

#include "core/Box.h"
#include "core/Error.h"
#include "io/FitsHeader.h"
#include "io/Table.h"

#include <QString>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// What a FITS file holds in one header-and-data unit.
struct FitsHdu {
    enum class Kind { Empty, Image, Table };
    int number = 0; ///< from 1
    Kind kind = Kind::Empty;
    QString name; ///< EXTNAME, trimmed; empty for the names that compression gives
    int version = 1;
    FitsHeader header;
    int bitpix = 0;
    std::vector<long long> axes; ///< NAXIS1 first; of the image itself where it is tile-compressed
    bool compressed = false;
    bool complete = true; ///< false: the file ends inside the data
    long long rows = 0;   ///< of a table

    [[nodiscard]] bool isImage() const { return kind == Kind::Image; }
    [[nodiscard]] cv::Size size() const;    ///< of one plane; empty unless an image of at least two axes
    [[nodiscard]] long long planes() const; ///< product of the axes from the third
    /// "120x120x3 float"
    [[nodiscard]] QString shapeText() const;

private:
    friend class FitsFile;
    long long m_dataStart = 0;
    int m_tileRows = 1;
    bool m_hasBlank = false;
    long long m_blank = 0;
    double m_scale = 1.0, m_zero = 0.0;
};

/// A FITS file opened for reading, gzip and compress undone. The only class that sees CFITSIO, which reads headers,
/// tables and tile-compressed images; plain images are read directly, by many threads at once. All members are safe to
/// call from many threads, and throw ReadError with the file's name and the reason in words.
class FitsFile {
public:
    [[nodiscard]] static std::shared_ptr<const FitsFile> open(const QString& path);
    ~FitsFile();
    FitsFile(const FitsFile&) = delete;
    FitsFile& operator=(const FitsFile&) = delete;

    [[nodiscard]] QString path() const;
    [[nodiscard]] const std::vector<FitsHdu>& hdus() const;
    /// Throws ReadError where there is no such HDU (numbers from 1).
    [[nodiscard]] const FitsHdu& hdu(int number) const;
    /// What is wrong with the file behind its last readable HDU; or empty.
    [[nodiscard]] QString problem() const;

    /// Pixels of `box` in plane `plane` (from 0) of an image: `type` CV_32F (BSCALE, BZERO applied, BLANK to NaN) or
    /// CV_32S (the low 32 bits of integers, NaN and BLANK to 0). The box must lie inside the plane.
    [[nodiscard]] cv::Mat read(const FitsHdu& hdu, long long plane, const Box& box, int type) const;
    /// The same into `out`, which has the box's size and one of the two types, and may be a part of a larger matrix.
    void readInto(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const;

    /// Rows that are best read at once (a tile's height), for callers that keep strips.
    [[nodiscard]] int stripRows(const FitsHdu& hdu) const;

    /// Scalar numeric, logical and text columns, and variable-length arrays (a 1 x n matrix a row) where asked for;
    /// others are left out. Integers with nulls come as doubles, the nulls as NaN.
    [[nodiscard]] Table readTable(const FitsHdu& hdu, bool withArrays = false) const;

private:
    struct State;
    class Handle;
    explicit FitsFile(const QString& path);
    void scan();
    void checkBox(const FitsHdu& hdu, long long plane, const Box& box) const;
    void readPlain(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const;
    void readCompressed(const FitsHdu& hdu, long long plane, const Box& box, cv::Mat& out) const;
    std::unique_ptr<State> m_state;
};

using FitsFilePtr = std::shared_ptr<const FitsFile>;

} // namespace blendscope
