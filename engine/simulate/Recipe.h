#pragma once

#include "simulate/Artefacts.h"
#include "simulate/Catalogue.h"
#include "simulate/Population.h"
#include "simulate/StarCounts.h"
#include "simulate/Survey.h"

#include <QJsonObject>
#include <QStringList>
#include <memory>
#include <optional>
#include <vector>

namespace blendscope {

class RecipeReader;

/// A recipe for scenes, checked. JSON keys (all but "survey" and "size" optional):
/// - "name", "title": text; scene_id is name_0000
/// - "survey": id or path; "bands": which of its bands, by name
/// - "size": [width, height] pixels, "center": [ra, dec] deg
/// - "exposure": factor on the survey's exposure; "isolated": keep each object's own image
/// - "noise": "poisson" or "none", or {"kind": one of these, "correlation": FWHM in pixels of what mixes neighbours (a
///    coadd), "realization": number of the draw (the same objects, other noise), "read": electrons a pixel}
/// - "seeing": {"factor", "scatter" (sigma of ln FWHM per scene and band), "beta" (Moffat)}
/// - "psf": {"kind", "beta", "mirror", "obscuration", "file": as in a survey (PsfShape); "ellipticity": [least, most],
///    "size_variation" and "shape_variation": typical change of ln FWHM and ellipticity from the middle of the field to
///    its border}
/// - "band_settings": {band: {"seeing", "exposure": factors, "offset": [x, y] pixels}}; "offsets": rms in pixels of
///    a random offset of each band
/// - "galaxies": {"magnitudes": [bright, faint] i-like AB, "density": per arcmin^2 or "count": [least, most];
///    "clustered": share put beside another one, "reach": arcsec of that, "radius": arcsec around the centre in which
///    the centres lie (a stamp), "margin": pixels kept free at the border, "size_factor": on the half-light radii,
///    "snr": [least, most] of the matched-filter S/N in g, r and i together of each galaxy alone, which then decides
///    the magnitude, "irregular": share of the star-forming galaxies that are no smooth disks, or {"share", "kind"
///    ("spiral", "flocculent", "clumpy"; absent = as they are met), "knots", "arms", "dust", "tides" (true or false)}.
///    An irregular galaxy is one object of the truth, whatever it is made of; its column "irregular" is 1.}
/// - "stars": {"magnitudes", "galactic": [longitude, latitude] deg, for as many as there are in that direction
///    (StarCounts), or "density" or "count", then with "slope": of log counts with magnitude, 0.12; "margin"}
/// - "catalogue": a FITS table of galaxies (CatSim or COSMOS, see Catalogue) in place of the built-in population, for
///    "galaxies" and "layout"
/// - "artefacts": what spoils the images, with masks (Artefacts)
/// - "layout": one blend in the middle of each scene (a stamp), {"kind": ...} with
///    "default": "number" [1, 2], "magnitudes" [-, 25.3], "shift" (arcsec along each axis; a tenth of the stamp);
///    "basic": one brighter than 24 of 0.2 to 2 arcsec and up to three others, 90 % of the blends with i <= 25.3, the
///       rest with i < 28, shifted by a thirtieth of the stamp times the root of their number;
///    "density": "density" 185 per arcmin^2, "magnitudes" [-, 27.3], at most "most" 40 within "shift" (half the stamp);
///    "pair": a galaxy with "magnitudes" [-, 25.3] in the middle, another at "separation" [least, most] arcsec and
///       "difference" [least, most] mag fainter; without these, i = 25.3 to 28 within "shift", as Blending ToolKit has
///       it;
///    "square": a random square of the catalogue with its own clustering, to "magnitudes";
///    "group": one of its groups, linked by "link" 2.5 arcsec, with "number" [2, 10] members;
///    "grid": scene by scene every combination of "separations" (arcsec), "differences" (mag) and "seeings" (factors),
///       each "repeat" times, around a galaxy of "magnitude"; truth columns grid_separation, grid_difference,
///       grid_seeing;
///    "cases": scene by scene every one of "cases": [{"name", "objects": as below, with "dx", "dy" from the middle in
///       place of x, y}], lengths in "unit" "arcsec" or "fwhm" (of the band nearest i)
///    (the first five after btk/sampling_functions.py of Blending ToolKit, Mendoza et al. 2025, arXiv:2409.06986)
/// - "groups": list of {"x", "y" pixel, "redshift", "members", "radius" arcsec, "magnitudes", "central" magnitude,
///    "central_hlr" arcsec}
/// - "objects": list of {"kind": "galaxy" or "star", "x", "y" pixel, "magnitude" or "snr", and for galaxies, drawn
/// where absent,
///    "redshift", "type" 0..1, "hlr" arcsec, "bulge", "axis_ratio", "angle", "irregular" (true, or its kind); for stars
///    "colour" 0..1}
struct Recipe {
    struct Crowd {
        std::pair<double, double> magnitudes{18.0, 26.0};
        double density = 0.0;
        std::optional<std::pair<double, double>> count;
        double clustered = 0.0;
        double reachArcsec = 5.0;
        double radiusArcsec = 0.0; ///< 0 = the whole scene
        double margin = 0.0;
        double slope = 0.12;
        std::optional<StarCounts> counts; ///< of stars; decides the density and the magnitudes
        double sizeFactor = 1.0;
        std::optional<std::pair<double, double>> snr;
        double irregularShare = 0.0;
        Morphology::Wish irregular;
    };
    struct Group {
        double x = 0.0, y = 0.0, redshift = 0.3, radiusArcsec = 15.0;
        int members = 0;
        std::pair<double, double> magnitudes{19.0, 25.0};
        std::optional<double> central;
        double centralHlrArcsec = 2.0;
    };
    struct Placed {
        bool star = false;
        double x = 0.0, y = 0.0, colour = std::numeric_limits<double>::quiet_NaN();
        Population::Wish wish;
        std::optional<double> snr;
    };
    struct Layout {
        QString kind; ///< empty = none
        std::pair<int, int> number{1, 2};
        std::pair<double, double> magnitudes{5.0, 25.3};
        double shiftArcsec = 0.0;
        double density = 185.0;
        int most = 40;
        std::optional<std::pair<double, double>> separation, difference;
        double linkArcsec = 2.5;
        std::vector<double> separations, differences, seeings;
        int repeat = 1;
        double magnitude = 23.0;
        struct Case {
            QString name;
            std::vector<Placed> objects; ///< x, y from the middle, in units
        };
        std::vector<Case> cases;
        bool inFwhm = false;

