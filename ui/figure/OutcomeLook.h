#pragma once

#include "judge/Outcome.h"

#include <QColor>
#include <QPainter>
#include <QPen>
#include <QString>
#include <QVector>
#include <vector>

namespace blendscope {

/// How an outcome looks everywhere (map, filmstrip, table, plots, exports): colours after Okabe & Ito 2008, and never
/// by colour alone: each has a letter and a dash pattern as well.
struct OutcomeLook {
    QString letter;
    QString title; ///< "Recognized"
    QString help;  ///< one sentence
    QColor colour;
    QVector<qreal> dashes; ///< in widths of the line; empty = solid
};

[[nodiscard]] const OutcomeLook& outcomeLook(Outcome outcome);
/// In the order in which groups stand: the five outcomes of a pair first.
[[nodiscard]] const std::vector<Outcome>& outcomeOrder();
/// Place in outcomeOrder().
[[nodiscard]] int outcomeRank(Outcome outcome);

[[nodiscard]] QPen outcomePen(Outcome outcome, double width);
/// A frame in the outcome's line over any sky, with a dark rim.
void paintOutcomeFrame(QPainter& painter, const QRectF& box, Outcome outcome, double width);
/// The letter on the outcome's colour; a suspected outcome is hollow: the letter in the colour, framed.
void paintOutcomeChip(QPainter& painter, const QRectF& box, Outcome outcome, bool suspected = false);

} // namespace blendscope
