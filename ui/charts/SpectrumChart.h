#pragma once

#include <QColor>
#include <QString>
#include <QWidget>
#include <vector>

namespace blendscope {

/// Flux per band with errors, a line an object, on a logarithmic scale; a flux below its error is an arrow down from
/// one sigma. Bands stand in order of wavelength at equal steps. A click selects an object.
class SpectrumChart final : public QWidget {
    Q_OBJECT

public:
    struct Line {
        int id = 0;
        QColor color;
        std::vector<double> flux, error; ///< per band; NaN = not measured
    };

    explicit SpectrumChart(QWidget* parent = nullptr);
    void setData(std::vector<Line> lines, const QStringList& bands, const QString& unit);
    void setSelected(int id);
    [[nodiscard]] QSize sizeHint() const override { return {300, 150}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {160, 110}; }

Q_SIGNALS:
    void objectClicked(int id);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] QRectF plot() const;
    [[nodiscard]] QPointF at(std::size_t band, double flux) const;
    [[nodiscard]] const Line* lineAt(QPointF p, std::size_t* band) const;

    std::vector<Line> m_lines;
    QStringList m_bands;
    QString m_unit;
    int m_selected = 0;
    double m_low = 0.0, m_high = 1.0; ///< log10 of the axis' ends
};

} // namespace blendscope
