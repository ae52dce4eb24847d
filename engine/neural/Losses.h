#pragma once

#include <torch/torch.h>

namespace blendscope {

/// Mean over elements of 0.5 ((target - mean)^2 / variance + ln variance) with variance = exp(logVariance), which is
/// clamped to exp(+-14) so that a lucky element cannot make it run away. Any shape. `weight` (same shape or one that
/// broadcasts; undefined = 1) leaves elements out with 0.
[[nodiscard]] torch::Tensor gaussianNll(const torch::Tensor& mean, const torch::Tensor& logVariance,
                                        const torch::Tensor& target, const torch::Tensor& weight = {});

/// Focal loss of binary logits (Lin et al. 2017, arXiv:1708.02002): cross-entropy times (1 - p_true)^gamma, `alpha` on
/// positives and 1 - alpha on negatives. Summed over elements and divided by max(1, sum of weighted targets).
[[nodiscard]] torch::Tensor focalLoss(const torch::Tensor& logits, const torch::Tensor& target, double alpha = 0.25,
                                      double gamma = 2.0, const torch::Tensor& weight = {});

/// Binary cross-entropy plus 1 - Dice overlap of sigmoid(logits) and a soft target, [n, c, y, x]; Dice per sample and
/// channel over pixels. Pixels with weight 0 count in neither.
[[nodiscard]] torch::Tensor diceBce(const torch::Tensor& logits, const torch::Tensor& target,
                                    const torch::Tensor& weight = {});

/// Huber-like loss |d| - beta / 2 beyond beta, d^2 / (2 beta) within (Girshick 2015, arXiv:1504.08083), mean over
/// elements (weighted).
[[nodiscard]] torch::Tensor smoothL1(const torch::Tensor& prediction, const torch::Tensor& target, double beta = 1.0,
                                     const torch::Tensor& weight = {});

} // namespace blendscope
