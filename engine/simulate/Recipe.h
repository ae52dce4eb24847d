#pragma once

#include "simulate/Population.h"
#include "simulate/Survey.h"

#include <QJsonObject>
#include <QStringList>
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
/// - "stars": {"magnitudes", "density" or "count", "margin"}
/// - "groups": list of {"x", "y" pixel, "redshift", "members", "radius" arcsec, "magnitudes", "central" magnitude,
///    "central_hlr" arcsec}
/// - "objects": list of {"kind": "galaxy" or "star", "x", "y" pixel, "magnitude", and for galaxies, drawn where absent,
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
    Crowd galaxies, stars;
    std::vector<Group> groups;
    std::vector<Placed> objects;

    /// Throws UsageError that names the key.
    [[nodiscard]] static Recipe fromJson(const QJsonObject& json);
    /// The same for objects that are put into a scene which is there already: "survey", "size", "bands", "center",
    /// "exposure", "seeing", "noise" and "isolated" are the scene's own and ignored.
    [[nodiscard]] static Recipe forScene(const QJsonObject& json, const Survey& survey, int width, int height);

private:
    void readObjects(const RecipeReader& json);
};

} // namespace blendscope
