#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "figure/BlendThumbnail.h"
#include "judge/Judgement.h"

#include <QImage>
#include <QPainter>
#include <memory>
#include <vector>

namespace blendscope {

/// The pictures of a judged blend: the data, the truth as shading, and each true object alone in the same noise.
struct JudgedPictures {
    int blendId = 0;
    Box box;                  ///< what the pictures show, scene pixels
    QImage data;              ///< in colours
    QImage shading;           ///< truth, transparent elsewhere; null where the scene cannot tell
    std::vector<int> colours; ///< palette index by truth id
    struct Alone {
        int truthId = 0;
        QImage image; ///< null where the scene has no image of it alone
    };
    std::vector<Alone> alone; ///< the blend's members, brightest first
    QString problem;          ///< why there are no pictures

    [[nodiscard]] QColor colour(int truthId) const;
};

/// Reads pixels and renders; slow enough for another thread. Never throws: see `problem`.
[[nodiscard]] std::shared_ptr<const JudgedPictures> makeJudgedPictures(const Scene& scene, const Judgement& judgement,
                                                                       int blendId, const RgbSettings& rgb = {});

/// Draws a judged blend into a box, its aspect kept: colour shading is truth, with the objects' letters, and a dashed
/// outline in its outcome's colour is what was detected and measured (`result`, may be null). `shade` false leaves the
/// truth's shading out.
void paintJudgedBlend(QPainter& painter, const QRectF& box, const JudgedPictures& pictures, const Judgement& judgement,
                      const Result* result, bool shade = true);

} // namespace blendscope
