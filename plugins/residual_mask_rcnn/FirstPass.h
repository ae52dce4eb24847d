#pragma once

#include "method/Registry.h"

#include <memory>

namespace blendscope {

/// The classical methods that find and model what the network then looks behind. One run each at a time.
class FirstPass {
public:
    /// Ids of methods that detect and that deblend. Throws UsageError, MethodError.
    FirstPass(const Registry& registry, const QString& detector, const QString& deblender);

    [[nodiscard]] Result detect(const Scene& scene, Result input, const MethodContext& context) const;
    [[nodiscard]] Result deblend(const Scene& scene, Result input, const MethodContext& context) const;

private:
    struct Stage {
        std::unique_ptr<Method> method;
        Parameters parameters;
        QString folder;
    };
    [[nodiscard]] static Stage stage(const Registry& registry, const QString& id, const QString& what);
    [[nodiscard]] static Result run(const Stage& stage, const Scene& scene, Result input, MethodContext context);

    Stage m_detector, m_deblender;
};

} // namespace blendscope
