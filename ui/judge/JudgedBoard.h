#pragma once

#include "figure/JudgedPictures.h"
#include "judge/OutcomeModel.h"

#include <QWidget>
#include <memory>

namespace blendscope {

/// Draws a judged blend large, as truth and detections together, and each of its objects alone below, in the same
/// noise.
class JudgedBoard final : public QWidget {
    Q_OBJECT

public:
    explicit JudgedBoard(QWidget* parent = nullptr);
    void setPictures(std::shared_ptr<const JudgedPictures> pictures, JudgementPtr judgement, ResultPtr result);
    void setShaded(bool shaded);
    [[nodiscard]] bool hasPictures() const { return m_pictures && !m_pictures->data.isNull(); }
    /// Truth ids of the objects shown alone.
    [[nodiscard]] std::vector<int> objectsAlone() const;
    [[nodiscard]] QSize sizeHint() const override { return {300, height()}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, 60}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    void arrange();

    std::shared_ptr<const JudgedPictures> m_pictures;
    JudgementPtr m_judgement;
    ResultPtr m_result;
    QRect m_large;
    std::vector<QRect> m_tiles; ///< of the objects alone, captions above them
    bool m_shaded = true;
};

} // namespace blendscope
