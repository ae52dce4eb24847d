#pragma once

#include "view/ViewTypes.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QSlider;

namespace blendscope {

/// What is drawn on top of the picture.
class LayersPanel final : public QWidget {
    Q_OBJECT

public:
    explicit LayersPanel(QWidget* parent = nullptr);
    /// Shows this state; emits nothing. Truth can be chosen only where the scene has one, masks where there is a
    /// result.
    void setState(const OverlayStyle& style, bool hasResult, bool hasTruth);

Q_SIGNALS:
    void styleEdited(const blendscope::OverlayStyle& style);

private:
    void edit();

    OverlayStyle m_style;
    bool m_setting = false;
    QCheckBox* m_masks;
    QComboBox* m_maskStyle;
    QSlider* m_maskOpacity;
    QCheckBox* m_peaks;
    QCheckBox* m_ellipses;
    QCheckBox* m_truth;
    QSlider* m_truthOpacity;
    QCheckBox* m_unusable;
    QCheckBox* m_compass;
    QCheckBox* m_scaleBar;
    QCheckBox* m_colorBar;
    MaskStyle m_lastMasks = MaskStyle::Outline;
};

} // namespace blendscope
