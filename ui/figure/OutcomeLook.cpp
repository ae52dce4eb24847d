#include "figure/OutcomeLook.h"

#include "figure/Palette.h"

#include <QMap>
#include <algorithm>

namespace blendscope {

namespace {

const QMap<Outcome, OutcomeLook>& looks() {
    static const QMap<Outcome, OutcomeLook> all = {
        {Outcome::Recognized,
         {QStringLiteral("R"),
          QStringLiteral("Recognized"),
          QStringLiteral("Every object has one detection of its own."),
          QColor(0x00, 0x9E, 0x73),
          {}}},
        {Outcome::Unrecognized,
         {QStringLiteral("U"),
          QStringLiteral("Unrecognized"),
          QStringLiteral("Objects that would be detected alone share one detection."),
          QColor(0xD5, 0x5E, 0x00),
          {6, 3}}},
        {Outcome::Shredded,
         {QStringLiteral("S"),
          QStringLiteral("Shredded"),
          QStringLiteral("More detections than objects."),
          QColor(0xE6, 0x9F, 0x00),
          {1, 2}}},
        {Outcome::Merged,
         {QStringLiteral("M"),
          QStringLiteral("Merged"),
          QStringLiteral("No object would be detected alone; together they are, as one."),
          QColor(0xCC, 0x79, 0xA7),
          {6, 2, 1, 2}}},
        {Outcome::Undetected,
         {QStringLiteral("D"),
          QStringLiteral("Undetected"),
          QStringLiteral("An object that would not be detected alone hides in another's detection."),
          QColor(0x56, 0xB4, 0xE9),
          {3, 6}}},
        {Outcome::Lost,
         {QStringLiteral("L"),
          QStringLiteral("Lost"),
          QStringLiteral("An object that would be detected alone is in no detection."),
          QColor(0x00, 0x72, 0xB2),
          {2, 2}}},
        {Outcome::Boosted,
         {QStringLiteral("B"),
          QStringLiteral("Boosted"),
          QStringLiteral("An object that would not be detected alone has a detection of its own."),
          QColor(0xF0, 0xE4, 0x42),
          {4, 2, 4, 4}}},
        {Outcome::Spurious,
         {QStringLiteral("X"),
          QStringLiteral("Spurious"),
          QStringLiteral("A detection without an object."),
          QColor(0xB4, 0xB8, 0xBE),
          {1, 1}}},
        {Outcome::Invisible,
         {QStringLiteral("I"),
          QStringLiteral("Invisible"),
          QStringLiteral("Would not be detected alone, and is in no detection."),
          QColor(0x7C, 0x82, 0x8A),
          {1, 4}}},
        {Outcome::Single,
         {QStringLiteral("1"),
          QStringLiteral("Single"),
          QStringLiteral("An object alone in its footprint, detected once."),
          QColor(0x8F, 0xA8, 0xA0),
          {}}},
        {Outcome::Unknown,
         {QStringLiteral("?"),
          QStringLiteral("Unknown"),
          QStringLiteral("Cannot be judged: no true object is known here."),
          QColor(0x90, 0x90, 0x98),
          {2, 4}}},
        {Outcome::Outside,
         {QStringLiteral("O"),
          QStringLiteral("Outside"),
          QStringLiteral("A true object outside the usable pixels."),
          QColor(0x6C, 0x70, 0x78),
          {1, 6}}}};
    return all;
}

} // namespace

const OutcomeLook& outcomeLook(Outcome outcome) {
    const auto it = looks().constFind(outcome);
    return it != looks().constEnd() ? *it : *looks().constFind(Outcome::Unknown);
}

const std::vector<Outcome>& outcomeOrder() {
    static const std::vector<Outcome> order = {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded,
                                               Outcome::Merged,     Outcome::Undetected,   Outcome::Lost,
                                               Outcome::Boosted,    Outcome::Spurious,     Outcome::Single,
                                               Outcome::Invisible,  Outcome::Unknown,      Outcome::Outside};
    return order;
}

int outcomeRank(Outcome outcome) {
    const auto& order = outcomeOrder();
    return static_cast<int>(std::find(order.begin(), order.end(), outcome) - order.begin());
}

QPen outcomePen(Outcome outcome, double width) {
    const OutcomeLook& look = outcomeLook(outcome);
    QPen pen(look.colour, width);
    pen.setCapStyle(Qt::FlatCap);
    pen.setJoinStyle(Qt::MiterJoin);
    if (!look.dashes.isEmpty()) pen.setDashPattern(look.dashes);
    return pen;
}

void paintOutcomeFrame(QPainter& painter, const QRectF& box, Outcome outcome, double width) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(QColor(0, 0, 0, 150), width + 2.0));
    painter.drawRect(box);
    painter.setPen(outcomePen(outcome, width));
    painter.drawRect(box);
}

void paintOutcomeChip(QPainter& painter, const QRectF& box, Outcome outcome, bool suspected) {
    const OutcomeLook& look = outcomeLook(outcome);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const double radius = 0.22 * box.height();
    if (suspected) {
        painter.setPen(QPen(look.colour, 1.6));
        painter.setBrush(look::canvas());
        painter.drawRoundedRect(box.adjusted(0.8, 0.8, -0.8, -0.8), radius, radius);
    } else {
        painter.setPen(Qt::NoPen);
        painter.setBrush(look.colour);
        painter.drawRoundedRect(box, radius, radius);
    }
    QFont font = painter.font();
    font.setBold(true);
    font.setPixelSize(std::max(7, static_cast<int>(0.72 * box.height())));
    painter.setFont(font);
    const bool light = 0.299 * look.colour.redF() + 0.587 * look.colour.greenF() + 0.114 * look.colour.blueF() > 0.42;
    painter.setPen(suspected ? look.colour : light ? QColor(0x10, 0x12, 0x16) : QColor(Qt::white));
    painter.drawText(box, Qt::AlignCenter, look.letter);
    painter.restore();
}

} // namespace blendscope
