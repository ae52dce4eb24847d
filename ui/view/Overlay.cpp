#include "view/Overlay.h"

#include "figure/OutcomeLook.h"
#include "figure/Palette.h"
#include "view/ClassTiles.h"
#include "view/ColourMap.h"

#include <QPainter>
#include <QPainterPath>
#include <array>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kMargin = 14.0;

/// Text that can be read over any sky: ink with a dark rim.
void text(QPainter& p, QPointF baseline, const QString& words, Qt::Alignment align = Qt::AlignLeft) {
    const double w = p.fontMetrics().horizontalAdvance(words);
    if (align & Qt::AlignHCenter) baseline.rx() -= w / 2;
    if (align & Qt::AlignRight) baseline.rx() -= w;
    QPainterPath path;
    path.addText(baseline, p.font(), words);
    p.strokePath(path, QPen(QColor(0, 0, 0, 190), 3.0, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.fillPath(path, look::ink());
}

void line(QPainter& p, const QPainterPath& path, double width = 1.6) {
    p.strokePath(path, QPen(QColor(0, 0, 0, 190), width + 2.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.strokePath(path, QPen(look::ink(), width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
}

/// The round number of at most `most`: 1, 2 or 5 times a power of ten.
double roundLength(double most) {
    const double unit = std::pow(10.0, std::floor(std::log10(most)));
    for (const double f : {5.0, 2.0}) {
        if (f * unit <= most) return f * unit;
    }
    return unit;
}

QString angleWords(double arcsec) {
    if (arcsec >= 3600.0) return QStringLiteral("%1°").arg(arcsec / 3600.0);
    if (arcsec >= 60.0) return QStringLiteral("%1′").arg(arcsec / 60.0);
    return QStringLiteral("%1″").arg(arcsec);
}

} // namespace

Overlay::Overlay(QWidget* parent) : QWidget(parent) {
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAttribute(Qt::WA_NoSystemBackground);
    setAttribute(Qt::WA_TranslucentBackground);
}

void Overlay::setContents(const Contents& contents) {
    const bool all = contents.message != m_contents.message || contents.band != m_contents.band ||
                     contents.scene != m_contents.scene || contents.style != m_contents.style ||
                     contents.classes != m_contents.classes || !m_outcomes.empty();
    m_contents = contents;
    // A pan changes no word of this: what stays is not painted and sent to the screen again.
    const Contents& c = m_contents;
    QString keys[3];
    keys[0] = c.caption + QLatin1Char('|') + c.note;
    if (c.scene) {
        const double x = c.transform.centre.x(), y = c.transform.centre.y();
        const Wcs& wcs = c.scene->wcs;
        keys[1] = QStringLiteral("%1 %2 %3 %4")
                      .arg(c.transform.zoom, 0, 'g', 4)
                      .arg(wcs.isValid() ? std::round(wcs.northAngle(x, y) * 2.0) : 0.0)
                      .arg(wcs.isValid() ? std::round(wcs.eastAngle(x, y) * 2.0) : 0.0)
                      .arg(c.transform.pixelRatio);
    }
    const ViewDisplay& d = c.display;
    if (!d.rgb) {
        keys[2] = QStringLiteral("%1 %2 %3 %4 %5 %6 %7")
                      .arg(double(d.cuts.low))
                      .arg(double(d.cuts.high))
                      .arg(int(d.curve))
                      .arg(int(d.map))
                      .arg(double(d.contrast))
                      .arg(double(d.bias))
                      .arg(double(d.curveParameter));
    }
    const QRect places[] = {
        {0, 0, width(), 48}, {width() - 280, height() - 110, 280, 110}, {0, height() - 60, 240, 60}};
    for (size_t i = 0; i < 3; ++i) {
        if (keys[i] != m_keys[i] && !all) update(places[i]);
        m_keys[i] = keys[i];
    }
    if (all) update();
}

void Overlay::setOutcomes(std::vector<OutcomeMark> marks) {
    if (marks.empty() && m_outcomes.empty()) return;
    m_outcomes = std::move(marks);
    update();
}

void Overlay::paintOutcomes(QPainter& p) const {
    const ViewTransform& t = m_contents.transform;
    const double scale = t.zoom / t.pixelRatio;
    const QRectF seen = t.visibleBox();
    for (const bool chosen : {false, true}) { // the selected one on top
        for (const OutcomeMark& mark : m_outcomes) {
            if (mark.selected != chosen || !seen.intersects(mark.box)) continue;
            const QPointF corner((mark.box.left() - t.centre.x()) * scale + t.screen.width() / t.pixelRatio / 2.0,
                                 t.screen.height() / t.pixelRatio / 2.0 - (mark.box.bottom() - t.centre.y()) * scale);
            const QRectF box(corner, mark.box.size() * scale);
            if (box.width() < 14.0 && !chosen) {
                // Far out a square of the colour tells as much as fits.
                p.fillRect(QRectF(box.center() - QPointF(3.5, 3.5), QSizeF(7.0, 7.0)), QColor(0, 0, 0, 170));
                p.fillRect(QRectF(box.center() - QPointF(2.5, 2.5), QSizeF(5.0, 5.0)),
                           outcomeLook(mark.outcome).colour);
                continue;
            }
            paintOutcomeFrame(p, box, mark.outcome, chosen ? 3.0 : 1.6);
            const double side = chosen ? 18.0 : 14.0;
            if (box.width() > 22.0 || chosen) {
                paintOutcomeChip(p, QRectF(box.topLeft() - QPointF(0.0, side), QSizeF(side, side)), mark.outcome,
                                 mark.suspected);
            }
        }
    }
}

void Overlay::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintContents(painter);
}

void Overlay::paintContents(QPainter& p) const {
    p.setRenderHint(QPainter::Antialiasing);
    QFont font = this->font();
    p.setFont(font);
    const Contents& c = m_contents;
    if (!c.message.isEmpty()) {
        p.fillRect(rect(), look::canvas());
        p.setPen(look::ink());
        p.drawText(QRectF(rect()).adjusted(40, 20, -40, -20), Qt::AlignCenter | Qt::TextWordWrap, c.message);
        return;
    }
    if (!m_outcomes.empty()) paintOutcomes(p);
    if (!c.caption.isEmpty()) {
        font.setBold(true);
        p.setFont(font);
        text(p, {kMargin, kMargin + p.fontMetrics().ascent()}, c.caption);
        font.setBold(false);
        p.setFont(font);
    }
    if (!c.note.isEmpty()) text(p, {width() / 2.0, kMargin + p.fontMetrics().ascent()}, c.note, Qt::AlignHCenter);
    if (!c.band.isEmpty()) {
        p.fillRect(c.band, QColor(255, 255, 255, 24));
        QPainterPath path;
        path.addRect(c.band);
        line(p, path, 1.2);
    }
    if (!c.scene || width() < 160 || height() < 120) return;
    if (!c.classes.empty() && c.style.classes) paintClasses(p, {width() - kMargin, kMargin});
    const bool compass = c.style.compass && c.scene->wcs.isValid();
    if (compass) paintCompass(p, {width() - kMargin - 30.0, height() - kMargin - 30.0});
    if (c.style.scaleBar) paintScaleBar(p, {width() - kMargin - (compass ? 84.0 : 4.0), height() - kMargin - 4.0});
    if (c.style.colorBar && !c.display.rgb && width() > 320) paintColourBar(p, {kMargin, height() - kMargin - 28.0});
}

void Overlay::paintCompass(QPainter& p, QPointF at) const {
    const Contents& c = m_contents;
    const double x = c.transform.centre.x(), y = c.transform.centre.y();
    const double angles[] = {c.scene->wcs.northAngle(x, y), c.scene->wcs.eastAngle(x, y)};
    const QString names[] = {tr("N"), tr("E")};
    // The corner of the two arrows is moved so that they stay in their square however the sky is turned.
    QPointF tips[2];
    for (size_t i = 0; i < 2; ++i) {
        if (!std::isfinite(angles[i])) return;
        const double a = angles[i] * std::numbers::pi / 180.0;
        tips[i] = QPointF(std::cos(a), -std::sin(a)) * 30.0;
    }
    const QPointF corner = at - (tips[0] + tips[1]) / 2.0;
    for (size_t i = 0; i < 2; ++i) {
        const QPointF tip = corner + tips[i];
        const QPointF u = tips[i] / 30.0, v(-u.y(), u.x());
        QPainterPath path(corner);
        path.lineTo(tip);
        path.moveTo(tip - u * 6.0 + v * 3.5);
        path.lineTo(tip);
        path.lineTo(tip - u * 6.0 - v * 3.5);
        line(p, path);
        text(p, tip + u * 10.0 + QPointF(0, p.fontMetrics().ascent() / 2.0 - 1.0), names[i], Qt::AlignHCenter);
    }
}

void Overlay::paintScaleBar(QPainter& p, QPointF rightEnd) const {
    const Contents& c = m_contents;
    const double logicalPerPixel = c.transform.zoom / c.transform.pixelRatio;
    double scale = c.scene->wcs.isValid() ? c.scene->wcs.pixelScale(c.transform.centre.x(), c.transform.centre.y()) : 0;
    if (!(scale > 0.0) || !std::isfinite(scale)) scale = c.scene->pixelScale;
    const bool sky = scale > 0.0 && std::isfinite(scale);
    const double unit = sky ? scale : 1.0; // arcsec or pixels an image pixel
    const double most = 130.0 / logicalPerPixel * unit;
    if (!(most > 0.0) || !std::isfinite(most)) return;
    // Minutes and degrees have their own round numbers.
    const double block = sky && most >= 3600.0 ? 3600.0 : sky && most >= 60.0 ? 60.0 : 1.0;
    const double length = roundLength(most / block) * block;
    const double w = length / unit * logicalPerPixel;
    QPainterPath path(rightEnd + QPointF(-w, -4.0));
    path.lineTo(rightEnd + QPointF(-w, 0.0));
    path.lineTo(rightEnd);
    path.lineTo(rightEnd + QPointF(0.0, -4.0));
    line(p, path);
    text(p, rightEnd + QPointF(-w / 2, -10.0 - p.fontMetrics().descent()),
         sky ? angleWords(length) : tr("%1 px").arg(length), Qt::AlignHCenter);
}

void Overlay::paintClasses(QPainter& p, QPointF rightTop) const {
    const Contents& c = m_contents;
    constexpr double swatch = 12.0;
    double y = rightTop.y() + p.fontMetrics().ascent();
    for (std::size_t k = 0; k < c.classes.size(); ++k) {
        const bool alone = c.style.classShown >= 0;
        if (alone ? static_cast<int>(k) != c.style.classShown : isSkyClass(c.classes[k])) continue;
        const QRectF box(rightTop.x() - swatch, y - swatch + 2.0, swatch, swatch);
        p.fillRect(box.adjusted(-1, -1, 1, 1), QColor(0, 0, 0, 190));
        p.fillRect(box, classColour(static_cast<int>(k)));
        text(p, {box.left() - 6.0, y}, alone ? tr("probability of %1").arg(c.classes[k]) : c.classes[k],
             Qt::AlignRight);
        y += p.fontMetrics().height() + 4.0;
    }
}

void Overlay::paintColourBar(QPainter& p, QPointF leftTop) const {
    const ViewDisplay& d = m_contents.display;
    const QRectF box(leftTop, QSizeF(180.0, 10.0));
    for (int i = 0; i < 180; ++i) {
        const float t = applyCurve(d.curve, (static_cast<float>(i) + 0.5f) / 180.0f, d.curveParameter);
        p.fillRect(QRectF(box.left() + i, box.top(), 1.5, box.height()),
                   QColor(mapColour(d.map, (t - d.bias) * d.contrast + 0.5f)));
    }
    QPainterPath frame;
    frame.addRect(box);
    line(p, frame, 1.0);
    const double y = box.bottom() + p.fontMetrics().ascent() + 4.0;
    const auto number = [](double v) { return QString::number(v, 'g', 3); };
    const QString middle = number((double(d.cuts.low) + d.cuts.high) / 2);
    text(p, {box.left(), y}, number(d.cuts.low));
    if (p.fontMetrics().horizontalAdvance(number(d.cuts.low) + middle + number(d.cuts.high)) < 0.75 * box.width())
        text(p, {box.center().x(), y}, middle, Qt::AlignHCenter);
    text(p, {box.right(), y}, number(d.cuts.high), Qt::AlignRight);
}

} // namespace blendscope
