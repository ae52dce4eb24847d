#pragma once

#include "core/Random.h"
#include "simulate/Galaxy.h"
#include "simulate/Survey.h"

#include <QString>
#include <memory>
#include <optional>
#include <vector>

namespace blendscope {

/// Galaxies from a catalogue, in place of the built-in population:
/// - a CatSim-like table (FITS; columns of the OneDegSq catalogue: ra, dec in deg, redshift, fluxnorm_bulge | disk |
/// agn,
///   a_b, b_b, a_d, b_d in arcsec, pa_bulge, pa_disk in deg, u_ab .. y_ab). Disk n = 1, bulge n = 4, AGN a point, one
///   split for all bands, as in Blending ToolKit;
/// - COSMOS real galaxies (the catalogue of GalSim's COSMOS sample, its images and the table of HSC magnitudes beside
///   it, *_fits.fits): stamps of ACS F814W at 0.03 arcsec, from which Hubble's PSF (diffraction at 2.4 m widened to 0.1
///   arcsec) is divided before the scene's PSF is put on, so that resolution is only ever lost. A scene must have a
///   PSF at least 1.5 times as wide; the stamps' own noise comes with them, smoothed. One picture serves all bands.
/// Magnitudes of bands that the catalogue lacks are interpolated in wavelength. Immutable.
class Catalogue {
public:
    /// Throws ReadError; UsageError for a table that is neither, naming what is missing.
    [[nodiscard]] static std::shared_ptr<const Catalogue> open(const QString& path);
    virtual ~Catalogue() = default;

    [[nodiscard]] int size() const { return static_cast<int>(m_rows.size()); }
    /// Row number `i` in order of i magnitude; sky position in arcsec from the catalogue's middle.
    struct Row {
        double magnitude = 0.0; ///< i, AB
        double x = 0.0, y = 0.0;
        double size = 0.0; ///< arcsec: hypot of the half-light semi-major axes
        int source = 0;    ///< row of the file
    };
    [[nodiscard]] const Row& row(int i) const { return m_rows[static_cast<size_t>(i)]; }
    [[nodiscard]] bool hasPositions() const { return m_positions; }
    /// Rows [first, last) with magnitudes in a range.
    [[nodiscard]] std::pair<int, int> between(double bright, double faint) const;
    /// A row between two magnitudes (and sizes), each as likely; the nearest in magnitude where there is none.
    [[nodiscard]] int draw(Random& random, double bright, double faint, double leastSize = 0.0,
                           double mostSize = 1e9) const;

    /// The galaxy of a row with a random orientation, fluxes in counts of the survey. Throws UsageError where it cannot
    /// be drawn there.
    [[nodiscard]] virtual Galaxy galaxy(int i, const Survey& survey, Random& random) const = 0;

    /// Groups of rows linked by distances below `linkArcsec`, of `least` to `most` members brighter than `faint`.
    [[nodiscard]] std::vector<std::vector<int>> groups(double linkArcsec, int least, int most, double faint) const;

protected:
    void sortRows();
    std::vector<Row> m_rows;
    bool m_positions = false;
};

/// A magnitude at a wavelength between those that are known (nm, ascending), linear; constant beyond.
[[nodiscard]] double interpolateMagnitude(const std::vector<double>& wavelengths, const std::vector<double>& magnitudes,
                                          double wavelengthNm);

} // namespace blendscope
