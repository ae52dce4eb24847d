#include "panels/StretchPanel.h"

#include "charts/Histogram.h"
#include "models/Format.h"
#include "theme/Theme.h"
#include "view/SceneSamples.h"

#include <QApplication>
#include <QButtonGroup>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPointer>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kSteps = 200; ///< slider steps; the stretch goes over four factors of ten
constexpr double kQMost = 40.0;

/// One of four hues for up to N channels: the picture's own channels.
QColor channelColor(int channel) {
    static const QColor colors[] = {QColor(0xe0, 0x52, 0x45), QColor(0x45, 0xb0, 0x68), QColor(0x4a, 0x86, 0xe8)};
    return colors[channel];
}

} // namespace

StretchPanel::StretchPanel(QWidget* parent)
    : QWidget(parent), m_band(new QComboBox(this)), m_histogram(new Histogram(this)), m_pages(new QStackedWidget(this)),
      m_curve(new QComboBox), m_map(new QComboBox), m_low(new QLabel), m_high(new QLabel),
      m_stretch(new QSlider(Qt::Horizontal)), m_q(new QSlider(Qt::Horizontal)), m_stretchValue(new QLabel),
      m_qValue(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->setSpacing(6);

    auto* top = new QHBoxLayout;
    top->setSpacing(2);
    auto* group = new QButtonGroup(this);
    const std::pair<QString, QString> modes[] = {{tr("RGB"), tr("Colour picture of all bands")},
                                                 {tr("Band"), tr("One band in grey or false colours")},
                                                 {tr("Grid"), tr("All bands side by side, linked")}};
    for (int i = 0; i < 3; ++i) {
        const auto& [text, tip] = modes[i];
        auto* b = new QToolButton;
        m_modes[i] = b;
        b->setText(text);
        b->setToolTip(tip);
        b->setCheckable(true);
        b->setAutoRaise(true);
        group->addButton(b, i);
        top->addWidget(b);
    }
    top->addStretch();
    m_band->setToolTip(tr("The band shown"));
    m_band->setAccessibleName(tr("The band shown"));
    m_band->setMinimumContentsLength(3);
    m_band->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    top->addWidget(m_band);
    layout->addLayout(top);
    layout->addWidget(m_histogram);

    auto* single = new QWidget;
    auto* grid = new QGridLayout(single);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setVerticalSpacing(4);
    m_low->setFont(Theme::smallFont());
    m_high->setFont(Theme::smallFont());
    m_high->setAlignment(Qt::AlignRight);
    grid->addWidget(m_low, 0, 0, 1, 2);
    grid->addWidget(m_high, 0, 2, 1, 2);
    m_curve->addItems({tr("linear"), tr("log"), tr("sqrt"), tr("asinh")});
    m_curve->setToolTip(tr("The curve from the low cut (black) to the high cut (white)"));
    m_map->addItems({tr("grey"), tr("grey, inverted"), tr("viridis"), tr("cividis"), tr("magma"), tr("diverging")});
    m_map->setToolTip(tr("Colours of one band"));
    auto* autoCuts = new QPushButton(tr("Auto cuts"));
    autoCuts->setToolTip(tr("Finds the cuts from a sample of the pixels"));
    auto* menu = new QMenu(autoCuts);
    const std::pair<QString, CutsMode> cutModes[] = {{tr("ZScale"), CutsMode::ZScale},
                                                     {tr("Around the sky"), CutsMode::Sky},
                                                     {tr("90 %"), CutsMode::Percent90},
                                                     {tr("99 %"), CutsMode::Percent99},
                                                     {tr("99.5 %"), CutsMode::Percent995},
                                                     {tr("99.9 %"), CutsMode::Percent999},
                                                     {tr("Minimum to maximum"), CutsMode::MinMax}};
    for (const auto& [text, mode] : cutModes) {
        menu->addAction(text, this, [this, m = mode] { Q_EMIT autoCutsRequested(m); });
    }
    autoCuts->setMenu(menu);
    for (QComboBox* box : {m_curve, m_map}) {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(5);
    }
    grid->addWidget(m_curve, 1, 0, 1, 2);
    grid->addWidget(m_map, 1, 2, 1, 2);
    grid->addWidget(autoCuts, 2, 0, 1, 4);
    m_pages->addWidget(single);

    auto* rgb = new QWidget;
    auto* sliders = new QGridLayout(rgb);
    sliders->setContentsMargins(0, 0, 0, 0);
    sliders->setVerticalSpacing(4);
    m_stretch->setRange(-kSteps, kSteps);
    m_stretch->setToolTip(tr("Lupton's stretch: to the right faint light comes up"));
    m_stretch->setAccessibleName(tr("Stretch"));
    m_q->setRange(0, kSteps);
    m_q->setToolTip(tr("Lupton's Q: to the right bright cores keep their colour and detail"));
    m_q->setAccessibleName(tr("Q"));
    for (QLabel* label : {m_stretchValue, m_qValue}) {
        label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        label->setFont(Theme::numberFont());
        label->setMinimumWidth(label->fontMetrics().horizontalAdvance(QStringLiteral("0.0000")));
    }
    sliders->addWidget(new QLabel(tr("Faint light")), 0, 0);
    sliders->addWidget(m_stretch, 0, 1);
    sliders->addWidget(m_stretchValue, 0, 2);
    sliders->addWidget(new QLabel(tr("Bright cores (Q)")), 1, 0);
    sliders->addWidget(m_q, 1, 1);
    sliders->addWidget(m_qValue, 1, 2);
    auto* reset = new QPushButton(tr("Default colours"));
    reset->setToolTip(tr("Bands, stretch and Q as found from the scene"));
    sliders->addWidget(reset, 2, 0, 1, 3);
    m_pages->addWidget(rgb);
    layout->addWidget(m_pages);

    connect(group, &QButtonGroup::idClicked, this, [this](int id) { Q_EMIT modeChosen(static_cast<Mode>(id)); });
    connect(m_band, &QComboBox::activated, this, &StretchPanel::bandChosen);
    connect(m_histogram, &Histogram::cutsDragged, this, [this](Cuts cuts) {
        m_display.cuts = cuts;
        edit();
    });
    connect(m_curve, &QComboBox::activated, this, [this](int i) {
        m_display.curve = static_cast<Curve>(i);
        m_display.curveParameter = 0.0f;
        edit();
    });
    connect(m_map, &QComboBox::activated, this, [this](int i) {
        m_display.map = static_cast<DisplayMap>(i);
        edit();
    });
    connect(m_stretch, &QSlider::valueChanged, this, [this](int v) {
        if (m_setting) return;
        m_display.rgbSettings.stretch = m_defaultStretch * float(std::pow(10.0, -2.0 * v / kSteps));
        edit();
    });
    connect(m_q, &QSlider::valueChanged, this, [this](int v) {
        if (m_setting) return;
        m_display.rgbSettings.q = float(kQMost * v * v / (kSteps * kSteps));
        edit();
    });
    connect(reset, &QPushButton::clicked, this, &StretchPanel::resetRequested);
    setEnabled(false);
}

