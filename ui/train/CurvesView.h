#pragma once

#include "method/Training.h"

#include <QWidget>
#include <vector>

namespace blendscope {

/// The curves of a training while they grow.
class CurvesView final : public QWidget {
    Q_OBJECT

public:
    explicit CurvesView(QWidget* parent = nullptr);
    void setCurves(const std::vector<TrainingPoint>& curves, const QString& headline);
    [[nodiscard]] QSize sizeHint() const override { return {720, 480}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {320, 200}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::vector<TrainingPoint> m_curves;
    QString m_headline;
};

} // namespace blendscope
