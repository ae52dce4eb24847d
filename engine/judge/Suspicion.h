#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "judge/Judgement.h"

#include <QJsonObject>
#include <vector>

namespace blendscope {

class Progress;

/// What speaks for a suspected outcome where there is no truth.
enum class Evidence {
    Disagreement, ///< another result sees it otherwise
    Residual,     ///< light above the noise that no model explains
    Reference,    ///< a sharper or deeper catalogue or image
    Injection,    ///< an object injected nearby met this fate
    Count         ///< the method's own probabilities of counts
};
[[nodiscard]] QString evidenceWord(Evidence evidence); ///< "disagreement"

/// One suspected outcome at one place, with what to show for it. An annotator's word stands above all of them.
struct Suspicion {
    Outcome outcome = Outcome::Unknown; ///< suspected: Unrecognized, Shredded, Lost, Spurious
    Evidence evidence = Evidence::Residual;
    double x = 0.0, y = 0.0;     ///< pixel of the scene
    Box box;                     ///< pixels to show
    double strength = 0.0;       ///< from 0 to 1, comparable within one kind of evidence; the list is sorted by it
    double significance = kNan;  ///< sigma, where the evidence has one
    int blend = 0;               ///< Object::parent of the detections, 0 = none
    std::vector<int> detections; ///< ids in the result that is suspected
    QString source;              ///< the other result, the reference's name
    std::vector<int> others;     ///< ids in the other result, or rows (from 1) of the reference
    std::vector<PixelPosition> places; ///< where the other result or the reference sees objects, pixels of the scene
    QString words;
};

/// An object of a reference in the scene's pixels.
struct ReferenceObject {
    int row = 0; ///< from 1, in the catalogue
    double x = 0.0, y = 0.0;
    double flux = kNan; ///< any unit, the same for all
    double significance = kNan;
};

struct SuspicionOptions {
    double leastResidual = 5.0;     ///< sigma of a residual peak
    double modelError = 0.02;       ///< of a model's light: residuals must rise above it
    double leastFluxRatio = 0.05;   ///< of two reference objects in one detection: fainter ones do not count
    double leastSignificance = 5.0; ///< of reference objects that no detection holds
    double leastCount = 0.5;        ///< probability of another count than was found
    double reachFwhm = 10.0;        ///< injections speak for blends this close, FWHM
    int threads = 0;
};

/// (a) Another result of the same scene. One detection here whose pixels hold several there is suspected unrecognized;
/// the other way round, suspected shredded; detections that only one result has, suspected lost or spurious.
[[nodiscard]] std::vector<Suspicion> suspectDisagreement(const Scene& scene, const Result& result, const Result& other,
                                                         const QString& otherName,
                                                         const SuspicionOptions& options = {});

/// (b) Peaks of the matched-filtered residual inside footprints, against the sky's noise, the models' own Poisson
/// noise and an error of the models: suspected unrecognized. Empty without components. Throws ReadError,
/// CancelledError.
[[nodiscard]] std::vector<Suspicion> suspectResiduals(const Scene& scene, const Result& result, Progress& progress,
                                                      const SuspicionOptions& options = {});

/// (c) A reference in the scene's pixels: several of its objects in one detection, none in one, or one without any.
/// `complete`: the reference is deeper in the whole scene, so that detections without a partner are suspected spurious.
[[nodiscard]] std::vector<Suspicion> suspectByReference(const Scene& scene, const Result& result,
                                                        const std::vector<ReferenceObject>& reference,
                                                        const QString& name, bool complete,
                                                        const SuspicionOptions& options = {});

/// (d) Injected objects that were not recognized, near blends of a result of the scene without them.
[[nodiscard]] std::vector<Suspicion> suspectByInjections(const Scene& scene, const Result& result,
                                                         const Judgement& injections,
                                                         const SuspicionOptions& options = {});

/// (e) Blends whose count says more or fewer objects than were found (Blend::countProbabilities: suspected
/// unrecognized, shredded, or, where a single one would be none, spurious), and detections whose method says that they
/// hold more than one object (Object::extra: count_p0, count_p1, ...).
[[nodiscard]] std::vector<Suspicion> suspectByCounts(const Scene& scene, const Result& result,
                                                     const SuspicionOptions& options = {});

/// The objects of a result of another scene (sharper, deeper) in the pixels of this one, by both WCS. `offset`: median
/// distance of partners within an arcsecond, taken off where there are at least three; may be null. Throws UsageError
/// where a scene has no WCS.
[[nodiscard]] std::vector<ReferenceObject> referenceOf(const Scene& scene, const Result& result, const Scene& sharper,
                                                       const Result& seen, PixelPosition* offset = nullptr);

/// {"suspicions": [{"outcome", "evidence", "x", "y", "strength", "significance", "detections", "words", ...}]}
[[nodiscard]] QJsonObject toJson(const std::vector<Suspicion>& suspicions);
/// What toJson wrote. Throws ReadError where it is not that.
[[nodiscard]] std::vector<Suspicion> suspicionsFromJson(const QJsonObject& json);

} // namespace blendscope
