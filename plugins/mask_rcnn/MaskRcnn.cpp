#include "MaskDeblender.h"
#include "MaskRcnnTask.h"
#include "core/Error.h"
#include "detect/Detector.h"
#include "detect/Positions.h"
#include "method/Method.h"
#include "neural/ModelFile.h"
#include "neural/Patch.h"
#include "neural/RegionSearch.h"
#include "neural/TorchDevice.h"

#include <cmath>

namespace blendscope {

namespace {

/// Footprints and sky: where light is, in which the network says what it is.
Detector footprintDetector(const Parameters& p, const MethodContext& context) {
    DetectorOptions o;
    o.sharpen = false;
    o.threads = context.threads;
    o.key = QStringLiteral("mask_rcnn");
    const QString sky = p.text(QStringLiteral("BACK_TYPE"));
    o.sky = sky == QLatin1String("subtract") ? DetectorOptions::Sky::Subtract
            : sky == QLatin1String("none")   ? DetectorOptions::Sky::None
                                             : DetectorOptions::Sky::Auto;
    return Detector(o);
}

} // namespace

/// See README.md.
class MaskRcnn final : public Method {
public:
    Result run(const Scene& scene, Result input, const Parameters& p, MethodContext& context) override {
        const ModelFile model = ModelFile::open(modelFolder(p.text(QStringLiteral("MODEL")), context.folder),
                                                QStringLiteral("mask_rcnn"), kMaskRcnnArchitecture);
        RegionNet net = buildMaskRcnn(model.network());
        model.load(*net);

        // Given peaks are kept as they are: the network then only says what lies at each.
        const bool given = !input.footprints.empty();
        Result result = std::move(input);
        if (!given) footprintDetector(p, context).run(scene, result, *context.progress, context.warn);

        RegionSearch::Options options;
        options.device = torchDevice(context.device);
        options.threads = context.threads;
        options.tile = p.integer(QStringLiteral("TILE"));
        options.detector.leastScore = static_cast<float>(p.real(QStringLiteral("SCORE")));
        options.detector.leastProposal = static_cast<float>(p.real(QStringLiteral("PROPOSAL_SCORE")));
        options.detector.nearest = static_cast<float>(p.real(QStringLiteral("NEAREST")));
        options.detector.masks = p.boolean(QStringLiteral("MASKS"));
        const PatchReader reader(scene, result.sky);
        const SlottedBands bands = SlottedBands::of(reader);
        const Preprocessing preprocessing = regionPreprocessing();
        const auto read = [&](const Box& box) { return preprocessing.encode(reader.read(box), bands.matched); };
        RegionSearch search(net, scene.size, bands, read, options);

        std::vector<RegionDetection> detections;
        if (given) {
            std::vector<PixelPosition> positions;
            for (const Footprint& f : result.footprints) {
                for (const Peak& peak : f.peaks) {
                    positions.push_back({peak.x, peak.y});
                }
            }
            detections = search.lookAt(positions, *context.progress, context.warn);
        } else {
            detections = search.find(*context.progress, context.warn);
            std::vector<PixelPosition> positions;
            for (const RegionDetection& d : detections) {
                positions.push_back({d.x, d.y});
            }
            usePositions(scene, result, positions);
            for (Footprint& f : result.footprints) {
                for (Peak& peak : f.peaks) {
                    peak.position = -1;
                }
            }
        }
        if (!p.boolean(QStringLiteral("MASKS"))) return result;

        MaskDeblender deblender(detections, bands.slots);
        result = deblender.run(scene, std::move(result), p, context);
        for (Object& object : result.objects) {
            const RegionDetection* d = deblender.at(object.peakX, object.peakY);
            if (!d) continue;
            object.pStar = d->star;
            object.kind = d->star > 0.5f ? QStringLiteral("star") : QStringLiteral("galaxy");
        }
        return result;
    }
};

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::MaskRcnn)
