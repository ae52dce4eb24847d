#include "judge/InjectPanel.h"

#include "figure/OutcomeLook.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPixmap>
#include <QPushButton>
#include <cmath>

namespace blendscope {

InjectPanel::InjectPanel(InjectTool* tool, QWidget* parent)
    : QWidget(parent), m_tool(tool), m_kind(new QComboBox), m_magnitude(new QDoubleSpinBox), m_size(new QDoubleSpinBox),
      m_place(new QPushButton(tr("Place in the picture"))), m_keep(new QPushButton(tr("Keep as a scene"))),
      m_clear(new QPushButton(tr("Take away"))), m_chip(new QLabel), m_words(new QLabel) {
    auto* layout = new QFormLayout(this);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->setVerticalSpacing(4);
    m_kind->addItems({tr("young, blue galaxy"), tr("old, red galaxy"), tr("star")});
    layout->addRow(tr("What"), m_kind);
    m_magnitude->setRange(14.0, 30.0);
    m_magnitude->setSingleStep(0.25);
    m_magnitude->setSuffix(tr(" mag"));
    m_magnitude->setToolTip(tr("AB, as in the i band"));
    m_magnitude->setValue(m_tool->wish().magnitude);
    layout->addRow(tr("Brightness"), m_magnitude);
    m_size->setRange(0.05, 10.0);
    m_size->setSingleStep(0.1);
    m_size->setSuffix(QStringLiteral("\u2033"));
    m_size->setToolTip(tr("Half-light radius before the PSF"));
    m_size->setValue(m_tool->wish().hlrArcsec);
    layout->addRow(tr("Size"), m_size);
    m_place->setObjectName(QStringLiteral("placeGalaxy"));
    m_place->setCheckable(true);
    m_place->setToolTip(tr("Then click or drag in the picture: what would happen to this object there? (I)"));
    layout->addRow(m_place);
    auto* line = new QHBoxLayout;
    line->addWidget(m_chip, 0, Qt::AlignTop);
    m_words->setWordWrap(true);
    m_words->setTextInteractionFlags(Qt::TextSelectableByMouse);
    line->addWidget(m_words, 1);
    layout->addRow(line);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_keep);
    buttons->addWidget(m_clear);
    layout->addRow(buttons);
    connect(m_kind, &QComboBox::currentIndexChanged, this, &InjectPanel::edit);
    for (QDoubleSpinBox* box : {m_magnitude, m_size}) {
        connect(box, &QDoubleSpinBox::valueChanged, this, &InjectPanel::edit);
    }
    connect(m_place, &QPushButton::toggled, this, &InjectPanel::placingChanged);
    connect(m_keep, &QPushButton::clicked, m_tool, &InjectTool::keep);
    connect(m_clear, &QPushButton::clicked, m_tool, &InjectTool::clear);
    connect(m_tool, &InjectTool::changed, this, &InjectPanel::refresh);
    refresh();
}

QString InjectPanel::words() const {
    return m_words->text();
}

void InjectPanel::edit() {
    InjectTool::Wish wish = m_tool->wish();
    wish.kind = static_cast<InjectTool::Kind>(m_kind->currentIndex());
    wish.magnitude = m_magnitude->value();
    wish.hlrArcsec = m_size->value();
    m_size->setEnabled(wish.kind != InjectTool::Kind::Star);
    m_tool->setWish(wish);
}

void InjectPanel::refresh() {
    const auto& answer = m_tool->answer();
    QString text = m_tool->running()              ? tr("Detecting and judging\u2026")
                   : !m_tool->problem().isEmpty() ? m_tool->problem()
                   : answer                       ? answer->words
                                                  : QString();
    if (answer && !m_tool->running() && std::isfinite(answer->verdict.snr)) {
        text += tr(" S/N %1.").arg(answer->verdict.snr, 0, 'g', 3);
    }
    m_words->setText(text);
    m_words->setVisible(!text.isEmpty());
    const bool judged = answer && answer->known && !m_tool->running();
    m_chip->setVisible(judged);
    if (judged) {
        QPixmap chip(44, 44);
        chip.setDevicePixelRatio(2.0);
        chip.fill(Qt::transparent);
        QPainter painter(&chip);
        paintOutcomeChip(painter, QRectF(1, 1, 20, 20), answer->verdict.outcome);
        painter.end();
        m_chip->setPixmap(chip);
        m_chip->setToolTip(outcomeLook(answer->verdict.outcome).title);
    }
    m_keep->setVisible(judged);
    m_clear->setVisible(m_tool->place().has_value());
}

} // namespace blendscope
