#include "FirstPass.h"
#include "ResidualInput.h"
#include "ResidualTask.h"
#include "core/Error.h"
#include "detect/Positions.h"
#include "method/Method.h"
#include "method/ResidualIteration.h"
#include "neural/ModelFile.h"
#include "neural/Patch.h"
#include "neural/RegionSearch.h"
#include "neural/TorchDevice.h"

#include <cmath>
#include <map>

namespace blendscope {

namespace {

/// Electrons per count where a model's Poisson noise must be added to the variance plane, 0 = it is in there.
std::vector<double> missingGain(const Scene& scene) {
    std::vector<double> gain;
    for (const Band& band : scene.bands) {
        gain.push_back(band.varianceIsSkyOnly ? band.gain : 0.0);
    }
    return gain;
}

struct Addition {
    double x = 0.0, y = 0.0;
    int round = 0;
    float score = 0.0f;
};

/// The evidence for the eye: which objects came in which round.
void recordRounds(Result& result, const std::vector<Addition>& additions) {
    std::map<std::pair<double, double>, const Addition*> at;
    for (const Addition& a : additions) {
        at[{a.x, a.y}] = &a;
    }
    for (Object& object : result.objects) {
        const auto it = at.find({object.peakX, object.peakY});
        object.extra[QStringLiteral("round")] = it == at.end() ? 0.0 : it->second->round;
        if (it == at.end()) continue;
        const Addition& a = *it->second;
        object.extra[QStringLiteral("score")] = double(a.score);
        for (Blend& blend : result.blends) {
            if (blend.id != object.parent) continue;
            SourceCandidate c;
            c.x = a.x;
            c.y = a.y;
            c.step = a.round;
            c.object = object.id;
            c.reason = QStringLiteral("found in the residual of round %1, score %2")
                           .arg(a.round)
                           .arg(double(a.score), 0, 'f', 2);
            blend.candidates.push_back(c);
        }
    }
}

} // namespace

/// See README.md.
class ResidualMaskRcnn final : public Method {
public:
    Result run(const Scene& scene, Result input, const Parameters& p, MethodContext& context) override {
        const FirstPass pass(Registry(), p.text(QStringLiteral("DETECTOR")), p.text(QStringLiteral("DEBLENDER")));
        const int rounds = p.integer(QStringLiteral("ROUNDS"));
        RegionNet net{nullptr};
        if (rounds > 0) {
            const ModelFile model = ModelFile::open(modelFolder(p.text(QStringLiteral("MODEL")), context.folder),
                                                    QStringLiteral("residual_mask_rcnn"), kResidualArchitecture);
            net = buildResidualNet(model.network());
            model.load(*net);
        }
        Result result = std::move(input);
        const bool given = !result.footprints.empty();
        if (!given) result = pass.detect(scene, std::move(result), context);
        // Positions that the user gave are all there is.
        const bool fixed =
            given && std::any_of(result.footprints.begin(), result.footprints.end(), [](const auto& f) {
                return std::any_of(f.peaks.begin(), f.peaks.end(), [](const Peak& peak) { return peak.position >= 0; });
            });
        if (result.components.empty() || fixed) result = pass.deblend(scene, std::move(result), context);
        if (fixed || !result.complete) return result;

        std::vector<Addition> additions;
        for (int round = 1; round <= rounds && result.complete; ++round) {
            const std::vector<RegionDetection> found = search(net, scene, result, p, context);
            Result fresh;
            fresh.sky = result.sky;
            std::vector<PixelPosition> positions;
            for (const RegionDetection& d : found) {
                positions.push_back({double(d.x), double(d.y)});
            }
            usePositions(scene, fresh, positions);
            for (Footprint& f : fresh.footprints) {
                for (Peak& peak : f.peaks) {
                    peak.position = -1;
                }
            }
            if (mergeResidualPeaks(scene, fresh, result, p.real(QStringLiteral("NEAREST"))) == 0) break;
            for (const RegionDetection& d : found) {
                additions.push_back({double(d.x), double(d.y), round, d.score});
            }
            result = pass.deblend(scene, std::move(result), context);
        }
        recordRounds(result, additions);
        return result;
    }

private:
    static std::vector<RegionDetection> search(const RegionNet& net, const Scene& scene, const Result& result,
                                               const Parameters& p, const MethodContext& context) {
        const SlottedBands bands = SlottedBands::of(scene);
        const PatchReader reader(scene, result.sky);
        const std::vector<double> gain = missingGain(scene);
        const std::vector<Peak> peaks = peaksOf(result);
        const auto read = [&](const Box& box) {
            const Patch patch = reader.read(box);
            return residualInput(patch, modelIn(result, box, scene.bands.size()), gain, bands.matched, peaks);
        };
        RegionSearch::Options options;
        options.device = torchDevice(context.device);
        options.threads = context.threads;
        options.tile = p.integer(QStringLiteral("TILE"));
        options.detector.leastScore = static_cast<float>(p.real(QStringLiteral("SCORE")));
        options.detector.masks = false;
        return RegionSearch(net, scene.size, bands, read, options).find(*context.progress, context.warn);
    }
};

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::ResidualMaskRcnn)
