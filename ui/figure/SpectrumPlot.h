#pragma once

#include "core/Result.h"
#include "core/Scene.h"

#include <QColor>
#include <QPainter>
#include <QRectF>
#include <QStringList>
#include <functional>
#include <vector>

namespace blendscope {

/// Fluxes of one object.
struct SpectrumLine {
    int id = 0;
    QColor color;
    std::vector<double> flux, error; ///< per band, one unit; NaN = not measured
};

/// Fluxes of a blend's objects in microjansky where all zero points are known, else in counts. Without `colour` the
/// colours are those of the masks, found from the whole segmentation.
[[nodiscard]] std::vector<SpectrumLine> spectraOf(const Scene& scene, const Result& result,
                                                  const std::vector<int>& objects, QString* unit = nullptr,
                                                  const std::function<QColor(int)>& colour = {});

/// Colours of a plot's frame and words; the default suits the dark ground of pictures.
struct SpectrumLook {
    QColor ground, line, ink, muted;
    SpectrumLook();
};

/// Flux per band with errors, a line an object, on a logarithmic scale; a flux below its error is an arrow down from
/// one sigma. Bands stand in order of wavelength at equal steps.
class SpectrumPlot {
public:
    void setData(std::vector<SpectrumLine> lines, const QStringList& bands, const QString& unit);
    void setSelected(int id) { m_selected = id; } ///< the others fade
    void setHovered(int id) { m_hovered = id; }
    [[nodiscard]] const std::vector<SpectrumLine>& lines() const { return m_lines; }
    [[nodiscard]] const QStringList& bands() const { return m_bands; }
    [[nodiscard]] const QString& unit() const { return m_unit; }

    /// With the painter's font.
    void paint(QPainter& painter, const QRectF& box, const SpectrumLook& look = {}) const;

    struct Hit {
        const SpectrumLine* line = nullptr; ///< null = nothing there
        std::size_t band = 0;
    };
    [[nodiscard]] Hit at(const QRectF& box, const QFont& font, QPointF point) const;

private:
    [[nodiscard]] static QRectF frame(const QRectF& box, const QFontMetricsF& metrics);
    [[nodiscard]] QPointF place(const QRectF& frame, std::size_t band, double flux) const;

    std::vector<SpectrumLine> m_lines;
    QStringList m_bands;
    QString m_unit;
    int m_selected = 0, m_hovered = 0;
    double m_low = 0.0, m_high = 1.0; ///< log10 of the axis' ends
};

} // namespace blendscope
