#include "theme/Icons.h"

#include <QApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>
#include <QPalette>
#include <QPixmap>
#include <QRadialGradient>
#include <functional>
#include <map>

namespace blendscope {

namespace {

using Draw = std::function<void(QPainter&)>;

QPainterPath polygon(std::initializer_list<QPointF> points, bool closed = true) {
    QPainterPath path;
    bool first = true;
    for (const QPointF& p : points) {
        first ? path.moveTo(p) : path.lineTo(p);
        first = false;
    }
    if (closed) path.closeSubpath();
    return path;
}

void text(QPainter& p, const QString& what) {
    QFont font = QApplication::font();
    font.setBold(true);
    font.setPixelSize(14);
    p.setFont(font);
    p.drawText(QRectF(0, 0, 16, 16), Qt::AlignCenter, what);
}

// All are drawn in a square of 16 units with a pen of 1.5 in the text's colour.
const std::map<QString, Draw>& drawings() {
    static const std::map<QString, Draw> all = {
        {QStringLiteral("open"),
         [](QPainter& p) {
             p.drawPath(polygon({{1.5, 13}, {1.5, 3}, {6, 3}, {7.5, 5}, {13, 5}, {13, 7.5}}, false));
             p.drawPath(polygon({{1.5, 13}, {4, 7.5}, {15, 7.5}, {12.5, 13}}));
         }},
        {QStringLiteral("folder"),
         [](QPainter& p) {
             p.drawPath(polygon({{1.5, 13}, {1.5, 3}, {6, 3}, {7.5, 5}, {14.5, 5}, {14.5, 13}}));
         }},
        {QStringLiteral("run"),
         [](QPainter& p) {
             p.fillPath(polygon({{4, 2}, {14, 8}, {4, 14}}), p.pen().color());
         }},
        {QStringLiteral("stop"), [](QPainter& p) { p.fillRect(QRectF(3.5, 3.5, 9, 9), p.pen().color()); }},
        {QStringLiteral("parameters"),
         [](QPainter& p) {
             const double ys[] = {3.5, 8.0, 12.5}, xs[] = {10.5, 5.0, 9.0};
             for (int i = 0; i < 3; ++i) {
                 p.drawLine(QPointF(1.5, ys[i]), QPointF(14.5, ys[i]));
                 p.setBrush(p.pen().color());
                 p.drawEllipse(QPointF(xs[i], ys[i]), 1.6, 1.6);
             }
         }},
        {QStringLiteral("previous"),
         [](QPainter& p) {
             p.drawPath(polygon({{10, 3}, {5, 8}, {10, 13}}, false));
         }},
        {QStringLiteral("next"),
         [](QPainter& p) {
             p.drawPath(polygon({{6, 3}, {11, 8}, {6, 13}}, false));
         }},
        {QStringLiteral("down"),
         [](QPainter& p) {
             p.drawPath(polygon({{4, 6}, {8, 10}, {12, 6}}, false));
         }},
        {QStringLiteral("right"),
         [](QPainter& p) {
             p.drawPath(polygon({{6, 4}, {10, 8}, {6, 12}}, false));
         }},
        {QStringLiteral("rgb"),
         [](QPainter& p) {
             p.setPen(Qt::NoPen);
             p.setCompositionMode(QPainter::CompositionMode_SourceOver);
             p.setBrush(QColor(0xe0, 0x50, 0x40, 220));
             p.drawEllipse(QPointF(8, 5.6), 4.2, 4.2);
             p.setBrush(QColor(0x3c, 0xb0, 0x60, 220));
             p.drawEllipse(QPointF(5.4, 10.2), 4.2, 4.2);
             p.setBrush(QColor(0x40, 0x80, 0xe8, 220));
             p.drawEllipse(QPointF(10.6, 10.2), 4.2, 4.2);
         }},
        {QStringLiteral("single"),
         [](QPainter& p) {
             p.drawRect(QRectF(2, 2, 12, 12));
             QLinearGradient g(2, 14, 14, 2);
             QColor c = p.pen().color();
             g.setColorAt(1, c);
             c.setAlpha(20);
             g.setColorAt(0, c);
             p.fillRect(QRectF(3, 3, 10, 10), g);
         }},
        {QStringLiteral("grid"),
         [](QPainter& p) {
             for (const double x : {1.75, 9.0}) {
                 for (const double y : {1.75, 9.0}) {
                     p.drawRect(QRectF(x, y, 5.25, 5.25));
                 }
             }
         }},
        {QStringLiteral("compare"),
         [](QPainter& p) {
             p.drawRect(QRectF(1.5, 2.5, 13, 11));
             p.drawLine(QPointF(8, 2.5), QPointF(8, 13.5));
             QColor c = p.pen().color();
             c.setAlpha(90);
             p.fillRect(QRectF(8.75, 3.25, 5.0, 9.5), c);
         }},
        {QStringLiteral("blink"),
         [](QPainter& p) {
             p.drawPath(polygon({{2, 5.5}, {13, 5.5}}, false));
             p.drawPath(polygon({{10.5, 3}, {13.5, 5.5}, {10.5, 8}}, false));
             p.drawPath(polygon({{14, 10.5}, {3, 10.5}}, false));
             p.drawPath(polygon({{5.5, 8}, {2.5, 10.5}, {5.5, 13}}, false));
         }},
        {QStringLiteral("search"),
         [](QPainter& p) {
             p.drawEllipse(QPointF(6.8, 6.8), 4.6, 4.6);
             p.drawLine(QPointF(10.2, 10.2), QPointF(14.2, 14.2));
         }},
        {QStringLiteral("help"), [](QPainter& p) { text(p, QStringLiteral("?")); }},
        {QStringLiteral("save"),
         [](QPainter& p) {
             p.drawLine(QPointF(8, 2), QPointF(8, 10));
             p.drawPath(polygon({{4.8, 7}, {8, 10.2}, {11.2, 7}}, false));
             p.drawPath(polygon({{2, 10.5}, {2, 14}, {14, 14}, {14, 10.5}}, false));
         }},
        {QStringLiteral("close"),
         [](QPainter& p) {
             p.drawLine(QPointF(4, 4), QPointF(12, 12));
             p.drawLine(QPointF(12, 4), QPointF(4, 12));
         }},
        {QStringLiteral("error"),
         [](QPainter& p) {
             p.drawEllipse(QPointF(8, 8), 6.5, 6.5);
             p.drawLine(QPointF(5.5, 5.5), QPointF(10.5, 10.5));
             p.drawLine(QPointF(10.5, 5.5), QPointF(5.5, 10.5));
         }},
        {QStringLiteral("warning"),
         [](QPainter& p) {
             p.drawPath(polygon({{8, 1.8}, {15, 14}, {1, 14}}));
             p.drawLine(QPointF(8, 6), QPointF(8, 9.6));
             p.drawPoint(QPointF(8, 11.9));
         }},
        {QStringLiteral("notice"),
         [](QPainter& p) {
             p.drawEllipse(QPointF(8, 8), 6.5, 6.5);
             p.drawLine(QPointF(8, 7.4), QPointF(8, 11.4));
             p.drawPoint(QPointF(8, 4.8));
         }},
        {QStringLiteral("eye"),
         [](QPainter& p) {
             QPainterPath path(QPointF(1, 8));
             path.quadTo(QPointF(8, 0.5), QPointF(15, 8));
             path.quadTo(QPointF(8, 15.5), QPointF(1, 8));
             p.drawPath(path);
             p.setBrush(p.pen().color());
             p.drawEllipse(QPointF(8, 8), 1.8, 1.8);
         }},
        {QStringLiteral("fit"),
         [](QPainter& p) {
             p.drawPath(polygon({{2, 6}, {2, 2}, {6, 2}}, false));
             p.drawPath(polygon({{10, 2}, {14, 2}, {14, 6}}, false));
             p.drawPath(polygon({{14, 10}, {14, 14}, {10, 14}}, false));
             p.drawPath(polygon({{6, 14}, {2, 14}, {2, 10}}, false));
         }},
        {QStringLiteral("demo"),
         [](QPainter& p) {
             p.save();
             p.translate(8, 8);
             p.rotate(-30);
             p.drawEllipse(QPointF(0, 0), 7, 3);
             p.restore();
             p.setBrush(p.pen().color());
             p.drawEllipse(QPointF(8, 8), 1.6, 1.6);
             p.drawEllipse(QPointF(13, 12.5), 0.7, 0.7);
         }},
        {QStringLiteral("reset"),
         [](QPainter& p) {
             p.drawArc(QRectF(2.5, 2.5, 11, 11), 60 * 16, 270 * 16);
             p.drawPath(polygon({{8.2, 0.8}, {11, 3.2}, {7.6, 5}}, false));
         }},
        {QStringLiteral("theme"),
         [](QPainter& p) {
             p.drawEllipse(QPointF(8, 8), 6.2, 6.2);
             QPainterPath half(QPointF(8, 1.8));
             half.arcTo(QRectF(1.8, 1.8, 12.4, 12.4), 90, -180);
             half.closeSubpath();
             p.fillPath(half, p.pen().color());
         }},
    };
    return all;
}

class PaintedIcon final : public QIconEngine {
public:
    explicit PaintedIcon(QString name) : m_name(std::move(name)) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const auto it = drawings().find(m_name);
        if (it == drawings().end()) return;
        const QPalette palette = QApplication::palette();
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        const auto role = mode == QIcon::Selected ? QPalette::HighlightedText : QPalette::ButtonText;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const double side = std::min(rect.width(), rect.height());
        painter->translate(rect.x() + (rect.width() - side) / 2.0, rect.y() + (rect.height() - side) / 2.0);
        painter->scale(side / 16.0, side / 16.0);
        painter->setPen(QPen(palette.color(group, role), 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->setBrush(Qt::NoBrush);
        if (mode == QIcon::Disabled) painter->setOpacity(0.6);
        it->second(*painter);
        painter->restore();
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State iconState) override {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(0, 0), size), mode, iconState);
        return pixmap;
    }

