#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "judge/ImageMetrics.h"
#include "judge/Judgement.h"
#include "judge/MatchOutcome.h"
#include "judge/PrecisionRecall.h"
#include "judge/Reliability.h"

#include <array>
#include <optional>
#include <vector>

namespace blendscope {

/// What counts when a result is scored. The defaults are those of the peers' figures that Blendscope is compared with.
struct ScoreOptions {
    double radiusArcsec = 1.0;  ///< of matching; 5 pixels where the pixel scale is unknown
    double leastSnr = 10.0;     ///< a true object counts from this S/N on ...
    double knownSnr = 2.0;      ///< ... fainter ones down to here explain detections but are not asked for
    double marginPixels = 10.0; ///< border in which nothing counts; none in stamps
    int stampSide = 200;        ///< scenes no larger than this are stamps: all their objects are one blend
    double linkArcsec = 2.0;    ///< friends of friends in larger scenes
    double fwhmArcsec = 0.0;    ///< for match outcomes; 0 = the PSF's in the reference band
    QString band;               ///< of reference (blendedness, magnitudes, masks); empty = the one nearest to 750 nm
    bool byPosition = false;    ///< objects belong to the truth in whose row they were asked for (Object::position)
    bool images = true;         ///< compare components with the isolated images, where both are there
    bool masks = true;          ///< compare segmentation with the true one
    bool draw = true;           ///< isolated images from the truth table through the PSFs, where the scene has none
    double countSnr = 5.0;      ///< objects from this S/N on are what a stated count of objects is held against
};

/// One true object in one band.
struct BandScore {
    double trueFlux = kNan, trueSnr = kNan; ///< counts; matched filter, alone
    double flux = kNan, fluxErr = kNan;     ///< NaN where it was not found
    double undeblended = kNan;              ///< light of the whole footprint that it lies in, sky off
    /// Measured / true - 1.
    [[nodiscard]] double error() const { return trueFlux > 0.0 ? flux / trueFlux - 1.0 : double(kNan); }
};

/// One true object that is known (S/N at or above ScoreOptions::knownSnr) and where it can be seen.
struct TruthScore {
    int truth = 0; ///< row of Truth::objects
    int truthId = 0;
    QString kind;
    double x = 0.0, y = 0.0;
    bool eligible = false;
    double snr = kNan;
    double magnitude = kNan; ///< in the reference band
    double hlrArcsec = kNan;
    double blendedness = kNan;         ///< 1 - sum s^2 / sum s t: 0 alone, towards 1 buried
    double neighbourArcsec = 99.0;     ///< to the nearest other eligible object; 99 = none
    double neighbourMagnitudes = kNan; ///< neighbour - own: negative where the neighbour is brighter
    int group = -1;                    ///< row of SceneScore::groups; -1 where not eligible

    int objectId = 0; ///< 0 = not found
    double distancePixels = kNan;
    std::uint32_t flags = 0;
    MatchOutcome outcome = MatchOutcome::Missed;
    bool secondary = false;
    Outcome verdict = Outcome::Unknown; ///< where judged
    bool detectedAlone = false;         ///< likewise
    /// Of the blend whose faintest object this is: a blend is put into bins by it. Unknown for all others.
    Outcome blendOutcome = Outcome::Unknown;

