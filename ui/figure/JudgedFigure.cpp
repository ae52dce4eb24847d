#include "figure/JudgedFigure.h"

#include "core/Error.h"
#include "figure/OutcomeLook.h"
#include "figure/Palette.h"

#include <algorithm>

namespace blendscope {

namespace {

constexpr double kWidth = 860.0;
constexpr double kGap = 12.0;
constexpr double kLarge = 400.0; ///< width of the picture of the whole
constexpr double kTile = 128.0;
constexpr double kLine = 18.0;
constexpr double kWords = 3 * kLine; ///< of one object
constexpr int kMostObjects = 8;      ///< the brightest

} // namespace

JudgedFigure::JudgedFigure(const Scene& scene, std::shared_ptr<const Judgement> judgement,
                           std::shared_ptr<const Result> result, int blendId, const RgbSettings& rgb)
    : m_judgement(std::move(judgement)), m_result(std::move(result)) {
    if (!m_judgement || !m_judgement->blend(blendId))
        throw UsageError(QStringLiteral("the judgement has no blend %1").arg(blendId));
    m_pictures = makeJudgedPictures(scene, *m_judgement, blendId, rgb);
    if (m_pictures->data.isNull()) throw UsageError(m_pictures->problem);
    m_aspect = std::clamp(double(m_pictures->box.height) / m_pictures->box.width, 0.5, 1.4);
}

int JudgedFigure::rows() const {
    return std::min<int>(kMostObjects, static_cast<int>(m_pictures->alone.size()));
}

QSize JudgedFigure::size() const {
    const double left = kLarge * m_aspect;
    const double right = rows() * (std::max(kTile * m_aspect, kWords) + kGap);
    return QSizeF(kWidth, kGap + 4 * kLine + kGap + std::max(left, right) + kGap).toSize();
}

void JudgedFigure::paint(QPainter& painter) const {
    const BlendVerdict& blend = *m_judgement->blend(m_pictures->blendId);
    const QRectF all(QPointF(0, 0), QSizeF(size()));
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(all, look::canvas());
    QFont font = painter.font();
    font.setPixelSize(13);
    QFont bold = font;
    bold.setBold(true);
    bold.setPixelSize(15);
    paintOutcomeChip(painter, QRectF(kGap, kGap, 20, 20), blend.outcome);
    painter.setFont(bold);
    painter.setPen(look::ink());
    painter.drawText(QRectF(kGap + 28, kGap, kWidth - 60, 20), Qt::AlignLeft | Qt::AlignVCenter,
                     QStringLiteral("%1, blend %2: %3")
                         .arg(m_judgement->sceneId)
                         .arg(blend.id)
                         .arg(outcomeLook(blend.outcome).title.toLower()));
    painter.setFont(font);
    painter.drawText(QRectF(kGap, kGap + 24, kWidth - 2 * kGap, 3 * kLine), Qt::AlignLeft | Qt::TextWordWrap,
                     blend.words);
    const double top = kGap + 4 * kLine + kGap;
    paintJudgedBlend(painter, QRectF(kGap, top, kLarge, kLarge * m_aspect), *m_pictures, *m_judgement, m_result.get());
    const double step = std::max(kTile * m_aspect, kWords) + kGap;
    for (int k = 0; k < rows(); ++k) {
        const JudgedPictures::Alone& alone = m_pictures->alone[static_cast<size_t>(k)];
        const TruthVerdict* t = m_judgement->object(alone.truthId);
        const QRectF tile(kGap + kLarge + kGap, top + k * step, kTile, kTile * m_aspect);
        painter.setFont(font);
        painter.setPen(look::noData().lighter(150));
        if (alone.image.isNull()) {
            painter.drawText(tile, Qt::AlignCenter | Qt::TextWordWrap, QStringLiteral("no image of it alone"));
        } else {
            const QSizeF inside = QSizeF(alone.image.size()).scaled(tile.size(), Qt::KeepAspectRatio);
            painter.drawImage(QRectF(tile.center() - QPointF(inside.width() / 2, inside.height() / 2), inside),
                              alone.image);
        }
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(m_pictures->colour(alone.truthId), 1.4));
        painter.drawRect(tile);
        if (!t) continue;
        const double x = tile.right() + kGap;
        paintOutcomeChip(painter, QRectF(x, tile.top(), 16, 16), t->outcome);
        painter.setFont(bold);
        painter.setPen(m_pictures->colour(t->id).lighter(140));
        painter.drawText(QRectF(x + 22, tile.top() - 1, 60, kLine), Qt::AlignLeft | Qt::AlignVCenter, t->letter);
        painter.setFont(font);
        painter.setPen(look::ink());
        painter.drawText(QRectF(x, tile.top() + kLine + 2, kWidth - kGap - x, step - kLine - 4),
                         Qt::AlignLeft | Qt::TextWordWrap, t->words);
    }
    painter.restore();
}

} // namespace blendscope
