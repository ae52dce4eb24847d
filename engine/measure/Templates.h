#pragma once

#include "core/Result.h"
#include "measure/ObjectImage.h"

namespace blendscope {

/// Amplitudes of the components' models as linear templates, all children of a blend together, one band.
struct TemplateFit {
    std::vector<double> amplitude; ///< per child, 1 = as modelled; NaN where the model has no light
    std::vector<double> error;     ///< likelihood width, neighbours free
    std::vector<double> alone;     ///< width if the neighbours were known
    struct Pair {
        int a = 0, b = 0; ///< children
        double covariance = 0.0;
    };
    std::vector<Pair> pairs;  ///< of overlapping models, a < b
    double reducedChi2 = 0.0; ///< of the models as they are, inside the footprint; NaN without usable pixels
};

/// Weighted least squares in the blend's box: the weights hold the sky's, the detector's and the objects' own Poisson
/// noise (all models together). Where templates cannot be told apart the smallest eigenvalues of the normalised
/// normal matrix are held at 1e-8, so that errors come out large but finite.
[[nodiscard]] TemplateFit fitTemplates(const BlendInput& input, const std::vector<Component>& components,
                                       const ObjectImager& imager, size_t band);

} // namespace blendscope
