#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "detect/Detector.h"
#include "simulate/StampStream.h"

#include <QJsonObject>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace blendscope {

/// An object of a simulated stamp, with what a training target needs.
struct StampObject {
    double x = 0.0, y = 0.0;    ///< pixel of the stamp
    double snr = 0.0;           ///< matched-filter S/N of the object alone over the stamp's bands, sky noise only
    bool star = false;          ///< a point
    std::vector<double> flux;   ///< total, counts, per band of the stamp
    std::vector<cv::Mat> light; ///< noiseless, alone, CV_32F [y, x] of the stamp, counts, per band
};

/// A simulated stamp as a detector sees it. The scene's planes are in memory.
struct DetectedStamp {
    Scene scene;       ///< some or all bands of the survey, sky-only variances
    Result detections; ///< footprints, peaks
    std::vector<StampObject> objects;
    std::vector<cv::Mat> noiseless; ///< all objects together, per band
    std::vector<float> sigma;       ///< rms of the sky, counts, per band
};

/// An endless series of simulated stamps with the detections of engine/detect on them, so that methods that work on
/// detections are trained on what they will meet. Stamp number i is the same for the same (settings, seed, i), whoever
/// asks for it. The last few are kept, for those who take several samples of one. Safe from many threads.
///
/// Settings (JSON, all but "mixture" optional):
/// - "mixture": list of {"share": weight, "recipe": {...} as for the simulator, all of one size}
/// - "bands": {"all": 0.5, "several": 0.25, "single": 0.25}: how often a stamp keeps all bands of its survey, a random
///   part of at least two, or one. What is left out is unknown to the detector too.
/// - "noise": [1, 3]: noise is added until the sky's rms has grown by a factor between these, even in its logarithm;
///   "noise_share": 0.5 of the stamps get any
/// - "threshold": 5, "edge": 2.5: of the detection, sigma; "sharpen": look for peaks in a sharpened image too (true)
class DetectedStamps {
public:
    /// Throws UsageError that names the key, ReadError.
    DetectedStamps(const QJsonObject& settings, std::uint64_t seed);

    /// 0 <= index < 2^31.
    [[nodiscard]] std::shared_ptr<const DetectedStamp> stamp(int index) const;

    [[nodiscard]] cv::Size size() const { return m_size; }

private:
    struct Part {
        double share = 1.0;
        StampStream stream;
    };
    [[nodiscard]] std::vector<size_t> chooseBands(class Random& random, size_t bands) const;
    [[nodiscard]] DetectedStamp make(int index) const;

    std::vector<Part> m_parts;
    cv::Size m_size;
    std::uint64_t m_seed;
    double m_all = 1.0, m_several = 0.0, m_single = 0.0;
    double m_noiseLow = 1.0, m_noiseHigh = 1.0, m_noiseShare = 0.5;
    DetectorOptions m_detector;
    mutable std::mutex m_mutex;
    mutable std::deque<std::pair<int, std::shared_ptr<const DetectedStamp>>> m_last;
};

} // namespace blendscope
