#pragma once

#include <torch/torch.h>

namespace blendscope {

/// How good stated probabilities of counts are. `probabilities` [n, classes], `counts` int64 [n].
struct CountScores {
    double logScore = 0.0; ///< mean of -ln p(truth), nats; probabilities below 1e-6 count as that
    double accuracy = 0.0; ///< share whose likeliest class is the truth
    /// Expected calibration error of the likeliest class in 15 bins (Guo et al. 2017, arXiv:1706.04599).
    double calibrationError = 0.0;
    double severalError = 0.0; ///< the same of the statement "more than one"
    double priorScore = 0.0;   ///< log score of the counts' own frequencies

    [[nodiscard]] static CountScores of(const torch::Tensor& probabilities, const torch::Tensor& counts);
};

} // namespace blendscope
