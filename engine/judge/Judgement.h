#pragma once

#include "core/Box.h"
#include "judge/Outcome.h"

#include <QJsonObject>
#include <QMap>
#include <QString>
#include <QStringList>
#include <limits>
#include <vector>

namespace blendscope {

/// What became of one true object, with the evidence.
struct TruthVerdict {
    int id = 0; ///< of the truth table
    /// Recognized, Unrecognized, Shredded, Merged, Undetected, Lost, Boosted, Invisible, Outside.
    Outcome outcome = Outcome::Outside;
    int blend = 0;  ///< BlendVerdict::id; 0 = outside
    QString letter; ///< in its blend, A the brightest
    double x = 0.0, y = 0.0;
    /// False: not of the truth table, but seen in the image without the objects that are (a real neighbour of an
    /// injection); the id is negative then.
    bool known = true;
    int own = 0;                 ///< the detection that is its own, one to one; 0 = none
    int host = 0;                ///< the detection that holds its light: `own`, else the one it shares; 0 = none
    std::vector<int> detections; ///< host and further pieces of it
    std::vector<int> sharedWith; ///< true objects in the same detection
    bool detectedAlone = false;  ///< by the same detector, alone in the same noise
    int detectionsAlone = 0;     ///< more than one: it is shredded even when alone
    double significanceAlone = std::numeric_limits<double>::quiet_NaN(); ///< of that detection, sigma
    double snr = std::numeric_limits<double>::quiet_NaN(); ///< noiseless matched-filter S/N, the judged bands together
    /// Light of the other objects in its own pixels: 0 alone, towards 1 buried (as BTK's blendedness).
    double blendedness = std::numeric_limits<double>::quiet_NaN();
    QString words;                     ///< a sentence: "B would be detected alone, but shares detection 17 with A."
    QMap<Outcome, double> probability; ///< over noise realisations; empty without
    double aloneProbability = std::numeric_limits<double>::quiet_NaN(); ///< share of realisations detected alone
};

/// What one detection is.
struct DetectionVerdict {
    int id = 0; ///< of the catalogue
    /// Recognized (one object), Unrecognized (several that would be detected alone), Shredded (a piece of an object
    /// that has several), Undetected (one object, and others that would not be detected alone), Merged, Boosted,
    /// Spurious, Unknown (where truth is not complete).
    Outcome outcome = Outcome::Unknown;
    int blend = 0; ///< BlendVerdict::id
    double x = 0.0, y = 0.0;
    int owner = 0;           ///< true object whose own detection it is; 0 = none
    int pieceOf = 0;         ///< true object of which it is a further piece; 0 = none
    std::vector<int> truths; ///< true objects that it holds
    QString words;
};

/// A group of true objects and detections whose light or footprints hang together; each is in exactly one.
struct BlendVerdict {
    int id = 0;                  ///< from 1, by the place of the first member
    Box box;                     ///< pixels of its light and detections
    std::vector<int> members;    ///< true objects, brightest first
    std::vector<int> detections; ///< of the catalogue
    int nSep = 0;                ///< members that would be detected alone
    int nUnsep = 0;              ///< members that would not, of those bright enough to count
    int nBlend = 0;              ///< detections
    Outcome outcome = Outcome::Unknown;
    std::vector<Outcome> also; ///< what else happened in it, worst first
    QString words;             ///< a sentence with the counts
    QMap<Outcome, double> probability;

    bool known = true; ///< holds an object of the truth table, or truth is complete

    /// More than one object, or an object with more than one detection: the other groups are no blends but stand in the
    /// list all the same.
    /// Where nothing was detected and nothing would be detected of its objects alone, nothing is asked of a detector.
    [[nodiscard]] bool isBlend() const {
        return known && outcome != Outcome::Invisible && nSep + nUnsep > 0 && (nSep + nUnsep > 1 || nBlend > 1);
    }
};

/// A result held against the truth: every true object, every detection and every blend with its verdict. Immutable once
/// made.
struct Judgement {
    QString sceneId;
    QStringList bands;                        ///< in which was judged
    std::vector<TruthVerdict> objects;        ///< in the order of the truth table
    std::vector<DetectionVerdict> detections; ///< in the order of the catalogue
    std::vector<BlendVerdict> blends;         ///< sorted by id
    QStringList notes;                        ///< sentences: what was assumed, what could not be judged
    QJsonObject pipeline;                     ///< that detected
    int isolatedScenes = 0;                   ///< runs made to see each object alone
    int realisations = 0;                     ///< of the noise, besides the one in the image
    double seconds = 0.0;

    [[nodiscard]] const TruthVerdict* object(int truthId) const; ///< null if absent
    [[nodiscard]] const DetectionVerdict* detection(int id) const;
    [[nodiscard]] const BlendVerdict* blend(int id) const;
};

/// Counts and shares of outcomes, added up over judgements.
struct OutcomeRates {
    QMap<Outcome, int> objects, detections;
    QMap<Outcome, int> detectable; ///< of the objects, those that would be detected alone
    QMap<Outcome, int> blends;     ///< those with isBlend()
    int scenes = 0;

    void add(const Judgement& judgement);
    [[nodiscard]] int objectsJudged() const; ///< without Outside
    [[nodiscard]] int blendsTotal() const;
};

/// {"blends": {"total": n, "counts": {}, "recognized": share, ...}, "objects": {...}, "detections": {...},
///  "detected_alone": {"total": n, "recognized": share, ...}}
[[nodiscard]] QJsonObject toJson(const OutcomeRates& rates);

/// {"scene_id", "bands", "notes", "pipeline", "objects": [{"id", "verdict", "detections": [], ...}],
///  "detections": [...], "blends": [{"members", "n_sep", "n_unsep", "n_blend", "outcome", ...}], "singles": [...],
///  "rates": {}}. Groups that are no blends are listed as singles.
[[nodiscard]] QJsonObject toJson(const Judgement& judgement);
/// What toJson wrote; what is missing stays empty. Throws ReadError where it is no judgement at all.
[[nodiscard]] Judgement judgementFromJson(const QJsonObject& json);

} // namespace blendscope
