#pragma once

#include "figure/BlendPictures.h"
#include "figure/SpectrumPlot.h"

#include <QPainter>
#include <QSize>

namespace blendscope {

/// One blend as the inspector shows it: data | model | residual in sigma | each object's component, on one scale, and
/// the spectra below, with words on what happened.
class BlendFigure {
public:
    /// `band` >= 0: in grey; -1: colours. Throws as cutBlend.
    BlendFigure(const Scene& scene, const Result& result, int blendId, int band = -1,
                ComponentForm form = ComponentForm::Model);

    [[nodiscard]] QSize size() const;
    void paint(QPainter& painter) const;

private:
    struct Panel {
        QString title;
        QImage image;
        QColor frame;
    };

    std::vector<Panel> m_panels;
    SpectrumPlot m_spectra;
    QString m_title, m_message;
    int m_columns = 1;
    QSizeF m_tile;
};

} // namespace blendscope
