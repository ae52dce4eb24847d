#pragma once

#include <QString>
#include <vector>

namespace blendscope {

/// What became of a blend, of a true object or of a detection. The first five are the outcomes of a pair of objects:
/// they follow from how many objects would be detected if each stood alone, how
/// many would not, and how many detections the blend has. The others say what five words cannot.
enum class Outcome {
    Recognized,   ///< every object has one detection of its own
    Unrecognized, ///< would be detected alone, but shares a detection with another such object
    Shredded,     ///< more detections than objects
    Merged,       ///< none of the objects would be detected alone, together they are
    Undetected,   ///< would not be detected alone, its light is in another object's detection
    Lost,         ///< would be detected alone, but no detection holds it
    Boosted,      ///< would not be detected alone, yet has a detection of its own
    Invisible,    ///< would not be detected alone, and is in no detection
    Spurious,     ///< a detection without an object
    Single,       ///< an object alone in its footprint, detected once
    Unknown,      ///< cannot be judged: no true object is known here
    Outside       ///< a true object outside the usable pixels, or without a position
};

/// "recognized"; the word in catalogues and JSON.
[[nodiscard]] QString outcomeWord(Outcome outcome);
/// Unknown for words that mean no outcome.
[[nodiscard]] Outcome outcomeFromWord(const QString& word);
[[nodiscard]] const std::vector<Outcome>& allOutcomes();

} // namespace blendscope
