#include "panels/LayersPanel.h"

#include "figure/Palette.h"
#include "view/ClassTiles.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QSignalBlocker>
#include <QSlider>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

/// A small picture of how a layer is drawn, in its own colour: the legend.
class Swatch final : public QWidget {
public:
    enum class Kind { Masks, Peaks, Ellipses, Truth, Classes, Unusable, NoData };
    explicit Swatch(Kind kind) : m_kind(kind) { setFixedSize(26, 16); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter p(this);
        p.setRenderHint(QPainter::Antialiasing);
        p.fillRect(rect(), look::canvas());
        const QPointF c = QRectF(rect()).center();
        switch (m_kind) {
        case Kind::Masks: {
            p.setPen(QPen(paletteColour(0), 1.5));
            QColor fill = paletteColour(0);
            fill.setAlpha(90);
            p.setBrush(fill);
            p.drawEllipse(c - QPointF(4, 0), 6.0, 5.0);
            p.setPen(QPen(paletteColour(1), 1.5));
            fill = paletteColour(1);
            fill.setAlpha(90);
            p.setBrush(fill);
            p.drawEllipse(c + QPointF(5, 0), 5.0, 4.5);
            break;
        }
        case Kind::Peaks:
            p.setPen(QPen(look::peak(), 1.4));
            p.drawLine(c - QPointF(4, 0), c + QPointF(4, 0));
            p.drawLine(c - QPointF(0, 4), c + QPointF(0, 4));
            break;
        case Kind::Ellipses:
            p.setPen(QPen(look::detected(), 1.4, Qt::DashLine));
            p.translate(c);
            p.rotate(-20);
            p.drawEllipse(QPointF(0, 0), 9.0, 4.5);
            break;
        case Kind::Truth: {
            QColor fill = look::truth();
            fill.setAlpha(150);
            p.setPen(Qt::NoPen);
            p.setBrush(fill);
            p.drawEllipse(c, 9.0, 5.5);
            p.setBrush(look::truth());
            p.drawEllipse(c, 1.8, 1.8);
            break;
        }
        case Kind::Classes:
            for (int k = 0; k < 3; ++k) {
                p.fillRect(QRectF(2 + 8 * k, 3, 7, 10), classColour(k + 1));
            }
            break;
        // As in the picture: thin stripes falling, broad ones rising.
        case Kind::Unusable:
            p.fillRect(rect(), QColor(0x3a, 0x3d, 0x44));
            p.setPen(QPen(look::noData().lighter(140), 1.2));
            for (int x = -16; x < width() + 16; x += 6) {
                p.drawLine(x, 0, x + height(), height());
            }
            break;
        case Kind::NoData:
            p.setPen(QPen(look::noData(), 4.0));
            for (int x = -16; x < width() + 16; x += 10) {
                p.drawLine(x, height(), x + height(), 0);
            }
            break;
        }
    }

private:
    Kind m_kind;
};

} // namespace

