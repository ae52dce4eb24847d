#pragma once

#include <QString>

namespace blendscope {

/// What an image or table of a file is to a scene.
enum class HduRole {
    Image,
    Variance,
    Sigma,  ///< 1-sigma errors (ERR, RMS, SIGMA)
    Weight, ///< inverse variance (WHT, IVAR, WEIGHT)
    Mask,
    Quality, ///< data quality bits of space pipelines (DQ)
    Psf,
    Isolated,
    IsolatedCutouts, ///< a table of small images, a row an object and band
    Noiseless,
    TruthSegmentation,
    Truth,
    Peaks,
    Footprint,
    Ignored
};

/// A role in words, for the list of what a scene was made of.
[[nodiscard]] QString roleText(HduRole role);

/// Role and band that an EXTNAME says: "VAR_G" -> variance of G. Known is false where the first word is no role; then
/// `rest` is the whole name.
struct ExtensionName {
    bool known = false;
    HduRole role = HduRole::Image;
    QString rest;
};
[[nodiscard]] ExtensionName parseExtensionName(const QString& name);

/// What a file's name says: img_g.fits -> stem "img", band "g"; f115w_err.fits -> stem "", band "f115w", Sigma.
struct SceneFileName {
    QString whole; ///< without folder and endings
    QString stem;  ///< without band and role too; empty where nothing is left
    QString band;
    bool hasRole = false;
    HduRole role = HduRole::Image;
};
[[nodiscard]] SceneFileName parseFileName(const QString& path);

/// Whether the name ends as FITS files do (.fits, .fit, .fts, .fz, each also with .gz or .Z).
[[nodiscard]] bool looksLikeFits(const QString& path);

/// A band name as headers give it, made fit for column names: trimmed, cut at the first blank; empty for "_unknown_",
/// "clear", "none" and their like.
[[nodiscard]] QString cleanBandName(const QString& name);

} // namespace blendscope
