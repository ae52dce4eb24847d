#pragma once

#include "core/Plane.h"
#include "io/FitsFile.h"

#include <memory>

namespace blendscope {

/// A plane of a FITS image, read by region when it is asked for. Tile-compressed images keep the strips that were
/// unpacked last; readAll() keeps the whole plane, and later reads are views into it.
class FitsPlane final : public Plane {
public:
    /// What the file's numbers are, where a variance is made of them: Sigma -> v^2, InverseVariance -> 1 / v (0 and
    /// below -> infinity: do not use). Flag: anything but 0 -> 1.
    enum class Meaning { Value, Sigma, InverseVariance, Flag };

    /// `type`: CV_32F or CV_32S. Throws ReadError where the HDU has no such plane or is cut short.
    FitsPlane(FitsFilePtr file, const FitsHdu& hdu, long long plane, int type, Meaning meaning = Meaning::Value);
    ~FitsPlane() override;

    [[nodiscard]] cv::Size size() const override { return m_hdu.size(); }
    [[nodiscard]] int type() const override { return m_type; }
    [[nodiscard]] cv::Mat read(const Box& box) const override;
    [[nodiscard]] cv::Mat readAll() const override;
    [[nodiscard]] bool resident() const override;

private:
    struct Cache;
    void fetch(const Box& box, cv::Mat& pixels) const;
    FitsFilePtr m_file;
    const FitsHdu& m_hdu; // lives as long as m_file
    long long m_plane;
    int m_type;
    Meaning m_meaning;
    std::unique_ptr<Cache> m_cache;
};

} // namespace blendscope
