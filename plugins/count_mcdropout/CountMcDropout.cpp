#include "CountNet.h"
#include "CountStamp.h"
#include "CountTask.h"
#include "method/Method.h"
#include "neural/ModelFile.h"
#include "neural/TorchDevice.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kBatch = 16; ///< footprints computed together up to the first dropout

/// The blend of a footprint; null where it was not deblended.
Blend* blendOf(Result& result, const Footprint& footprint) {
    const auto at = std::lower_bound(result.blends.begin(), result.blends.end(), footprint.id,
                                     [](const Blend& b, int id) { return b.id < id; });
    return at != result.blends.end() && at->id == footprint.id ? &*at : nullptr;
}

} // namespace

/// Probabilities of the number of objects in every footprint; see README.md.
class CountMcDropout final : public Method {
public:
    Result run(const Scene& scene, Result input, const Parameters& parameters, MethodContext& context) override {
        Result result = std::move(input);
        const ModelFile model = ModelFile::open(modelFolder(parameters.text(QStringLiteral("MODEL")), context.folder),
                                                QStringLiteral("count_mcdropout"), 1);
        const Preprocessing preprocessing = model.preprocessing();
        const PatchReader reader(scene, result.sky);
        std::vector<double> wavelengths;
        for (const Band& band : scene.bands) {
            wavelengths.push_back(band.wavelength);
        }
        QString assumed;
        const std::vector<int> matched = preprocessing.matchOrAssume(scene.bandNames(), wavelengths, assumed);
        if (!assumed.isEmpty()) context.warn(QStringLiteral("count_mcdropout: ") + assumed);
        const torch::Device device = torchDevice(context.device);
        useTorchThreads(context.threads);
        CountNet net = makeCountNet(model.network());
        model.load(*net);
        net->to(device);
        const int passes = parameters.integer(QStringLiteral("PASSES"));
        const auto seed = static_cast<std::uint64_t>(parameters.integer(QStringLiteral("SEED")));

        std::vector<const Footprint*> counted;
        int large = 0;
        for (const Footprint& f : result.footprints) {
            if (!blendOf(result, f)) continue;
            if (fitsCountStamp(f)) {
                counted.push_back(&f);
            } else {
                ++large;
            }
        }
        if (large > 0) {
            context.warn(QStringLiteral("count_mcdropout: %1 footprints are larger than %2 pixels and were not counted")
                             .arg(large)
                             .arg(kCountSide));
        }
        context.progress->begin(QStringLiteral("counting"), static_cast<long long>(counted.size()));
        for (size_t start = 0; start < counted.size(); start += kBatch) {
            const size_t end = std::min(counted.size(), start + kBatch);
            std::vector<torch::Tensor> stamps;
            for (size_t i = start; i < end; ++i) {
                const Box box = countBox(*counted[i]);
                stamps.push_back(countInput(preprocessing, reader.read(box), matched, counted[i]->mask(box)));
            }
            context.progress->check();
            const torch::Tensor p = net->passes(torch::stack(stamps).to(device), passes, seed).cpu();
            const torch::Tensor mean = p.mean(0), spread = p.std(0, false);
            for (size_t i = start; i < end; ++i) {
                Blend& blend = *blendOf(result, *counted[i]);
                const auto row = std::int64_t(i - start);
                blend.countProbabilities.clear();
                blend.countSpread.clear();
                for (std::int64_t k = 0; k < mean.size(1); ++k) {
                    blend.countProbabilities.push_back(mean[row][k].item<float>());
                    blend.countSpread.push_back(spread[row][k].item<float>());
                }
                context.progress->advance();
            }
        }
        return result;
    }
};

} // namespace blendscope

BLENDSCOPE_METHOD(blendscope::CountMcDropout)
