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
    /// Names of the classes that the result has planes of; empty = none, and the row is gone.
    void setClasses(const std::vector<QString>& names);

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
    QCheckBox* m_classes;
    QComboBox* m_classShown;
    QSlider* m_classOpacity;
    QWidget* m_classSwatch = nullptr;
    std::vector<QString> m_classNames;
    QCheckBox* m_unusable;
    QCheckBox* m_compass;
    QCheckBox* m_scaleBar;
    QCheckBox* m_colorBar;
    MaskStyle m_lastMasks = MaskStyle::Outline;
};

} // namespace blendscope
