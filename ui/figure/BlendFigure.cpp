#include "figure/BlendFigure.h"

#include "figure/Palette.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr double kTileSide = 220.0;
constexpr double kGap = 10.0;
constexpr double kTitle = 20.0;
constexpr double kSpectra = 240.0;
constexpr int kMostColumns = 6;

} // namespace

BlendFigure::BlendFigure(const Scene& scene, const Result& result, int blendId, int band, ComponentForm form) {
    const BlendPictures pictures = blendPictures(scene, result, blendId, {}, form);
    const BlendPictures::Row& row = *pictures.row(band);
    QString unit;
    std::vector<SpectrumLine> lines = spectraOf(scene, result, pictures.objects, &unit);
    m_panels.push_back({QStringLiteral("data"), row.data, {}});
    m_panels.push_back({QStringLiteral("model"), row.model, {}});
    m_panels.push_back({QStringLiteral("residual, \u00b1%1 \u03c3").arg(pictures.residualLimit), row.residual, {}});
    for (size_t k = 0; k < pictures.objects.size(); ++k) {
        const int id = pictures.objects[k];
        const auto line = std::find_if(lines.begin(), lines.end(), [id](const SpectrumLine& l) { return l.id == id; });
        m_panels.push_back(
            {QStringLiteral("object %1").arg(id), row.components[k], line == lines.end() ? QColor() : line->color});
    }
    m_spectra.setData(std::move(lines), scene.bandNames(), unit);
    const Blend& blend = *result.blend(blendId);
    m_title = QStringLiteral("%1, blend %2: %3 object%4%5")
                  .arg(result.sceneId)
                  .arg(blendId)
                  .arg(pictures.objects.size())
                  .arg(pictures.objects.size() == 1 ? QString() : QStringLiteral("s"),
                       band >= 0 ? QStringLiteral(", band ") + scene.bands[size_t(band)].name : QString());
    m_message = blend.message;
    if (blend.flags) {
        m_message +=
            QStringLiteral("  [%1]").arg(flagWords(blend.flags).replace(QLatin1Char('|'), QStringLiteral(", ")));
    }
    const double longer = std::max(pictures.box.width, pictures.box.height);
    m_tile = QSizeF(kTileSide * pictures.box.width / longer, kTileSide * pictures.box.height / longer);
    m_columns = std::min<int>(kMostColumns, static_cast<int>(m_panels.size()));
}

QSize BlendFigure::size() const {
    const int rows = (static_cast<int>(m_panels.size()) + m_columns - 1) / m_columns;
    const double width = std::max(560.0, m_columns * (m_tile.width() + kGap) + kGap);
    const double height = 2 * kGap + 2 * kTitle + rows * (m_tile.height() + kTitle + kGap) + kSpectra + kGap;
    return QSizeF(width, height).toSize();
}

void BlendFigure::paint(QPainter& painter) const {
    const QRectF all(QPointF(0, 0), QSizeF(size()));
    painter.save();
    painter.fillRect(all, look::canvas());
    QFont font = painter.font();
    font.setPixelSize(13);
    painter.setFont(font);
    painter.setPen(look::ink());
    painter.drawText(QRectF(kGap, kGap, all.width() - 2 * kGap, kTitle), Qt::AlignLeft | Qt::AlignVCenter, m_title);
    painter.drawText(
        QRectF(kGap, kGap + kTitle, all.width() - 2 * kGap, kTitle), Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(m_message, Qt::ElideRight, static_cast<int>(all.width() - 2 * kGap)));
    double bottom = 0.0;
    for (size_t i = 0; i < m_panels.size(); ++i) {
        const Panel& panel = m_panels[i];
        const int column = static_cast<int>(i) % m_columns, row = static_cast<int>(i) / m_columns;
        const QPointF corner(kGap + column * (m_tile.width() + kGap),
                             2 * kGap + 2 * kTitle + row * (m_tile.height() + kTitle + kGap));
        painter.setPen(look::ink());
        painter.drawText(QRectF(corner, QSizeF(m_tile.width(), kTitle)), Qt::AlignLeft | Qt::AlignVCenter, panel.title);
        const QRectF box(corner + QPointF(0, kTitle), m_tile);
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        if (panel.image.isNull()) {
            painter.drawText(box, Qt::AlignCenter, QStringLiteral("\u2013"));
        } else {
            painter.drawImage(box, panel.image);
        }
        if (panel.frame.isValid()) {
            painter.setPen(QPen(panel.frame, 2.0));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(box);
        }
        bottom = std::max(bottom, box.bottom());
    }
    m_spectra.paint(painter, QRectF(kGap, bottom + kGap, all.width() - 2 * kGap, kSpectra - kGap));
    painter.restore();
}

} // namespace blendscope
