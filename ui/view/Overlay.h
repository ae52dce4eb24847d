#pragma once

#include "view/ViewTransform.h"
#include "view/ViewTypes.h"

#include <QWidget>

namespace blendscope {

/// What is written over a picture: caption, compass, scale bar, colour bar, rubber band, messages. Takes no mouse.
class Overlay final : public QWidget {
    Q_OBJECT

public:
    explicit Overlay(QWidget* parent);

    struct Contents {
        ScenePtr scene;
        ViewTransform transform;
        ViewDisplay display;
        OverlayStyle style;
        QString caption;
        std::vector<QString> classes; ///< names of the classes that are shaded; empty = none
        QString message;              ///< a sentence in the middle, instead of a picture
        QString note;                 ///< a sentence at the top, over the picture
        QRectF band;                  ///< rubber band, widget coordinates
    };
    void setContents(const Contents& contents);
    void setOutcomes(std::vector<OutcomeMark> marks);
    void paintContents(QPainter& painter) const;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void paintOutcomes(QPainter& painter) const;
    void paintCompass(QPainter& painter, QPointF at) const;
    void paintScaleBar(QPainter& painter, QPointF rightEnd) const;
    void paintColourBar(QPainter& painter, QPointF leftTop) const;
    void paintClasses(QPainter& painter, QPointF rightTop) const;

    Contents m_contents;
    std::vector<OutcomeMark> m_outcomes;
    QString m_keys[3]; ///< what is drawn at the top, at the lower right and at the lower left
};

} // namespace blendscope
