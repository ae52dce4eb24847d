#pragma once

#include "deblend/PsfSet.h"
#include "method/BlendMethod.h"

#include <optional>

namespace blendscope {

/// Finds sources beyond the peaks of a footprint by asking whether the pixels need one more, and deblends; see
/// README.md.
class Resolve final : public BlendMethod {
public:
    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override;
    void prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) override;

private:
    std::optional<PsfSet> m_psf; // of the scene, filled by prepare(), then only read
};

} // namespace blendscope
