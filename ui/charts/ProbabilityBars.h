#pragma once

#include <QColor>
#include <QString>
#include <QWidget>
#include <vector>

namespace blendscope {

/// Probabilities as bars side by side, each with its name, its value and, where known, its spread; one of them marked.
class ProbabilityBars final : public QWidget {
    Q_OBJECT

public:
    struct Bar {
        QString name;
        double value = 0.0;  ///< 0 to 1
        double spread = 0.0; ///< 0 = not known
        bool marked = false; ///< what was found
    };
    explicit ProbabilityBars(QWidget* parent = nullptr);
    /// `title` stands above them, one line; no bars = nothing is shown and the widget is hidden.
    void setBars(const QString& title, std::vector<Bar> bars);
    [[nodiscard]] const std::vector<Bar>& bars() const { return m_bars; }
    [[nodiscard]] QSize sizeHint() const override { return {240, 110}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {120, 96}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_title;
    std::vector<Bar> m_bars;
};

} // namespace blendscope
