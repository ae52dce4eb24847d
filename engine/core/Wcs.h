#pragma once

#include <QString>
#include <memory>
#include <optional>
#include <string>

namespace blendscope {

struct SkyPosition {
    double ra = 0.0;  ///< deg, 0 <= ra < 360, in the frame of the header
    double dec = 0.0; ///< deg
};

struct PixelPosition {
    double x = 0.0; ///< pixel, 0-based, centres at integers
    double y = 0.0;
};

/// World coordinates of a scene, a thin shell around wcslib (all its projections and distortions). Copies share the
/// solution. Safe to use from many threads.
class Wcs {
public:
    Wcs() = default;

    /// `header`: the 80-character cards of a FITS header, without line ends. No usable celestial axes: isValid() is
    /// false and problem() says why; never throws.
    [[nodiscard]] static Wcs fromHeader(const std::string& header);

    /// A tangent plane for simulated scenes: (ra, dec) in deg at pixel (x, y), north up, east left.
    [[nodiscard]] static Wcs tangent(SkyPosition centre, PixelPosition at, double arcsecPerPixel);

    [[nodiscard]] bool isValid() const { return m_solution != nullptr; }
    [[nodiscard]] QString problem() const { return m_problem; }

    /// Nothing where the projection has no answer.
    [[nodiscard]] std::optional<SkyPosition> toSky(double x, double y) const;
    [[nodiscard]] std::optional<PixelPosition> toPixel(SkyPosition sky) const;

    /// Geometric mean of the pixel's sides at (x, y) in arcsec; 0 if invalid.
    [[nodiscard]] double pixelScale(double x, double y) const;

    /// Angle (deg, from +x towards +y) in which north lies at (x, y), and the same for east.
    [[nodiscard]] double northAngle(double x, double y) const;
    [[nodiscard]] double eastAngle(double x, double y) const;

    /// What looks wrong in the header though the standard allows it (a PC matrix that scales beside CDELT); or empty.
    [[nodiscard]] QString warning() const { return m_warning; }

    /// Header cards (80 characters each) that describe this WCS, to be written into results; empty if invalid.
    [[nodiscard]] std::string toHeader() const;

private:
    struct Solution;
    std::shared_ptr<const Solution> m_solution;
    QString m_problem;
    QString m_warning;
};

} // namespace blendscope
