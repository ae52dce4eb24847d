#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "image/Display.h"

#include <QImage>
#include <QString>
#include <memory>
#include <vector>

namespace blendscope {

/// Which form of a component is shown.
enum class ComponentForm { Model, Share };

/// The pictures of one blend: data, model, residual and every component, in colour and per band, on one scale. y grows
/// upwards in the scene, so the images are flipped to show the sky as the view does.
struct BlendPictures {
    struct Row {
        QString name; ///< band; empty = colour
        QImage data, model, residual;
        std::vector<QImage> components; ///< in the order of `objects`; null where there is none
        float reducedChi2 = kNan;       ///< residual in sigma squared, mean over the footprint's box
    };
    int blendId = 0;
    Box box; ///< what the pictures show, scene pixels
    std::vector<int> objects;
    std::vector<Row> rows;      ///< colour first where the scene has several bands
    double residualLimit = 5.0; ///< sigma at the ends of the residual's colours
    QString problem;            ///< why there are no pictures
};

/// Reads pixels and renders; slow enough for another thread. Never throws.
[[nodiscard]] std::shared_ptr<const BlendPictures>
makeBlendPictures(const Scene& scene, const Result& result, int blendId, const RgbSettings& rgb, ComponentForm form);

} // namespace blendscope
