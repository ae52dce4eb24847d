#pragma once

#include "core/Error.h"
#include "core/Scene.h"

#include <QJsonObject>
#include <QMap>
#include <QStringList>
#include <vector>

namespace blendscope {

class Progress;

/// What overrides the files (the flags --bands, --zeropoint, --psf, --resample, --name).
struct OpenOptions {
    QStringList bands;               ///< names of the image planes, in the files' order
    QMap<QString, double> zeroPoint; ///< per band name; "" = all bands
    QMap<QString, QString> psf;      ///< per band name or "": a FITS file, or a FWHM as "0.8arcsec" or "3.2pix"
    bool resample = false;           ///< bring bands with another grid onto the first band's grid by their WCS
    QString name;                    ///< scene_id, if one scene comes out
};

/// As run.json keeps them: what is not the default. fromJson takes what it understands and leaves the rest.
[[nodiscard]] QJsonObject toJson(const OpenOptions& options);
[[nodiscard]] OpenOptions openOptionsFromJson(const QJsonObject& json);

/// Groups files, folders, list files (.txt, .lst) and comma lists ("a.fits,b.fits") into scenes as the manual says,
/// without reading pixels: each entry holds the files of one scene. Sorted as given, folders by name. Throws UsageError
/// for two scenes of one name, ReadError for a path that does not exist.
struct SceneFiles {
    QString id;
    QStringList files;
};
[[nodiscard]] std::vector<SceneFiles> groupSceneFiles(const QStringList& paths, const OpenOptions& options = {});

/// Opens one scene: headers at once, pixels by region when they are asked for. Several grids in one file (two pixel
/// scales) give several scenes. Throws ReadError with the file's name and the reason in words.
[[nodiscard]] std::vector<ScenePtr> openScene(const SceneFiles& files, const OpenOptions& options = {},
                                              Progress* progress = nullptr);

/// groupSceneFiles + openScene for all.
[[nodiscard]] std::vector<ScenePtr> openScenes(const QStringList& paths, const OpenOptions& options = {},
                                               Progress* progress = nullptr);

/// The header of one HDU (1-based) as text, a card a line, for the header viewer. Throws ReadError.
[[nodiscard]] QString readHeaderText(const QString& path, int hdu);

/// Writes a scene as a multi-extension file (images, variances, PSFs, masks, truth), in the layout that openScene
/// reads back. Isolated images at the scene's size where they come to no more than 64 million pixels together (a
/// stamp's); else cut-outs of what is brighter than a thousandth of the noise, up to as many pixels, of objects first
/// that the truth table alone does not draw (irregular ones). `path` ends in .fits or .fits.gz. Throws WriteError; an
/// old file stays intact.
void writeScene(const Scene& scene, const QString& path);

} // namespace blendscope
