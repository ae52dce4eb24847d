#pragma once

#include "core/Box.h"
#include "judge/Judgement.h"

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// What is known of one true object before it is held against detections.
struct AttributionTruth {
    int id = 0;
    double x = 0.0, y = 0.0; ///< pixel; an object whose position is not finite is Outside
    bool usable = true;      ///< false: outside the usable pixels
    bool known = true;       ///< TruthVerdict::known
    /// Its noiseless light in signal to noise per pixel, the bands added up with one weight for all objects, so that
    /// lights of objects add up too: CV_32F of `box`. May be empty.
    Box box;
    cv::Mat light;
    double snr = 0.0; ///< noiseless matched-filter S/N
    int detectionsAlone = 0;
    double significanceAlone = std::numeric_limits<double>::quiet_NaN();
};

struct AttributionDetection {
    int id = 0; ///< > 0, unique
    double x = 0.0, y = 0.0;
    int parent = 0; ///< footprint; 0 = none
};

struct AttributionInput {
    cv::Size size;
    std::vector<AttributionTruth> truths;
    std::vector<AttributionDetection> detections;
    cv::Mat labels;      ///< CV_32S of `size`: the id of the detection that owns a pixel, 0 = none; may be empty
    double radius = 2.0; ///< pixel: a detection this close to an object can be its own
    double reach = 6.0;  ///< pixel: a detection this close can be its own where no other object is nearer
    double footprintLevel = 0.4; ///< light above this, S/N per pixel, hangs together: about the edge of a footprint
    double leastSnr = 1.0;       ///< fainter objects are invisible and count nowhere
    double leastShare = 0.2;     ///< of an object's light that a detection must hold to be its host
    bool complete = true;        ///< JudgeOptions::complete
};

/// The pure part of judging: from objects, with what would be detected of each alone, and detections to the verdict of
/// every one. Each object and each detection ends up in exactly one blend. In order:
/// 1. Objects that would be detected alone get detections of their own, one to one: as many pairs within `radius` as
///    possible at the least sum of distances; then pairs within `reach` of each other with no object nearer; then
///    detections on whose pixel the object's light is the brightest.
/// 2. Detections left over that lie within `radius` of an object that would not be detected alone are its own.
/// 3. An object without a detection of its own is held by the detection that owns its brightest pixel, else by the one
///    that has the largest share of its light, else by the nearest one whose light hangs together with its own.
/// 4. Detections left over are pieces of the object that is brightest on their pixel, else of the nearest object in
///    their footprint, else spurious.
/// 5. Objects and detections that hang together by these ties, by a footprint, or by light above `footprintLevel` are a
///    blend. Its outcome is that of most of its objects where something failed (unrecognized, lost, shredded); else
///    merged, undetected, boosted; else recognized.
/// The order of the input plays no part but in ties. Words are made here too.
[[nodiscard]] Judgement attribute(const AttributionInput& input);

/// The outcome of some objects taken as one blend, from their verdicts: for blends of one judgement looked at in
/// another (a further noise realisation). `also` may be null.
[[nodiscard]] Outcome outcomeOfMembers(const Judgement& judgement, const std::vector<int>& members,
                                       std::vector<Outcome>* also = nullptr);

} // namespace blendscope
