#pragma once

#include "deblend/PsfSet.h"
#include "method/BlendMethod.h"

#include <optional>

namespace blendscope {

/// Deblends by a model of all sources and bands of a blend; see README.md.
class Factorize final : public BlendMethod {
public:
    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override;
    void prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) override;

private:
    std::optional<PsfSet> m_psf; // of the scene, filled by prepare(), then only read
};

} // namespace blendscope
