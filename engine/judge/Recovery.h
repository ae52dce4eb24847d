#pragma once

#include "core/Result.h"
#include "core/Scene.h"

#include <QJsonObject>
#include <QStringList>
#include <vector>

namespace blendscope {

/// How truth objects are found again in a result. A truth object and a detection are partners where they lie within
/// max(radiusFwhm x PSF FWHM, radiusArcsec) of each other, FWHM being the median over bands; pairs are made one to one,
/// nearest first. Where pixel scale and PSF are both unknown the radius is two pixels.
struct RecoveryOptions {
    double radiusFwhm = 0.5;
    double radiusArcsec = 0.4;
    /// Only truth objects whose column snr_det reaches this count; those without the column always do.
    double leastSnr = 0.0;
    /// Pair by Object::position instead (results of a run at the true positions, in the order of the truth table).
    bool byPosition = false;
    double binMagnitudes = 1.0; ///< width of the bins of true magnitude
};

[[nodiscard]] double matchRadiusPixels(const Scene& scene, const RecoveryOptions& options);

/// One truth object and what was found of it.
struct RecoveryMatch {
    struct BandValue {
        double trueFlux = kNan, flux = kNan, fluxErr = kNan; ///< counts
        double trueMagnitude = kNan, magnitude = kNan;       ///< NaN without zero point or positive flux
    };
    QString sceneId;
    int truthId = 0;
    QString kind;
    double x = 0.0, y = 0.0;
    int objectId = 0; ///< 0 = not recovered
    double distancePixels = kNan;
    std::uint32_t flags = 0;      ///< the partner's
    std::vector<BandValue> bands; ///< in the scene's order
};

/// Every truth object of the scene that lies on usable pixels, partnered or not. Empty without truth.
[[nodiscard]] std::vector<RecoveryMatch> matchTruth(const Scene& scene, const Result& result,
                                                    const RecoveryOptions& options = {});

/// Statistics of the recovered among some truth objects in one band. Magnitude errors are measured minus true, from
/// ratios of fluxes, so that they need no zero point. NaN where there is nothing to say.
struct RecoveryStatistics {
    double bright = kNan, faint = kNan; ///< of true magnitude; NaN = all
    int truths = 0;                     ///< with a true flux in the band
    int recovered = 0;
    double bias = kNan;     ///< median magnitude error
    double scatter = kNan;  ///< 1.4826 MAD of the magnitude errors
    double within20 = kNan; ///< share of the truths recovered with a flux within 20 %
    double pullBias = kNan; ///< median of (flux - true) / error
    double pull = kNan;     ///< 1.4826 MAD of the same: 1 = honest errors
};
struct RecoveryBand {
    QString band;
    RecoveryStatistics all;
    std::vector<RecoveryStatistics> bins; ///< those that hold truths, bright ones first
};
struct RecoverySummary {
    int scenes = 0, truths = 0, recovered = 0;
    int detections = 0; ///< objects in the results, partnered or not
    double medianDistancePixels = kNan;
    std::vector<RecoveryBand> bands;
};
/// Gathers the matches of many scenes, which may differ in their bands.
class RecoveryTally {
public:
    explicit RecoveryTally(RecoveryOptions options = {}) : m_options(options) {}
    void add(const Scene& scene, const Result& result);
    [[nodiscard]] const std::vector<RecoveryMatch>& matches() const { return m_matches; }
    /// Band names of match i, in the order of its values.
    [[nodiscard]] const QStringList& bandsOf(size_t match) const { return m_bandsOf[m_sceneOf[match]]; }
    [[nodiscard]] RecoverySummary summary() const;

private:
    RecoveryOptions m_options;
    std::vector<RecoveryMatch> m_matches;
    std::vector<size_t> m_sceneOf;
    std::vector<QStringList> m_bandsOf;
    int m_detections = 0;
};

[[nodiscard]] QJsonObject toJson(const RecoverySummary& summary);

} // namespace blendscope