    std::vector<BandScore> bands;     ///< in the scene's order
    std::vector<ImageMetrics> images; ///< likewise; empty = not compared; msr in units of the sky's variance
    double maskIou = kNan;
    double chi2 = kNan;      ///< of residuals per pixel, all bands, in the footprint in which it was found
    double sizeError = kNan; ///< ln(half-light radius / true)
    double e1Error = kNan, e2Error = kNan; ///< as seen, (a^2 - b^2) / (a^2 + b^2): measured - true
};

struct DetectionScore {
    int objectId = 0;
    double x = 0.0, y = 0.0;
    bool matched = false;               ///< with a known object
    bool point = false;                 ///< the true partner is a star
    double pStar = kNan;                ///< of matched ones
    double magnitude = kNan;            ///< measured, reference band
    double snr = kNan;                  ///< as detected, else of the flux in the reference band
    Outcome verdict = Outcome::Unknown; ///< where judged
};

/// The true objects of one blend.
struct GroupScore {
    std::vector<int> members;       ///< rows of SceneScore::truths
    double separationArcsec = 99.0; ///< least distance of two members
    [[nodiscard]] bool blend() const { return members.size() > 1; }
};

/// What became of a blend, where judged.
struct BlendOutcome {
    Outcome outcome = Outcome::Unknown;
    double x = 0.0, y = 0.0;  ///< of its first object
    std::vector<int> members; ///< rows of SceneScore::truths
};

/// Pixels of one class (background, star, galaxy).
struct ClassScore {
    static constexpr int kTiles = 4; ///< a side
    QString name;
    double intersection = 0.0, united = 0.0;
    std::array<double, kTiles * kTiles> both{}, either{}; ///< the same in each tile of the scene, row by row
};

/// Squared residuals in sigma over the pixels of one footprint, all bands.
struct ResidualScore {
    double x = 0.0, y = 0.0; ///< middle of the footprint's box
    double chi2 = 0.0, pixels = 0.0;
};

/// One scene, scored: rows that MetricsBuilder turns into numbers and curves.
struct SceneScore {
    QString sceneId;
    QStringList bands;
    int reference = 0; ///< band
    cv::Size size;
    double pixelScale = 0.2, fwhmArcsec = kNan;
    double depth = kNan; ///< 5 sigma magnitude of a point source in the reference band
    bool stamp = true;
    std::vector<TruthScore> truths;
    std::vector<DetectionScore> detections; ///< inside the margin
    std::vector<GroupScore> groups;
    std::vector<PixelPosition> spurious; ///< detections that nothing explains, by position alone
    bool complete = true; ///< false: there are objects that truth does not name (injections): no purity, no precision
    bool judged = false;
    std::vector<BlendOutcome> blends; ///< Judgement's, those of several objects or detections
    OverlapScene masks, boxes;        ///< truths are rows of Truth::objects
    std::vector<ClassScore> classes;
    std::vector<Forecast> starForecasts, countForecasts; ///< unit not set; member = row of truths, or -1
    std::vector<ResidualScore> residuals;                ///< a row a footprint with models
    double seconds = kNan;                               ///< of computing
    int objects = 0;                                     ///< all detections, the margin's too
    int withoutFlux = 0;                                 ///< of these, without a finite flux in any band
    QString failure;                                     ///< a sentence, where the method failed

    [[nodiscard]] int eligibleCount() const;
    [[nodiscard]] int foundCount() const; ///< of the eligible
};

/// Scores a result against the scene's truth. Scenes without truth give an empty score with detections and seconds.
/// Throws ReadError.
[[nodiscard]] SceneScore scoreScene(const Scene& scene, const Result& result, const ScoreOptions& options = {});

/// Whether truth names every object in the image, as far as the scene says: no where all of it is marked as injected,
/// yes where the image without noise came with it; nothing = unknown.
[[nodiscard]] std::optional<bool> truthNamesAll(const Scene& scene);

/// Takes over the outcomes of a judgement of the same scene and result. Detections of which it knows nothing say that
/// truth is not complete.
void addJudgement(SceneScore& score, const Judgement& judgement);

/// The band that ScoreOptions::band names, or the one nearest to 750 nm, or the middle one. Throws UsageError for a
/// name that the scene does not have; -1 for a scene without bands.
[[nodiscard]] int referenceBand(const Scene& scene, const QString& name = {});

/// Ids of the true objects by pixel: the truth segmentation, or the brightest isolated image where their sum in the
/// reference band exceeds one sigma of the sky. CV_32S of the scene; empty where the scene has neither.
[[nodiscard]] cv::Mat trueSegmentation(const Scene& scene, int band);

} // namespace blendscope
