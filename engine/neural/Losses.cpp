#include "neural/Losses.h"

namespace blendscope {

namespace {

torch::Tensor weightedMean(const torch::Tensor& loss, const torch::Tensor& weight) {
    if (!weight.defined()) return loss.mean();
    const torch::Tensor w = weight.to(loss.scalar_type()).expand_as(loss);
    return (loss * w).sum() / w.sum().clamp_min(1e-6);
}

torch::Tensor binaryCrossEntropy(const torch::Tensor& logits, const torch::Tensor& target) {
    return logits.clamp_min(0) - logits * target + torch::log1p(torch::exp(-logits.abs()));
}

} // namespace

torch::Tensor gaussianNll(const torch::Tensor& mean, const torch::Tensor& logVariance, const torch::Tensor& target,
                          const torch::Tensor& weight) {
    const torch::Tensor v = logVariance.clamp(-14.0, 14.0);
    return weightedMean(0.5 * ((target - mean).square() * torch::exp(-v) + v), weight);
}

torch::Tensor focalLoss(const torch::Tensor& logits, const torch::Tensor& target, double alpha, double gamma,
                        const torch::Tensor& weight) {
    const torch::Tensor t = target.to(logits.scalar_type());
    const torch::Tensor p = torch::sigmoid(logits);
    const torch::Tensor wrong = p * (1 - t) + (1 - p) * t;
    torch::Tensor loss = binaryCrossEntropy(logits, t) * wrong.pow(gamma) * (alpha * t + (1 - alpha) * (1 - t));
    torch::Tensor positives = t;
    if (weight.defined()) {
        const torch::Tensor w = weight.to(loss.scalar_type());
        loss = loss * w;
        positives = t * w;
    }
    return loss.sum() / positives.sum().clamp_min(1.0);
}

torch::Tensor diceBce(const torch::Tensor& logits, const torch::Tensor& target, const torch::Tensor& weight) {
    const torch::Tensor t = target.to(logits.scalar_type());
    const torch::Tensor w =
        weight.defined() ? weight.to(logits.scalar_type()).expand_as(logits) : torch::ones_like(logits);
    const torch::Tensor p = torch::sigmoid(logits) * w;
    const torch::Tensor both = (p * t).sum({2, 3}), all = p.sum({2, 3}) + (t * w).sum({2, 3});
    const torch::Tensor dice = (2 * both + 1.0) / (all + 1.0);
    return weightedMean(binaryCrossEntropy(logits, t), weight) + (1 - dice).mean();
}

torch::Tensor smoothL1(const torch::Tensor& prediction, const torch::Tensor& target, double beta,
                       const torch::Tensor& weight) {
    const torch::Tensor d = (prediction - target).abs();
    return weightedMean(torch::where(d < beta, 0.5 * d.square() / beta, d - 0.5 * beta), weight);
}

} // namespace blendscope
