#pragma once

#include "PhotometryNet.h"
#include "method/BlendMethod.h"
#include "neural/Patch.h"
#include "neural/Preprocessing.h"

#include <memory>
#include <mutex>

namespace blendscope {

/// Shares and fluxes by a U-Net, one stamp a detection; see README.md.
class UnetPhotometry final : public BlendMethod {
public:
    void prepare(const Scene& scene, const Parameters& parameters, MethodContext& context) override;
    BlendOutput deblend(const BlendInput& blend, const Parameters& parameters, MethodContext& context) const override;

private:
    [[nodiscard]] const PatchReader& reader(const BlendInput& blend) const;

    mutable PhotometryNet m_net{nullptr};
    Preprocessing m_preprocessing;
    std::vector<int> m_matched; ///< scene band of each of the network's, -1 = none
    std::vector<int> m_slot;    ///< of each scene band: the network's band whose masks it takes
    std::vector<double> m_gain; ///< per scene band
    torch::Device m_device{torch::kCPU};
    mutable std::mutex m_mutex;
    mutable std::unique_ptr<PatchReader> m_reader; ///< made with the first blend, which knows the sky
};

} // namespace blendscope
