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

/// The pixels of one blend, cut out for pictures: all matrices are CV_32F [y, x] of `box`.
struct BlendCut {
    Box box;     ///< scene pixels: the blend and some sky around it
    Box counted; ///< the blend's own box
    int blendId = 0;
    std::vector<int> objects;
    std::vector<cv::Mat> data;     ///< per band, sky-subtracted counts; NaN = no data
    std::vector<cv::Mat> sigma;    ///< per band, noise of the sky, counts; NaN = no weight
    std::vector<cv::Mat> model;    ///< per band: all models that reach into the box, neighbouring blends' included
    std::vector<cv::Mat> residual; ///< per band: (data - model) / sigma, the model's Poisson noise in sigma where due
    cv::Mat residualAll;           ///< all bands: sum of the residuals / sqrt(number of bands)
    std::vector<std::vector<cv::Mat>> components; ///< [object][band]; empty where there is none
};

/// Throws UsageError where the result has no such blend or the blend lies outside the scene, ReadError.
[[nodiscard]] BlendCut cutBlend(const Scene& scene, const Result& result, int blendId,
                                ComponentForm form = ComponentForm::Model);

/// A box with some sky around it, never a sliver, inside the scene: what pictures of a blend show.
[[nodiscard]] Box pictureBox(const Box& blend, const Scene& scene);

/// The pictures of one blend: data, model, residual and every component, in colour and per band, on one scale. y grows
/// upwards in the scene, so the images are flipped to show the sky as the view does. The inspector and the exported
/// figure show these.
struct BlendPictures {
    struct Row {
        QString name; ///< band; empty = colour
        QImage data, model, residual;
        std::vector<QImage> components; ///< in the order of `objects`; null where there is none
    };
    int blendId = 0;
    Box box; ///< what the pictures show, scene pixels
    std::vector<int> objects;
    std::vector<Row> rows;      ///< colour first where the scene has several bands
    double residualLimit = 5.0; ///< sigma at the ends of the residual's colours
    QString problem;            ///< why there are no pictures

    /// The row of a band, or of the colours (-1; of the only band where there is one).
    [[nodiscard]] const Row* row(int band) const;
};

/// Reads pixels and renders; slow enough for another thread. Empty weights in `rgb`: the scene's default colours.
/// Throws as cutBlend.
[[nodiscard]] BlendPictures blendPictures(const Scene& scene, const Result& result, int blendId,
                                          const RgbSettings& rgb = {}, ComponentForm form = ComponentForm::Model);
/// The same; never throws: see `problem`.
[[nodiscard]] std::shared_ptr<const BlendPictures>
makeBlendPictures(const Scene& scene, const Result& result, int blendId, const RgbSettings& rgb, ComponentForm form);

} // namespace blendscope