LayersPanel::LayersPanel(QWidget* parent)
    : QWidget(parent), m_masks(new QCheckBox(tr("Masks"))), m_maskStyle(new QComboBox),
      m_maskOpacity(new QSlider(Qt::Horizontal)), m_peaks(new QCheckBox(tr("Peaks"))),
      m_ellipses(new QCheckBox(tr("Measured shapes"))), m_truth(new QCheckBox(tr("Truth"))),
      m_truthOpacity(new QSlider(Qt::Horizontal)), m_classes(new QCheckBox(tr("Classes"))), m_classShown(new QComboBox),
      m_classOpacity(new QSlider(Qt::Horizontal)), m_unusable(new QCheckBox(tr("Masked, no weight"))),
      m_compass(new QCheckBox(tr("Compass"))), m_scaleBar(new QCheckBox(tr("Scale"))),
      m_colorBar(new QCheckBox(tr("Colour bar"))) {
    m_masks->setToolTip(tr("The pixels of every object; neighbours differ in colour"));
    m_maskStyle->addItems({tr("fill"), tr("outline"), tr("both")});
    m_maskStyle->setToolTip(tr("How masks are drawn"));
    m_maskStyle->setAccessibleName(tr("How masks are drawn"));
    m_peaks->setToolTip(tr("Rough positions from detection, as crosses"));
    m_ellipses->setToolTip(tr("Size and shape of what was measured, as dashed ellipses"));
    m_unusable->setToolTip(tr("Pixels that no method uses: masked, or without weight (variance zero or infinite)"));
    m_truth->setToolTip(tr("What is known to be there, as colour shading"));
    m_classes->setToolTip(tr("What each pixel is, as the method says; the more certain, the stronger the shading"));
    m_classShown->setToolTip(tr("The most probable class of each pixel, or the probability of one"));
    m_classShown->setAccessibleName(tr("Class that is shown"));
    m_classOpacity->setToolTip(tr("Opacity of the classes"));
    m_classOpacity->setAccessibleName(tr("Opacity of the classes"));
    for (QSlider* s : {m_maskOpacity, m_truthOpacity, m_classOpacity}) {
        s->setRange(5, 100);
        s->setMinimumWidth(40);
    }
    m_maskOpacity->setToolTip(tr("Opacity of the fill"));
    m_maskOpacity->setAccessibleName(tr("Opacity of the masks"));
    m_truthOpacity->setToolTip(tr("Opacity of the truth"));
    m_truthOpacity->setAccessibleName(tr("Opacity of the truth"));

    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(8, 6, 8, 8);
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(2, 1);
    int row = 0;
    const auto line = [&](Swatch::Kind kind, QCheckBox* box, QWidget* a = nullptr, QWidget* b = nullptr) {
        auto* swatch = new Swatch(kind);
        if (kind == Swatch::Kind::Classes) m_classSwatch = swatch;
        grid->addWidget(swatch, row, 0);
        grid->addWidget(box, row, 1, 1, a ? 1 : 3);
        if (a) grid->addWidget(a, row, 2, 1, b ? 1 : 2);
        if (b) grid->addWidget(b, row, 3);
        ++row;
    };
    m_maskStyle->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    line(Swatch::Kind::Masks, m_masks, m_maskOpacity, m_maskStyle);
    line(Swatch::Kind::Ellipses, m_ellipses);
    line(Swatch::Kind::Peaks, m_peaks);
    line(Swatch::Kind::Truth, m_truth, m_truthOpacity);
    m_classShown->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_classShown->setMinimumContentsLength(11); // "most probable" in the panel's narrowest
    line(Swatch::Kind::Classes, m_classes, m_classOpacity, m_classShown);
    line(Swatch::Kind::Unusable, m_unusable);
    auto* noData = new QLabel(tr("No data"));
    noData->setToolTip(tr("Pixels that hold no number (NaN); always shown so"));
    grid->addWidget(new Swatch(Swatch::Kind::NoData), row, 0);
    grid->addWidget(noData, row++, 1, 1, 3);
    auto* furniture = new QHBoxLayout;
    for (QCheckBox* box : {m_compass, m_scaleBar, m_colorBar}) {
        furniture->addWidget(box);
    }
    furniture->addStretch();
    grid->addLayout(furniture, row, 0, 1, 4);

    for (QCheckBox* box :
         {m_masks, m_peaks, m_ellipses, m_truth, m_classes, m_unusable, m_compass, m_scaleBar, m_colorBar}) {
        connect(box, &QCheckBox::toggled, this, &LayersPanel::edit);
    }
    for (QSlider* s : {m_maskOpacity, m_truthOpacity, m_classOpacity}) {
        connect(s, &QSlider::valueChanged, this, &LayersPanel::edit);
    }
    connect(m_maskStyle, &QComboBox::activated, this, [this](int i) {
        m_lastMasks = static_cast<MaskStyle>(i + 1);
        edit();
    });
    connect(m_classShown, &QComboBox::activated, this, &LayersPanel::edit);
    setState({}, false, false);
    setClasses({});
}

