#include "figure/SvgDevice.h"

#include <QBuffer>
#include <QImage>
#include <QPaintEngine>
#include <QPainterPath>
#include <QPen>
#include <QPixmap>

namespace blendscope {

namespace {

QString number(double v) {
    return QString::number(v, 'g', 6);
}

QString pathData(const QPainterPath& path) {
    QString d;
    for (int i = 0; i < path.elementCount(); ++i) {
        const QPainterPath::Element e = path.elementAt(i);
        switch (e.type) {
        case QPainterPath::MoveToElement:
            d += QLatin1Char('M');
            break;
        case QPainterPath::LineToElement:
            d += QLatin1Char('L');
            break;
        case QPainterPath::CurveToElement:
            d += QLatin1Char('C');
            break;
        case QPainterPath::CurveToDataElement:
            d += QLatin1Char(' ');
            break;
        }
        d += number(e.x) + QLatin1Char(' ') + number(e.y);
    }
    return d;
}

} // namespace

class SvgDevice::Engine final : public QPaintEngine {
public:
    explicit Engine(Text text)
        : QPaintEngine(QPaintEngine::PaintEngineFeatures(PrimitiveTransform | PixmapTransform | PainterPaths |
                                                         Antialiasing | AlphaBlend | ConstantOpacity)),
          m_text(text) {}

    bool begin(QPaintDevice*) override { return true; }
    bool end() override { return true; }
    Type type() const override { return User; }

    void updateState(const QPaintEngineState& now) override {
        const DirtyFlags dirty = now.state();
        if (dirty & DirtyPen) m_pen = now.pen();
        if (dirty & DirtyBrush) m_brush = now.brush();
        if (dirty & DirtyTransform) m_transform = now.transform();
        if (dirty & DirtyOpacity) m_opacity = now.opacity();
        if (dirty & (DirtyClipPath | DirtyClipRegion | DirtyClipEnabled)) {
            m_clip.clear();
            if (now.isClipEnabled() && dirty & (DirtyClipPath | DirtyClipRegion)) {
                QPainterPath clip = now.clipPath();
                if (dirty & DirtyClipRegion) {
                    clip = QPainterPath();
                    clip.addRegion(now.clipRegion());
                }
                const QString id = QStringLiteral("c%1").arg(++m_clips);
                body += QStringLiteral("<clipPath id=\"%1\"><path d=\"%2\"/></clipPath>\n")
                            .arg(id, pathData(m_transform.map(clip)));
                m_clip = QStringLiteral(" clip-path=\"url(#%1)\"").arg(id);
            }
        }
    }

    void drawPath(const QPainterPath& path) override {
        QString style = m_brush.style() == Qt::NoBrush
                            ? QStringLiteral(" fill=\"none\"")
                            : QStringLiteral(" fill=\"%1\" fill-opacity=\"%2\"")
                                  .arg(m_brush.color().name(), number(m_brush.color().alphaF() * patternWeight()));
        double width = 0.0;
        if (m_pen.style() != Qt::NoPen) {
            width = m_pen.widthF() > 0.0 ? m_pen.widthF() : 1.0;
            style += QStringLiteral(" stroke=\"%1\" stroke-opacity=\"%2\" stroke-width=\"%3\"")
                         .arg(m_pen.color().name(), number(m_pen.color().alphaF()), number(width));
            // SVG would scale the pen with the transform: cosmetic pens keep their width.
            if (m_pen.isCosmetic()) style += QStringLiteral(" vector-effect=\"non-scaling-stroke\"");
            if (m_pen.style() != Qt::SolidLine) {
                QStringList dashes;
                for (const double d : m_pen.dashPattern()) {
                    dashes << number(d * width);
                }
                style += QStringLiteral(" stroke-dasharray=\"%1\"").arg(dashes.join(QLatin1Char(' ')));
            }
        }
        body += QStringLiteral("<g%1><path d=\"%2\"%3 fill-rule=\"%4\" opacity=\"%5\" transform=\"%6\"/></g>\n")
                    .arg(m_clip, pathData(path), style,
                         path.fillRule() == Qt::OddEvenFill ? QStringLiteral("evenodd") : QStringLiteral("nonzero"),
                         number(m_opacity), matrix());
    }

