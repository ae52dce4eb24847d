#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "detect/DetectionImage.h"
#include "detect/Sharpener.h"

#include <functional>

namespace blendscope {

class Progress;

/// Settings of Detector, SExtractor's names in brackets where they mean the same.
struct DetectorOptions {
    enum class Sky { Auto, Subtract, None };
    Sky sky = Sky::Auto;    ///< BACK_TYPE; Auto: see Background::looksUnsubtracted
    int meshPixels = 64;    ///< BACK_SIZE
    int filterMeshes = 3;   ///< BACK_FILTERSIZE
    double threshold = 5.0; ///< DETECT_THRESH: S/N of a point source that a peak must reach, sigma
    double edge = 2.5;      ///< FOOTPRINT_THRESH: footprints end here, sigma of the filtered image
    int minimumArea = 5;    ///< DETECT_MINAREA, pixels of a footprint
    int levels = 64; ///< DEBLEND_NTHRESH: peak and saddle must differ by one step of so many between edge and maximum
    double contrast =
        0.0005;              ///< DEBLEND_MINCONT: share of the footprint's light that a peak must have above its saddle
    double separation = 3.5; ///< sigma by which a peak of the filtered image must rise over its saddle
    bool sharpen = true;
    double leastSharpened = 8.0; ///< sigma; fainter footprints hold too little to sharpen
    double mergeFwhm = 0.67;     ///< peaks of the filtered image closer than this to a sharpened one are the same
    bool clean = true;           ///< CLEAN
    double cleanParameter = 2.5; ///< CLEAN_PARAM: exponent of the Moffat profile of wings (Trujillo et al. 2001)
    int mostPeaks = 500;         ///< of one footprint
    int threads = 0;
    QString key = QStringLiteral("threshold"); ///< of Result::conditions
    DetectionImageOptions image;
    SharpenOptions sharpening;
};

/// From a scene to footprints with peaks.
class Detector {
public:
    explicit Detector(const DetectorOptions& options) : m_options(options) {}

    /// Fills `footprints` (ids from 1, peaks brightest first, at least one each), `sky` and the member `key` of
    /// `conditions` of `result`. A sky and conditions that `result` already holds are used instead of measured. `warn`
    /// takes sentences for the user. Throws ReadError, CancelledError.
    void run(const Scene& scene, Result& result, Progress& progress,
             const std::function<void(const QString&)>& warn) const;

private:
    DetectorOptions m_options;
};

} // namespace blendscope
