#pragma once

#include "view/ViewTypes.h"

#include <QWidget>
#include <memory>

class QComboBox;
class QLabel;
class QSlider;
class QStackedWidget;
class QToolButton;
class QPushButton;

namespace blendscope {

class Histogram;
class SceneSamples;

/// How pixels become colours: picture mode, histogram with cuts and curve for one band, Lupton's stretch and Q in
/// colour.
class StretchPanel final : public QWidget {
    Q_OBJECT

public:
    enum class Mode { Rgb, Single, Grid };

    explicit StretchPanel(QWidget* parent = nullptr);
    void setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples);
    /// Shows the state of the view; emits nothing.
    void setState(Mode mode, const ViewDisplay& display);
    [[nodiscard]] Histogram* histogram() const { return m_histogram; }

Q_SIGNALS:
    void modeChosen(blendscope::StretchPanel::Mode mode);
    void bandChosen(int band);
    void displayEdited(const blendscope::ViewDisplay& display);
    void autoCutsRequested(blendscope::CutsMode mode);
    void resetRequested();

private:
    void refreshTraces();
    void edit();

    ScenePtr m_scene;
    std::shared_ptr<SceneSamples> m_samples;
    Mode m_mode = Mode::Rgb;
    ViewDisplay m_display;
    float m_defaultStretch = 1.0f;
    bool m_setting = false;

    QToolButton* m_modes[3];
    QComboBox* m_band;
    Histogram* m_histogram;
    QStackedWidget* m_pages;
    QComboBox* m_curve;
    QComboBox* m_map;
    QLabel* m_low;
    QLabel* m_high;
    QSlider* m_stretch;
    QSlider* m_q;
    QLabel* m_stretchValue;
    QLabel* m_qValue;
};

} // namespace blendscope
