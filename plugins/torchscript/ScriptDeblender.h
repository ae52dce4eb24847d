#pragma once

#include "ScriptModel.h"

#include "method/BlendMethod.h"
#include "neural/Patch.h"

/// Deblends with a model of stamps: component images, or masks that share out the data's light.
class ScriptDeblender final : public blendscope::BlendMethod {
public:
    explicit ScriptDeblender(ScriptModel& model) : m_model(model) {}

    void prepare(const blendscope::Scene& scene, const blendscope::Parameters& parameters,
                 blendscope::MethodContext& context) override;
    blendscope::BlendOutput deblend(const blendscope::BlendInput& blend, const blendscope::Parameters& parameters,
                                    blendscope::MethodContext& context) const override;

private:
    ScriptModel& m_model;
    torch::Device m_device{torch::kCPU};
    QStringList m_bands;
    std::vector<double> m_wavelengths, m_zeroPoints;
    std::vector<float> m_sigma;
};
