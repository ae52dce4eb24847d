#pragma once

#include "figure/JudgedPictures.h"

#include <QPainter>
#include <QSize>

namespace blendscope {

/// One judged blend as Judge mode shows it: outcome and words, truth and detections drawn together, and each object
/// alone in the same noise with its verdict.
class JudgedFigure {
public:
    /// `result`: what was judged, for the outlines; may be null. Throws UsageError where the judgement has no such
    /// blend or it cannot be drawn.
    JudgedFigure(const Scene& scene, std::shared_ptr<const Judgement> judgement, std::shared_ptr<const Result> result,
                 int blendId, const RgbSettings& rgb = {});

    [[nodiscard]] QSize size() const;
    void paint(QPainter& painter) const;

private:
    [[nodiscard]] int rows() const;

    std::shared_ptr<const Judgement> m_judgement;
    std::shared_ptr<const Result> m_result;
    std::shared_ptr<const JudgedPictures> m_pictures;
    double m_aspect = 1.0; ///< height over width of a picture
};

} // namespace blendscope
