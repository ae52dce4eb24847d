#include "detect/Detector.h"
#include "method/Method.h"

namespace blendscope {

/// Detection by thresholding; see README.md.
class Threshold final : public Method {
public:
    Result run(const Scene& scene, Result input, const Parameters& p, MethodContext& context) override {
        DetectorOptions o;
        o.threshold = p.real(QStringLiteral("DETECT_THRESH"));
        o.edge = std::min(p.real(QStringLiteral("FOOTPRINT_THRESH")), o.threshold);
        o.minimumArea = p.integer(QStringLiteral("DETECT_MINAREA"));
        o.levels = p.integer(QStringLiteral("DEBLEND_NTHRESH"));
        o.contrast = p.real(QStringLiteral("DEBLEND_MINCONT"));
        o.separation = p.real(QStringLiteral("DEBLEND_SIGMA"));
        o.mostPeaks = p.integer(QStringLiteral("DEBLEND_MAXPEAKS"));
        o.sharpen = p.boolean(QStringLiteral("SHARPEN"));
        o.sharpening.significance = p.real(QStringLiteral("SHARPEN_SIGMA"));
        o.clean = p.boolean(QStringLiteral("CLEAN"));
        o.cleanParameter = p.real(QStringLiteral("CLEAN_PARAM"));
        o.meshPixels = p.integer(QStringLiteral("BACK_SIZE"));
        o.filterMeshes = p.integer(QStringLiteral("BACK_FILTERSIZE"));
        o.image.fallbackFwhmPixels = p.real(QStringLiteral("FALLBACK_FWHM"));
        o.image.chiSquareAnchor = o.threshold;
        const QString combine = p.text(QStringLiteral("COMBINE")), filter = p.text(QStringLiteral("FILTER"));
        using Image = DetectionImageOptions;
        o.image.combine = combine == QLatin1String("chi2")    ? Image::Combine::ChiSquare
                          : combine == QLatin1String("equal") ? Image::Combine::Equal
                                                              : Image::Combine::Weighted;
        o.image.filter = filter == QLatin1String("none")      ? Image::Filter::None
                         : filter == QLatin1String("pyramid") ? Image::Filter::Pyramid
                                                              : Image::Filter::Psf;
        const QString sky = p.text(QStringLiteral("BACK_TYPE"));
        o.sky = sky == QLatin1String("subtract") ? DetectorOptions::Sky::Subtract
                : sky == QLatin1String("none")   ? DetectorOptions::Sky::None
                                                 : DetectorOptions::Sky::Auto;
        o.threads = context.threads;
        Detector(o).run(scene, input, *context.progress, context.warn);
        return input;
    }
};

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::Threshold)
