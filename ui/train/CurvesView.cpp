#include "train/CurvesView.h"

#include "figure/PlotFigure.h"
#include "figure/TrainingCurves.h"

#include <QPainter>
#include <algorithm>

namespace blendscope {

CurvesView::CurvesView(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Training curves"));
}

void CurvesView::setCurves(const std::vector<TrainingPoint>& curves, const QString& headline) {
    m_curves = curves;
    m_headline = headline;
    update();
}

void CurvesView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    PlotLook look;
    look.ink = palette().color(QPalette::WindowText);
    look.ground = palette().color(QPalette::Base);
    look.fontPixels = std::max(10, fontMetrics().ascent());
    const std::vector<PlotData> plots = trainingPlots(m_curves, m_headline);
    if (plots.empty()) {
        painter.drawText(rect(), Qt::AlignCenter, tr("Curves appear here when training runs."));
        return;
    }
    paintTrainingPlots(painter, rect(), plots, look);
}

} // namespace blendscope
