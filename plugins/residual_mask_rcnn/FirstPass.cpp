#include "FirstPass.h"

#include "core/Error.h"

namespace blendscope {

FirstPass::Stage FirstPass::stage(const Registry& registry, const QString& id, const QString& what) {
    const MethodInfo* info = registry.find(id);
    if (!info || !info->does(what))
        throw UsageError(QStringLiteral("\"%1\" is no installed method that can %2").arg(id, what));
    Stage out;
    out.method = registry.create(id);
    out.parameters = Parameters(info->parameters);
    out.folder = info->folder;
    return out;
}

FirstPass::FirstPass(const Registry& registry, const QString& detector, const QString& deblender) {
    m_detector = stage(registry, detector, QStringLiteral("detect"));
    m_deblender = stage(registry, deblender, QStringLiteral("deblend"));
}

Result FirstPass::run(const Stage& stage, const Scene& scene, Result input, MethodContext context) {
    context.folder = stage.folder;
    return stage.method->run(scene, std::move(input), stage.parameters, context);
}

Result FirstPass::detect(const Scene& scene, Result input, const MethodContext& context) const {
    return run(m_detector, scene, std::move(input), context);
}

Result FirstPass::deblend(const Scene& scene, Result input, const MethodContext& context) const {
    return run(m_deblender, scene, std::move(input), context);
}

} // namespace blendscope