    QIconEngine* clone() const override { return new PaintedIcon(m_name); }

private:
    QString m_name;
};

} // namespace

QIcon themeIcon(const QString& name) {
    return drawings().contains(name) ? QIcon(new PaintedIcon(name)) : QIcon();
}

QIcon applicationIcon() {
    QIcon icon;
    for (const int side : {16, 24, 32, 48, 64, 128, 256}) {
        QPixmap pixmap(side, side);
        pixmap.fill(Qt::transparent);
        QPainter p(&pixmap);
        p.setRenderHint(QPainter::Antialiasing);
        p.scale(side / 64.0, side / 64.0);
        QPainterPath frame;
        frame.addRoundedRect(QRectF(2, 2, 60, 60), 13, 13);
        p.fillPath(frame, QColor(0x10, 0x13, 0x1a));
        p.setClipPath(frame);
        const auto galaxy = [&p](QPointF at, double angle, const QColor& color) {
            p.save();
            p.translate(at);
            p.rotate(angle);
            p.scale(1.0, 0.55);
            QRadialGradient light(QPointF(0, 0), 22);
            light.setColorAt(0.0, Qt::white);
            light.setColorAt(0.25, color);
            QColor edge = color;
            edge.setAlpha(0);
            light.setColorAt(1.0, edge);
            p.setPen(Qt::NoPen);
            p.setBrush(light);
            p.drawEllipse(QPointF(0, 0), 22, 22);
            p.restore();
        };
        p.setCompositionMode(QPainter::CompositionMode_Screen);
        galaxy({25, 28}, -35, QColor(0xf2, 0xa2, 0x3c));
        galaxy({40, 38}, 40, QColor(0x3f, 0x9d, 0xf0));
        icon.addPixmap(pixmap);
    }
    return icon;
}

} // namespace blendscope
