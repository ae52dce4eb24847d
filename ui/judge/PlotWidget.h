#pragma once

#include "figure/PlotFigure.h"

#include <QWidget>
#include <vector>

namespace blendscope {

/// One live plot of a report: tool tips tell the numbers, a click on a point or bar names its objects.
class PlotWidget final : public QWidget {
    Q_OBJECT

public:
    explicit PlotWidget(PlotData plot, QWidget* parent = nullptr);
    [[nodiscard]] const PlotData& plot() const { return m_plot; }
    /// Where a point was painted last (for tests); empty if it was not.
    [[nodiscard]] QRect pointRect(int series, int point) const;
    [[nodiscard]] QSize sizeHint() const override { return {360, 230}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {240, 170}; }

Q_SIGNALS:
    void pointClicked(int series, int point);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] const PlotHit* hitAt(QPointF at) const;
    [[nodiscard]] const PlotPoint& point(const PlotHit& hit) const;

    PlotData m_plot;
    std::vector<PlotHit> m_hits;
};

} // namespace blendscope
