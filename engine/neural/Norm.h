#pragma once

#include <QString>
#include <torch/torch.h>

namespace blendscope {

/// How activations are kept in range.
/// - None: not at all
/// - Affine: per channel a scale and a shift, set from the first training batch to zero mean and unit variance and
///   learned from there (Kingma & Dhariwal 2018, arXiv:1807.03039); the default of networks that run over scenes
/// - Batch: batch statistics in training, frozen running ones afterwards; also fit for scenes
/// - Group: statistics over the sample's own pixels (Wu & He 2018): its output depends on what else is in the tile, so
///   it is for stamps alone
enum class Norm { None, Affine, Batch, Group };

/// "none", "affine", "batch", "group". Throws UsageError.
[[nodiscard]] Norm normFromName(const QString& name);
[[nodiscard]] QString normName(Norm norm);
/// Whether one pixel's output depends on far pixels, so that tiles would show.
[[nodiscard]] inline bool dependsOnTile(Norm norm) {
    return norm == Norm::Group;
}

/// Norm::Affine on [n, c, y, x].
class AffineNormImpl : public torch::nn::Module {
public:
    explicit AffineNormImpl(int channels);
    torch::Tensor forward(const torch::Tensor& x);

private:
    torch::Tensor m_scale, m_shift; ///< [c]
    torch::Tensor m_ready;          ///< buffer [1]: 1 once they were set from data
};
TORCH_MODULE(AffineNorm);

/// The layer of a norm; an identity for Norm::None. Groups of 8 channels or fewer for Norm::Group.
[[nodiscard]] torch::nn::AnyModule makeNorm(Norm norm, int channels);

} // namespace blendscope
