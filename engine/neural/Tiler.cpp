#include "neural/Tiler.h"

#include "core/Error.h"
#include "neural/Tensors.h"

#include <algorithm>

namespace blendscope {

namespace {

int roundUp(int value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

std::vector<torch::Tensor> cropped(const std::vector<torch::Tensor>& outputs, const Box& tile, const Box& valid) {
    std::vector<torch::Tensor> out;
    for (const torch::Tensor& output : outputs) {
        const auto step = static_cast<int>(tile.height / output.size(2));
        if (output.dim() != 4 || step < 1 || output.size(2) * step != tile.height ||
            output.size(3) * step != tile.width)
            throw MethodError(QStringLiteral("the network's output does not fit its input of %1 x %2 pixels")
                                  .arg(tile.width)
                                  .arg(tile.height));
        out.push_back(output[0]
                          .slice(1, (valid.y0 - tile.y0) / step, (valid.y1() - tile.y0) / step)
                          .slice(2, (valid.x0 - tile.x0) / step, (valid.x1() - tile.x0) / step)
                          .to(torch::kCPU)
                          .contiguous());
    }
    return out;
}

} // namespace

Tiler::Tiler(const Options& options) : m_options(options) {
    if (options.stride < 1 || options.margin < 0)
        throw UsageError(QStringLiteral("a tiler needs a stride of at least 1 and a margin of at least 0"));
    // Tiles begin on multiples of the stride only if margins are multiples too.
    m_options.margin = roundUp(options.margin, options.stride);
}

int Tiler::coreSide(const Options& options, const cv::Size& scene, int tile) {
    const int margin = roundUp(options.margin, options.stride);
    const int room = std::max(options.stride, (tile - 2 * margin) / options.stride * options.stride);
    return std::min(room, roundUp(std::max(scene.width, scene.height), options.stride));
}

void Tiler::run(const cv::Size& scene, const Calls& calls, Progress& progress) const {
    const torch::NoGradGuard guard;
    useTorchThreads(m_options.threads);
    const int margin = m_options.margin, stride = m_options.stride;
    DeviceBudget budget(m_options.device, coreSide(m_options, scene, m_options.tile), stride);
    if (calls.moveTo) calls.moveTo(budget.device());
    const auto tiles = [&](int rows) {
        const long long core = std::max(stride, budget.size() / stride * stride);
        return ((rows + core - 1) / core) * ((scene.width + core - 1) / core);
    };
    progress.begin(QStringLiteral("running the network"), tiles(scene.height));
    int y = 0;
    while (y < scene.height) {
        const int core = std::max(stride, budget.size() / stride * stride);
        int x = 0;
        try {
            // A row of tiles is begun again where memory runs out: what it has handed over is handed over once more.
            for (; x < scene.width; x += core) {
                progress.check();
                const Box valid{x, y, std::min(core, roundUp(scene.width - x, stride)),
                                std::min(core, roundUp(scene.height - y, stride))};
                const Box tile = valid.grown(margin);
                const torch::Tensor input = calls.read(tile).unsqueeze(0).to(budget.device());
                calls.take(valid, cropped(calls.forward(input), tile, valid));
                progress.advance();
            }
            y += core;
        } catch (const CancelledError&) {
            throw;
        } catch (const std::exception& failure) {
            const torch::Device before = budget.device();
            const QString sentence = budget.shrink(failure);
            if (calls.warn) calls.warn(sentence);
            if (budget.device() != before && calls.moveTo) calls.moveTo(budget.device());
            progress.begin(QStringLiteral("running the network"), tiles(scene.height - y));
        }
    }
}

void placeTile(const torch::Tensor& output, const Box& valid, cv::Mat& plane) {
    const Box in = valid.intersected(Box::of(plane.size()));
    if (in.empty()) return;
    toMat(output)(in.shifted(-valid.x0, -valid.y0).rect()).copyTo(plane(in.rect()));
}

} // namespace blendscope
