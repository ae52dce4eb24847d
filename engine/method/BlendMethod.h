#pragma once

#include "deblend/BlendData.h"
#include "method/Method.h"

namespace blendscope {

/// A deblender that works on one blend at a time. The host cuts out, runs blends in parallel, adds shares and
/// measurements, publishes each finished blend, keeps those that are done when cancelled, and turns an exception into
/// a skipped blend (its peaks kept as objects, flagged, measured without deblending).
class BlendMethod : public Method {
public:
    /// Must be callable from many threads at once on the same instance. Calls context.progress->check() in its
    /// loops, so that cancelling takes less than 0.2 s.
    virtual BlendOutput deblend(const BlendInput& blend, const Parameters& parameters,
                                MethodContext& context) const = 0;

    /// Called once before the first blend; for kernels and tables that all blends share.
    virtual void prepare(const Scene& scene, const Parameters& parameters, MethodContext& context);

    Result run(const Scene& scene, Result input, const Parameters& parameters, MethodContext& context) final;
};

} // namespace blendscope
