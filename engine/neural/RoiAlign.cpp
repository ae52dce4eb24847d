#include "neural/RoiAlign.h"

#include "core/Error.h"

#include <torch/nn/functional/embedding.h>
#include <torch/torch.h>

namespace blendscope {

torch::Tensor roiGrid(const torch::Tensor& boxes, int size) {
    if (boxes.dim() != 2 || boxes.size(1) != 4)
        throw UsageError(QStringLiteral("regions of interest are [R, 4], not of %1 dimensions").arg(boxes.dim()));
    // Bin k of n covers the share [k, k + 1) / n of the box.
    const torch::Tensor at = (torch::arange(size, boxes.options()) + 0.5) / size;
    const torch::Tensor x =
        boxes.select(1, 0).unsqueeze(1) + (boxes.select(1, 2) - boxes.select(1, 0)).unsqueeze(1) * at.unsqueeze(0);
    const torch::Tensor y =
        boxes.select(1, 1).unsqueeze(1) + (boxes.select(1, 3) - boxes.select(1, 1)).unsqueeze(1) * at.unsqueeze(0);
    const std::int64_t n = boxes.size(0);
    return torch::stack({x.unsqueeze(1).expand({n, size, size}), y.unsqueeze(2).expand({n, size, size})}, 3);
}

torch::Tensor roiAlign(const torch::Tensor& features, const torch::Tensor& boxes, const torch::Tensor& image, int size,
                       double stride) {
    if (features.dim() != 4)
        throw UsageError(QStringLiteral("features are [N, C, H, W], not of %1 dimensions").arg(features.dim()));
    if (image.dim() != 1 || image.size(0) != boxes.size(0))
        throw UsageError(QStringLiteral("each of the %1 regions needs the number of its image").arg(boxes.size(0)));
    const std::int64_t channels = features.size(1), h = features.size(2), w = features.size(3), n = boxes.size(0);
    if (n == 0) return torch::zeros({0, channels, size, size}, features.options());

    const torch::Tensor grid = roiGrid(boxes.detach(), size) / stride;
    const torch::Tensor x = grid.select(3, 0).clamp(0, static_cast<double>(w - 1)).reshape({n, -1});
    const torch::Tensor y = grid.select(3, 1).clamp(0, static_cast<double>(h - 1)).reshape({n, -1});
    const torch::Tensor fx = x - x.floor(), fy = y - y.floor();
    const torch::Tensor left = x.floor().to(torch::kLong), top = y.floor().to(torch::kLong);
    const torch::Tensor right = (left + 1).clamp_max(w - 1), bottom = (top + 1).clamp_max(h - 1);
    const torch::Tensor base = image.unsqueeze(1) * (h * w);
    const torch::Tensor index =
        torch::stack(
            {base + top * w + left, base + top * w + right, base + bottom * w + left, base + bottom * w + right}, 2)
            .reshape({-1, 4});
    const torch::Tensor weight =
        torch::stack({(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy}, 2).reshape({-1, 4});
    // A bag of four weighted rows is a bilinear sample: one pass forward and back, without four gathered copies.
    const torch::Tensor rows = features.permute({0, 2, 3, 1}).reshape({-1, channels});
    namespace F = torch::nn::functional;
    const torch::Tensor sampled = F::embedding_bag(
        index, rows, F::EmbeddingBagFuncOptions().mode(torch::kSum).per_sample_weights(weight.to(features.options())));
    return sampled.reshape({n, size, size, channels}).permute({0, 3, 1, 2}).contiguous();
}

} // namespace blendscope