void LayersPanel::setClasses(const std::vector<QString>& names) {
    for (QWidget* w : {m_classSwatch, static_cast<QWidget*>(m_classes), static_cast<QWidget*>(m_classShown),
                       static_cast<QWidget*>(m_classOpacity)}) {
        w->setVisible(!names.empty());
    }
    if (names == m_classNames) return;
    m_classNames = names;
    const QSignalBlocker block(m_classShown);
    m_classShown->clear();
    m_classShown->addItem(tr("most probable"));
    for (const QString& name : names) {
        m_classShown->addItem(name);
    }
    m_classShown->setCurrentIndex(std::clamp(m_style.classShown + 1, 0, m_classShown->count() - 1));
}

void LayersPanel::setState(const OverlayStyle& style, bool hasResult, bool hasTruth) {
    m_setting = true;
    m_style = style;
    if (style.masks != MaskStyle::Off) m_lastMasks = style.masks;
    m_masks->setChecked(style.masks != MaskStyle::Off);
    m_maskStyle->setCurrentIndex(static_cast<int>(m_lastMasks) - 1);
    if (!m_maskOpacity->isSliderDown()) m_maskOpacity->setValue(int(std::lround(double(style.maskOpacity) * 100)));
    m_peaks->setChecked(style.peaks);
    m_ellipses->setChecked(style.ellipses);
    m_truth->setChecked(style.truth && hasTruth);
    if (!m_truthOpacity->isSliderDown()) m_truthOpacity->setValue(int(std::lround(double(style.truthOpacity) * 100)));
    m_classes->setChecked(style.classes);
    if (m_classShown->count() > 0)
        m_classShown->setCurrentIndex(std::clamp(style.classShown + 1, 0, m_classShown->count() - 1));
    if (!m_classOpacity->isSliderDown()) m_classOpacity->setValue(int(std::lround(double(style.classOpacity) * 100)));
    m_classShown->setEnabled(style.classes);
    m_classOpacity->setEnabled(style.classes);
    m_unusable->setChecked(style.unusable);
    m_compass->setChecked(style.compass);
    m_scaleBar->setChecked(style.scaleBar);
    m_colorBar->setChecked(style.colorBar);
    for (QWidget* w : {static_cast<QWidget*>(m_masks), static_cast<QWidget*>(m_maskStyle),
                       static_cast<QWidget*>(m_peaks), static_cast<QWidget*>(m_ellipses)}) {
        w->setEnabled(hasResult);
    }
    const bool filled = style.masks == MaskStyle::Fill || style.masks == MaskStyle::FillAndOutline;
    m_maskOpacity->setEnabled(hasResult && filled);
    m_truth->setEnabled(hasTruth);
    m_truthOpacity->setEnabled(hasTruth && style.truth);
    m_truth->setText(hasTruth ? tr("Truth") : tr("Truth: none"));
    m_truthOpacity->setVisible(hasTruth);
    m_setting = false;
}

void LayersPanel::edit() {
    if (m_setting) return;
    m_style.masks = m_masks->isChecked() ? m_lastMasks : MaskStyle::Off;
    m_style.maskOpacity = float(m_maskOpacity->value()) / 100.0f;
    m_style.peaks = m_peaks->isChecked();
    m_style.ellipses = m_ellipses->isChecked();
    m_style.truth = m_truth->isChecked();
    m_style.truthOpacity = float(m_truthOpacity->value()) / 100.0f;
    m_style.classes = m_classes->isChecked();
    m_style.classShown = std::max(-1, m_classShown->currentIndex() - 1);
    m_style.classOpacity = float(m_classOpacity->value()) / 100.0f;
    m_style.unusable = m_unusable->isChecked();
    m_style.compass = m_compass->isChecked();
    m_style.scaleBar = m_scaleBar->isChecked();
    m_style.colorBar = m_colorBar->isChecked();
    Q_EMIT styleEdited(m_style);
}

} // namespace blendscope
