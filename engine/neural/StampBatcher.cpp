#include "neural/StampBatcher.h"

#include "core/Error.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

Box StampBatcher::boxAt(const PixelPosition& position, int size) {
    return {static_cast<int>(std::lround(position.x)) - size / 2, static_cast<int>(std::lround(position.y)) - size / 2,
            size, size};
}

void StampBatcher::run(const PatchReader& reader, const std::vector<PixelPosition>& positions,
                       const Preprocessing& preprocessing, const Calls& calls, Progress& progress) const {
    const torch::NoGradGuard guard;
    useTorchThreads(m_options.threads);
    DeviceBudget budget(m_options.device, std::max(1, m_options.batch), 1);
    if (calls.moveTo) calls.moveTo(budget.device());
    progress.begin(QStringLiteral("running the network"), static_cast<long long>(positions.size()));
    std::size_t first = 0;
    while (first < positions.size()) {
        const std::size_t count = std::min(static_cast<std::size_t>(budget.size()), positions.size() - first);
        std::vector<torch::Tensor> outputs;
        std::vector<Patch> patches;
        try {
            std::vector<torch::Tensor> inputs;
            for (std::size_t i = first; i < first + count; ++i) {
                progress.check();
                patches.push_back(reader.read(boxAt(positions[i], m_options.size)));
                inputs.push_back(preprocessing.encode(patches.back()));
            }
            for (const torch::Tensor& output : calls.forward(torch::stack(inputs).to(budget.device()))) {
                outputs.push_back(output.to(torch::kCPU));
            }
        } catch (const CancelledError&) {
            throw;
        } catch (const std::exception& failure) {
            const torch::Device before = budget.device();
            const QString sentence = budget.shrink(failure);
            if (calls.warn) calls.warn(sentence);
            if (budget.device() != before && calls.moveTo) calls.moveTo(budget.device());
            continue;
        }
        for (std::size_t k = 0; k < count; ++k) {
            std::vector<torch::Tensor> own;
            for (const torch::Tensor& output : outputs) {
                own.push_back(output[static_cast<std::int64_t>(k)]);
            }
            calls.take(first + k, patches[k], own);
            progress.advance();
        }
        first += count;
    }
}

} // namespace blendscope
