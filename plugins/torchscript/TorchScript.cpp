#include "ScriptDeblender.h"

#include "method/Method.h"
#include "neural/StampBatcher.h"
#include "neural/Tiler.h"

using namespace blendscope;

namespace {

/// A model that was exported from Python, as its JSON file says what it takes and gives. MethodContext::folder is that
/// file.
class TorchScript final : public Method {
public:
    Result run(const Scene& scene, Result input, const Parameters& parameters, MethodContext& context) override {
        ScriptModel model(context.folder);
        Result result = std::move(input);
        if (model.hasOutput(ScriptOutput::Meaning::ClassPlanes)) classify(model, scene, result, context);
        if (model.hasOutput(ScriptOutput::Meaning::CountProbabilities)) count(model, scene, result, context);
        if (model.hasOutput(ScriptOutput::Meaning::ComponentImages) ||
            model.hasOutput(ScriptOutput::Meaning::InstanceMasks))
            result = ScriptDeblender(model).run(scene, std::move(result), parameters, context);
        return result;
    }

private:
    static void classify(ScriptModel& model, const Scene& scene, Result& result, MethodContext& context) {
        const PatchReader reader(scene, result.sky);
        const std::vector<int> matched =
            model.preprocessing().match(scene.bandNames(), reader.read({0, 0, 1, 1}).wavelength);
        std::vector<cv::Mat> planes;
        Tiler::Options options;
        options.stride = model.stride();
        options.margin = model.margin();
        options.tile = model.tile();
        options.device = torchDevice(context.device);
        options.threads = context.threads;
        Tiler::Calls calls;
        calls.read = [&](const Box& box) { return model.preprocessing().encode(reader.read(box), matched); };
        calls.forward = [&](const torch::Tensor& x) { return model.run(x); };
        calls.take = [&](const Box& valid, const std::vector<torch::Tensor>& outputs) {
            const torch::Tensor& classes = outputs.front();
            if (classes.size(1) != valid.height)
                throw MethodError(QStringLiteral("class planes must have the scene's pixels, one for one"));
            while (static_cast<std::int64_t>(planes.size()) < classes.size(0)) {
                planes.push_back(cv::Mat::zeros(scene.size, CV_32F));
            }
            for (std::size_t k = 0; k < planes.size(); ++k) {
                placeTile(classes[static_cast<std::int64_t>(k)], valid, planes[k]);
            }
        };
        calls.moveTo = [&](const torch::Device& device) { model.moveTo(device); };
        calls.warn = context.warn;
        Tiler(options).run(scene.size, calls, *context.progress);
        result.classPlanes = planes;
        result.classNames.clear();
        const QStringList& names = model.outputs().front().names;
        for (std::size_t k = 0; k < planes.size(); ++k) {
            const auto i = static_cast<qsizetype>(k);
            result.classNames.push_back(i < names.size() ? names[i] : QStringLiteral("class%1").arg(k));
        }
    }

    static void count(ScriptModel& model, const Scene& scene, Result& result, MethodContext& context) {
        const auto output = static_cast<std::size_t>(model.outputIndex(ScriptOutput::Meaning::CountProbabilities));
        const PatchReader reader(scene, result.sky);
        std::vector<PixelPosition> middles;
        for (const Footprint& footprint : result.footprints) {
            middles.push_back({footprint.box.x0 + 0.5 * (footprint.box.width - 1),
                               footprint.box.y0 + 0.5 * (footprint.box.height - 1)});
        }
        if (result.blends.empty()) {
            for (const Footprint& footprint : result.footprints) {
                Blend blend;
                blend.id = footprint.id;
                blend.box = footprint.box;
                result.blends.push_back(std::move(blend));
            }
        }
        StampBatcher::Options options;
        options.size = model.stamp();
        options.batch = model.batch();
        options.device = torchDevice(context.device);
        options.threads = context.threads;
        StampBatcher::Calls calls;
        calls.forward = [&](const torch::Tensor& x) { return model.run(x); };
        calls.take = [&](std::size_t index, const Patch&, const std::vector<torch::Tensor>& outputs) {
            const torch::Tensor p = outputs[output].contiguous();
            for (Blend& blend : result.blends) {
                if (blend.id == result.footprints[index].id)
                    blend.countProbabilities.assign(p.data_ptr<float>(), p.data_ptr<float>() + p.numel());
            }
        };
        calls.moveTo = [&](const torch::Device& device) { model.moveTo(device); };
        calls.warn = context.warn;
        StampBatcher(options).run(reader, middles, model.preprocessing(), calls, *context.progress);
    }
};

} // namespace

BLENDSCOPE_METHOD(TorchScript)