        /// Cell of a grid, or case, of scene number `index`.
        [[nodiscard]] int cell(int index) const;
        [[nodiscard]] double separationOf(int index) const;
        [[nodiscard]] double differenceOf(int index) const;
        [[nodiscard]] double seeingOf(int index) const; ///< 1 but for grids
    };

    QString name, title;
    Survey survey; ///< with the chosen bands only, exposure applied
    int width = 0, height = 0;
    double ra = 150.0, dec = 2.0;
    bool noise = true, isolated = true;
    double noiseCorrelation = 0.0;
    int realization = 0;
    double seeingFactor = 1.0, seeingScatter = 0.0;
    PsfShape psf;
    std::pair<double, double> psfEllipticity{0.0, 0.0};
    double psfSizeVariation = 0.0, psfShapeVariation = 0.0;
    struct BandSettings {
        double seeing = 1.0;
        cv::Point2d offset;
    };
    std::vector<BandSettings> bands; ///< of the survey's bands
    double offsetScatter = 0.0;
    Artefacts artefacts;
    Crowd galaxies, stars;
    std::vector<Group> groups;
    std::vector<Placed> objects;
    Layout layout;
    std::shared_ptr<const Catalogue> catalogue; ///< null = the built-in population
    std::vector<std::vector<int>> catalogueGroups;

    /// Throws UsageError that names the key.
    [[nodiscard]] static Recipe fromJson(const QJsonObject& json);
    /// The same for objects that are put into a scene which is there already: "survey", "size", "bands", "center",
    /// "exposure", "seeing", "noise" and "isolated" are the scene's own and ignored.
    [[nodiscard]] static Recipe forScene(const QJsonObject& json, const Survey& survey, int width, int height);

private:
    void readObjects(const RecipeReader& json);
    void readLayout(const RecipeReader& json);
};

} // namespace blendscope
