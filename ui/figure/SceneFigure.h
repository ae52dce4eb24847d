#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "image/Display.h"

#include <QImage>
#include <QMap>
#include <QPainter>
#include <QPainterPath>
#include <QSize>
#include <optional>

namespace blendscope {

/// What a picture of a scene shows.
struct SceneFigureOptions {
    Box region;                     ///< in scene pixels, cut at the border; empty = the whole scene
    double zoom = 0.0;              ///< picture pixels an image pixel; 0 = the longer side becomes about 1000
    int band = -1;                  ///< one band in grey; -1 = colours
    std::optional<RgbSettings> rgb; ///< nothing = defaultRgb
    std::optional<Cuts> cuts;       ///< of the single band; nothing = from the noise to the 99.7th percentile
    bool masks = false;             ///< fill and outline of the segmentation
    bool peaks = false;
    bool ellipses = false; ///< dashed, of what was measured
    bool truth = false;    ///< colour shading and dots
    bool compass = true;
    bool scaleBar = true;
};

/// A picture of a scene with what was found in it, drawn as the window draws it: colour shading is truth, a dashed
/// outline is what was detected and measured; y up. Made once, painted at any size; needs no window and no display.
class SceneFigure {
public:
    /// Reads the region. `result` may be null. Throws ReadError, and UsageError for a region outside the scene.
    SceneFigure(const Scene& scene, const Result* result, const SceneFigureOptions& options);

    [[nodiscard]] QSize size() const; ///< picture pixels
    void paint(QPainter& painter) const;

private:
    void paintTruth(QPainter& painter) const;
    void paintMasks(QPainter& painter) const;
    void paintMarks(QPainter& painter) const;
    void paintCompass(QPainter& painter) const;
    void paintScaleBar(QPainter& painter) const;
    [[nodiscard]] QPointF at(double x, double y) const; ///< of an image position

    const Scene& m_scene;
    const Result* m_result;
    SceneFigureOptions m_options;
    Box m_region;
    double m_zoom = 1.0;
    QImage m_image;
    QPainterPath m_missing, m_unusable;
};

/// Outline of each id of a label image, drawn inside its pixels: y up, `zoom` units a pixel.
[[nodiscard]] QMap<int, QPainterPath> outlines(const cv::Mat& labels, double zoom);

} // namespace blendscope
