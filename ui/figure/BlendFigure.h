#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "image/Display.h"

#include <QImage>
#include <QPainter>
#include <QRectF>
#include <QSize>
#include <vector>

namespace blendscope {

/// The pixels of one blend, cut out for pictures: all matrices are CV_32F [y, x] of `box`.
struct BlendCut {
    Box box; ///< scene pixels: the blend and some sky around it
    int blendId = 0;
    std::vector<int> objects;
    std::vector<cv::Mat> data;     ///< per band, sky-subtracted counts; NaN = no data
    std::vector<cv::Mat> model;    ///< per band: all models that reach into the box, neighbouring blends' included
    std::vector<cv::Mat> residual; ///< per band: (data - model) / sigma, the model's Poisson noise in sigma where due
    cv::Mat residualAll;           ///< all bands: sum of the residuals / sqrt(number of bands)
    std::vector<std::vector<cv::Mat>> components; ///< [object][band], models
};

/// Throws UsageError where the result has no such blend, ReadError.
[[nodiscard]] BlendCut cutBlend(const Scene& scene, const Result& result, int blendId);

/// Fluxes of one object, for paintSpectra.
struct SpectrumLine {
    int id = 0;
    QColor color;
    std::vector<double> flux, error; ///< per band, one unit; NaN = not measured
};

/// Fluxes of a blend's objects in microjansky where the zero points are known, else in counts.
[[nodiscard]] std::vector<SpectrumLine> spectraOf(const Scene& scene, const Result& result,
                                                  const std::vector<int>& objects, QString* unit = nullptr);

/// Flux per band with errors, a line an object, bands at equal steps; logarithmic unless a flux is not positive.
void paintSpectra(QPainter& painter, const QRectF& box, const std::vector<SpectrumLine>& lines,
                  const QStringList& bands, const QString& unit);

/// One blend as the inspector shows it: data | model | residual in sigma | each object's component, on one scale, and
/// the spectra below, with words on what happened.
class BlendFigure {
public:
    /// `band` >= 0: in grey; -1: colours. Throws as cutBlend.
    BlendFigure(const Scene& scene, const Result& result, int blendId, int band = -1);

    [[nodiscard]] QSize size() const;
    void paint(QPainter& painter) const;

private:
    struct Panel {
        QString title;
        QImage image;
        QColor frame;
    };

    std::vector<Panel> m_panels;
    std::vector<SpectrumLine> m_lines;
    QStringList m_bands;
    QString m_unit, m_title, m_message;
    int m_columns = 1;
    QSizeF m_tile;
};

} // namespace blendscope
