#pragma once

#include "core/Box.h"
#include "core/Plane.h"
#include "core/Psf.h"
#include "core/Wcs.h"

#include <QMap>
#include <QString>
#include <QStringList>
#include <memory>
#include <optional>
#include <vector>

namespace blendscope {

/// Names of the bits of a mask plane, as the file (or the LSST order, where assumed) gives them: "SAT", "BAD", "CR".
using MaskPlaneNames = QMap<QString, int>; ///< name -> bit number

/// One band of a scene. All planes have the scene's size.
struct Band {
    QString name;      ///< "g", "F606W": as the file says, trimmed
    PlanePtr image;    ///< CV_32F, counts; NaN = no data
    PlanePtr variance; ///< CV_32F, counts^2; +inf or <= 0 or NaN = do not use. Never null in an opened scene.
    PlanePtr mask;     ///< CV_32S bits, may be null
    MaskPlaneNames maskNames;
    Psf psf;
    double zeroPoint = 0.0;         ///< mag = zeroPoint - 2.5 log10(counts); NaN if unknown
    double gain = 0.0;              ///< electrons per count; 0 = unknown
    bool varianceIsSkyOnly = false; ///< the plane lacks the objects' own Poisson noise (add counts / gain)
    bool skySubtracted = false;     ///< the header or the maker says that the sky is already taken off
    double wavelength = 0.0;        ///< nm, from the filter table; 0 = unknown. Decides the order of colours.

    /// The bits of the planes that make a pixel unusable: BAD, SAT, CR, NO_DATA, EDGE, UNMASKEDNAN, SUSPECT as named
    /// in maskNames (INTRP, which holds a usable value, is not among them).
    [[nodiscard]] int unusableBits() const;
    [[nodiscard]] int saturatedBits() const;
};

/// What is known to be in a scene (simulated, injected, or a reference catalogue).
struct TruthObject {
    int id = 0;   ///< row number from 1, as in a truth segmentation
    QString kind; ///< "gal", "star"
    double x = 0.0, y = 0.0;
    std::vector<double> flux; ///< total per scene band, counts; NaN where not given
    double hlrArcsec = 0.0;
    QMap<QString, double> columns; ///< every numeric column of the table
};

struct Truth {
    std::vector<TruthObject> objects;
    /// Noiseless image of each object alone, [band][object], planes of the scene's size; may be empty, as may a band.
    std::vector<std::vector<PlanePtr>> isolated;
    std::vector<PlanePtr> noiseless; ///< all objects together per band; may be empty
    PlanePtr segmentation;           ///< CV_32S, 0 or object id; may be null
};

/// A file that a scene was made of, for the panel and run.json.
struct SceneFile {
    QString path;
    QStringList hdus; ///< one line an HDU: "2 VAR_G image 120x120 float: variance of g"
};

/// A patch of sky in one or more bands on one pixel grid. Immutable once it is opened; shared by pointer.
class Scene {
public:
    QString id; ///< scene_id
    cv::Size size;
    std::vector<Band> bands; ///< in order of wavelength where known, else as in the file
    Wcs wcs;
    double pixelScale = 0.0; ///< arcsec; 0 = unknown
    std::optional<Truth> truth;
    std::vector<PixelPosition> filePeaks; ///< peaks that came with the file (PEAKS), never used unless asked for
    PlanePtr footprintMask;               ///< CV_32S, nonzero = outside the footprint that the file covers; may be null
    std::vector<SceneFile> files;
    QStringList assumptions; ///< sentences: everything that was not in the files
    QStringList warnings;    ///< sentences: what looks wrong

    [[nodiscard]] Box box() const { return Box::of(size); }
    [[nodiscard]] QStringList bandNames() const;
    [[nodiscard]] int bandIndex(const QString& name) const; ///< case-insensitive; -1 if absent
    /// Bytes of the image planes of all bands as float32.
    [[nodiscard]] long long imageBytes() const;
};

using ScenePtr = std::shared_ptr<const Scene>;

/// Effective wavelength in nm of a filter name ("g", "HSC-G", "F814W", "Ks"); 0 if unknown. A bare letter is the
/// optical/near-infrared system of LSST, HSC and VISTA.
[[nodiscard]] double filterWavelength(const QString& name);

} // namespace blendscope