    void drawPolygon(const QPointF* points, int count, PolygonDrawMode mode) override {
        QPainterPath path;
        for (int i = 0; i < count; ++i) {
            if (i == 0) {
                path.moveTo(points[i]);
            } else {
                path.lineTo(points[i]);
            }
        }
        if (mode == PolylineMode) {
            const QBrush brush = m_brush;
            m_brush = Qt::NoBrush;
            drawPath(path);
            m_brush = brush;
        } else {
            path.closeSubpath();
            drawPath(path);
        }
    }

    void drawImage(const QRectF& target, const QImage& image, const QRectF& source, Qt::ImageConversionFlags) override {
        QByteArray png;
        QBuffer buffer(&png);
        buffer.open(QIODevice::WriteOnly);
        image.copy(source.toAlignedRect()).save(&buffer, "PNG");
        body += QStringLiteral("<g%1><image x=\"%2\" y=\"%3\" width=\"%4\" height=\"%5\" preserveAspectRatio=\"none\" "
                               "style=\"image-rendering:pixelated\" opacity=\"%6\" transform=\"%7\" "
                               "href=\"data:image/png;base64,")
                    .arg(m_clip, number(target.x()), number(target.y()), number(target.width()),
                         number(target.height()), number(m_opacity), matrix()) +
                QString::fromLatin1(png.toBase64()) + QStringLiteral("\"/></g>\n");
    }

    void drawTextItem(const QPointF& at, const QTextItem& item) override {
        if (m_text == Text::AsPaths) {
            QPaintEngine::drawTextItem(at, item);
            return;
        }
        const QFont font = item.font();
        const double size = font.pixelSize() > 0 ? font.pixelSize() : font.pointSizeF() * 96.0 / 72.0;
        body += QStringLiteral("<g%1><text x=\"%2\" y=\"%3\" font-size=\"%4\"%5 textLength=\"%6\" "
                               "lengthAdjust=\"spacingAndGlyphs\" fill=\"%7\" font-family=\"sans-serif\" "
                               "transform=\"%8\">%9</text></g>\n")
                    .arg(m_clip, number(at.x()), number(at.y()), number(size),
                         font.bold() ? QStringLiteral(" font-weight=\"bold\"") : QString(), number(item.width()),
                         m_pen.color().name(), matrix(), item.text().toHtmlEscaped());
    }

    void drawPixmap(const QRectF& target, const QPixmap& pixmap, const QRectF& source) override {
        drawImage(target, pixmap.toImage(), source, Qt::AutoColor);
    }

    QString body;

private:
    // Hatchings become a thin fill of their colour.
    [[nodiscard]] double patternWeight() const {
        return m_brush.style() > Qt::SolidPattern && m_brush.style() < Qt::LinearGradientPattern ? 0.4 : 1.0;
    }
    [[nodiscard]] QString matrix() const {
        return QStringLiteral("matrix(%1 %2 %3 %4 %5 %6)")
            .arg(number(m_transform.m11()), number(m_transform.m12()), number(m_transform.m21()),
                 number(m_transform.m22()), number(m_transform.dx()), number(m_transform.dy()));
    }

    QPen m_pen;
    QBrush m_brush;
    QTransform m_transform;
    double m_opacity = 1.0;
    QString m_clip;
    int m_clips = 0;
    Text m_text;
};

SvgDevice::SvgDevice(QSize size, Text text) : m_size(size), m_engine(std::make_unique<Engine>(text)) {}
SvgDevice::~SvgDevice() = default;

QPaintEngine* SvgDevice::paintEngine() const {
    return m_engine.get();
}

QByteArray SvgDevice::document() const {
    return QStringLiteral(
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1\" height=\"%2\" viewBox=\"0 0 %1 %2\">\n")
               .arg(m_size.width())
               .arg(m_size.height())
               .toUtf8() +
           m_engine->body.toUtf8() + "</svg>\n";
}

int SvgDevice::metric(PaintDeviceMetric metric) const {
    switch (metric) {
    case PdmWidth:
        return m_size.width();
    case PdmHeight:
        return m_size.height();
    case PdmWidthMM:
        return m_size.width() * 254 / 960;
    case PdmHeightMM:
        return m_size.height() * 254 / 960;
    case PdmDpiX:
    case PdmDpiY:
    case PdmPhysicalDpiX:
    case PdmPhysicalDpiY:
        return 96;
    case PdmNumColors:
        return 1 << 24;
    case PdmDepth:
        return 32;
    case PdmDevicePixelRatio:
        return 1;
    default:
        return QPaintDevice::metric(metric);
    }
}

} // namespace blendscope
