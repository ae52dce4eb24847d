#pragma once

#include "image/Display.h"

#include <QWidget>
#include <array>
#include <memory>
#include <vector>

namespace blendscope {

/// Pixel values of the band shown (logarithmic counts) with the two cuts, which can be dragged, and the curve between
/// them. In colour it shows the three channels' bands without cuts.
class Histogram final : public QWidget {
    Q_OBJECT

public:
    struct Trace {
        std::shared_ptr<const std::vector<float>> values;
        QColor color;
    };

    explicit Histogram(QWidget* parent = nullptr);
    /// Samples to count; a null or empty one is left out.
    void setTraces(std::vector<Trace> traces);
    void setCuts(Cuts cuts, bool draggable);
    void setCurve(Curve curve, float parameter);
    [[nodiscard]] Cuts cuts() const { return m_cuts; }
    [[nodiscard]] QSize sizeHint() const override { return {220, 84}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {120, 60}; }
    /// Widget x of a value (for tests and the handles), and back.
    [[nodiscard]] double toX(double value) const;
    [[nodiscard]] double toValue(double x) const;

Q_SIGNALS:
    void cutsDragged(blendscope::Cuts cuts);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void count();
    [[nodiscard]] int handleAt(double x) const; ///< 0 low, 1 high, -1 none

    std::vector<Trace> m_traces;
    std::vector<std::vector<float>> m_heights; ///< per trace and pixel column, 0..1
    double m_low = 0.0, m_high = 1.0;          ///< values at the left and right end
    double m_sky = 0.0, m_sigma = 1.0; ///< the axis is asinh((value - sky) / (3 sigma)): sky and stars both show
    Cuts m_cuts;
    bool m_draggable = true;
    Curve m_curve = Curve::Linear;
    float m_parameter = 0.0f;
    int m_dragged = -1;
};

} // namespace blendscope
