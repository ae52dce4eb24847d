#pragma once

#include "core/Error.h"
#include "core/Plane.h"
#include "io/Table.h"

#include <QSaveFile>
#include <QString>
#include <QVariant>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace blendscope {

/// A card of a header that is to be written.
struct FitsCard {
    QString key; ///< at most 8 characters of A-Z, 0-9, - and _
    QVariant value;
    QString comment;
};

/// Writes a FITS file (standard 4.0) from front to back, beside its final name; commit() renames it. Nothing is kept in
/// memory. A name that ends in .gz is compressed on the way. All members throw WriteError; without commit() an old file
/// stays intact.
class FitsWriter {
public:
    explicit FitsWriter(const QString& path);
    ~FitsWriter();
    FitsWriter(const FitsWriter&) = delete;
    FitsWriter& operator=(const FitsWriter&) = delete;

    /// CV_8U, CV_32S, CV_32F or CV_64F [y, x], row 0 first. The first HDU is the primary one. `rawCards`: further cards
    /// of 80 characters each, as Wcs::toHeader gives them.
    void addImage(const cv::Mat& image, const QString& name = {}, const std::vector<FitsCard>& cards = {},
                  const std::string& rawCards = {});
    /// Planes of one size and type, read in strips: an image, or a cube where there are several (the third axis in
    /// their order). Throws ReadError too.
    void addPlanes(const std::vector<PlanePtr>& planes, const QString& name = {},
                   const std::vector<FitsCard>& cards = {}, const std::string& rawCards = {});
    /// A primary HDU without data.
    void addEmpty(const std::vector<FitsCard>& cards = {});
    /// A binary table; an empty primary HDU comes before it where it is the first.
    void addTable(const Table& table, const std::vector<FitsCard>& cards = {});
    void commit();

private:
    class Deflater;
    void put(const QByteArray& bytes);
    void imageHeader(int type, cv::Size size, std::size_t planes, const QString& name,
                     const std::vector<FitsCard>& cards, const std::string& rawCards);
    void header(const QByteArray& mandatory, const QString& name, const std::vector<FitsCard>& cards,
                const std::string& rawCards);
    void pad(char with);

    QSaveFile m_file;
    std::unique_ptr<Deflater> m_deflater; // null where nothing is compressed
    long long m_written = 0;              // before compression
    bool m_first = true;
};

} // namespace blendscope
