#pragma once

#include "figure/SpectrumPlot.h"

#include <QWidget>

namespace blendscope {

/// The spectra of a blend's objects; a click selects an object, a tool tip tells its flux.
class SpectrumChart final : public QWidget {
    Q_OBJECT

public:
    explicit SpectrumChart(QWidget* parent = nullptr);
    void setData(std::vector<SpectrumLine> lines, const QStringList& bands, const QString& unit);
    void setSelected(int id);
    void setHovered(int id);
    [[nodiscard]] QSize sizeHint() const override { return {300, 150}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {160, 110}; }

Q_SIGNALS:
    void objectClicked(int id);
    void objectHovered(int id); ///< 0 = none

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] SpectrumPlot::Hit hit(QPointF point) const;

    SpectrumPlot m_plot;
};

} // namespace blendscope