void StretchPanel::setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples) {
    m_scene = std::move(scene);
    m_samples = std::move(samples);
    setEnabled(m_scene != nullptr);
    const QSignalBlocker block(m_band);
    m_band->clear();
    if (m_scene) m_band->addItems(m_scene->bandNames());
    m_modes[0]->setEnabled(m_scene && m_scene->bands.size() > 1);
    m_modes[2]->setEnabled(m_scene && m_scene->bands.size() > 1);
    refreshTraces();
}

void StretchPanel::setState(Mode mode, const ViewDisplay& display) {
    const bool traces = mode != m_mode || display.rgb != m_display.rgb || display.band != m_display.band ||
                        display.rgbSettings.weights != m_display.rgbSettings.weights;
    m_mode = mode;
    m_display = display;
    m_setting = true;
    for (int i = 0; i < 3; ++i) {
        m_modes[i]->setChecked(i == static_cast<int>(mode));
    }
    m_band->setCurrentIndex(display.band);
    m_band->setVisible(mode == Mode::Single);
    m_pages->setCurrentIndex(display.rgb ? 1 : 0);
    m_curve->setCurrentIndex(static_cast<int>(display.curve));
    m_map->setCurrentIndex(static_cast<int>(display.map));
    m_low->setText(tr("black %1").arg(formatValue(double(display.cuts.low))));
    m_high->setText(tr("white %1").arg(formatValue(double(display.cuts.high))));
    if (m_samples) {
        if (const auto settings = m_samples->rgb()) m_defaultStretch = settings->stretch;
    }
    const double ratio = double(display.rgbSettings.stretch) / double(m_defaultStretch);
    const int stretch = ratio > 0 ? int(std::lround(-kSteps / 2.0 * std::log10(ratio))) : 0;
    if (!m_stretch->isSliderDown()) m_stretch->setValue(std::clamp(stretch, -kSteps, kSteps));
    if (!m_q->isSliderDown()) {
        m_q->setValue(int(std::lround(kSteps * std::sqrt(std::max(0.0, double(display.rgbSettings.q)) / kQMost))));
    }
    m_stretchValue->setText(ratio > 0 ? QStringLiteral("\u00d7%1").arg(formatValue(1.0 / ratio, 2)) : QString());
    m_qValue->setText(formatValue(double(display.rgbSettings.q), 2));
    m_histogram->setCuts(display.cuts, !display.rgb);
    m_histogram->setCurve(display.curve, display.curveParameter);
    m_setting = false;
    if (traces) refreshTraces();
}

void StretchPanel::refreshTraces() {
    if (!m_scene || !m_samples) {
        m_histogram->setTraces({});
        return;
    }
    std::vector<std::pair<int, QColor>> wanted;
    if (m_display.rgb) {
        // The band that leads each channel.
        for (int c = 0; c < 3; ++c) {
            const auto& w = m_display.rgbSettings.weights[static_cast<std::size_t>(c)];
            if (w.empty()) continue;
            const auto lead = std::max_element(w.begin(), w.end());
            if (*lead > 0) wanted.emplace_back(int(lead - w.begin()), channelColor(c));
        }
    } else {
        wanted.emplace_back(m_display.band, Theme::colors().muted);
    }
    std::vector<Histogram::Trace> traces;
    for (const auto& [band, color] : wanted) {
        auto values = m_samples->band(band);
        if (!values) {
            const QPointer<StretchPanel> self(this);
            m_samples->requestBand(band, [self, samples = m_samples] {
                // On a worker thread: only post, to somebody who is sure to be there.
                QMetaObject::invokeMethod(
                    qApp,
                    [self, samples] {
                        if (self && self->m_samples == samples) self->refreshTraces();
                    },
                    Qt::QueuedConnection);
            });
            continue;
        }
        traces.push_back({values, color});
    }
    m_histogram->setTraces(std::move(traces));
}

void StretchPanel::edit() {
    if (!m_setting) Q_EMIT displayEdited(m_display);
}

} // namespace blendscope
