#include "panels/InspectorPanel.h"

#include "charts/ProbabilityBars.h"
#include "charts/SpectrumChart.h"
#include "figure/Palette.h"
#include "models/Format.h"
#include "panels/BlendHeading.h"
#include "panels/PictureBoard.h"
#include "panels/SearchWalk.h"
#include "panels/Section.h"
#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QApplication>
#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QPointer>
#include <QScrollArea>
#include <QStackedLayout>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

namespace blendscope {

namespace {

QString flagSentence(std::uint32_t flags) {
    static const std::pair<Flag, const char*> sentences[] = {
        {FlagEdge, QT_TR_NOOP("touches the border: light is missing")},
        {FlagSaturated, QT_TR_NOOP("saturated")},
        {FlagMasked, QT_TR_NOOP("unusable pixels inside")},
        {FlagNotConverged, QT_TR_NOOP("the fit did not converge")},
        {FlagTooManyChildren, QT_TR_NOOP("too many peaks: only the brightest were deblended")},
        {FlagSkipped, QT_TR_NOOP("not deblended")},
        {FlagNotDetected, QT_TR_NOOP("no light above the threshold at the given position")},
        {FlagPointSource, QT_TR_NOOP("modelled as a point source")},
        {FlagDegenerate, QT_TR_NOOP("its flux cannot be told from a neighbour's")},
        {FlagNoFlux, QT_TR_NOOP("the deblender gave it no light")},
        {FlagBadMeasurement, QT_TR_NOOP("its shape could not be measured")},
        {FlagOutside, QT_TR_NOOP("the given position lies outside the scene")}};
    QStringList words;
    for (const auto& [flag, text] : sentences) {
        if (flags & flag) words << InspectorPanel::tr(text);
    }
    return words.join(QStringLiteral("; "));
}

QLabel* textLabel() {
    auto* label = new QLabel;
    label->setWordWrap(true);
    label->setTextFormat(Qt::RichText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse);
    return label;
}

QWidget* padded(QWidget* inner) {
    auto* outer = new QWidget;
    auto* layout = new QVBoxLayout(outer);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->addWidget(inner);
    return outer;
}

} // namespace

InspectorPanel::InspectorPanel(Document* document, QWidget* parent)
    : QWidget(parent), m_document(document), m_heading(new BlendHeading), m_story(textLabel()), m_empty(new QWidget),
      m_emptyText(new QLabel), m_scroll(new QScrollArea), m_model(new QToolButton), m_share(new QToolButton),
      m_board(new PictureBoard(PictureBoard::Layout::Large)), m_bands(new PictureBoard(PictureBoard::Layout::Bands)),
      m_counts(new ProbabilityBars), m_kinds(new ProbabilityBars), m_spectrum(new SpectrumChart),
      m_objects(textLabel()), m_details(textLabel()), m_walk(new SearchWalk), m_wait(new QTimer(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);

    connect(m_heading, &BlendHeading::stepRequested, this, &InspectorPanel::stepRequested);
    connect(m_heading, &BlendHeading::showRequested, this, &InspectorPanel::showRequested);
    layout->addWidget(m_heading);

    auto* body = new QWidget;
    auto* stack = new QStackedLayout(body);
    auto* emptyLayout = new QVBoxLayout(m_empty);
    m_emptyText->setWordWrap(true);
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyText->setForegroundRole(QPalette::PlaceholderText);
    emptyLayout->addWidget(m_emptyText);
    stack->addWidget(m_empty);

    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* pictures = new QWidget;
    auto* picturesLayout = new QVBoxLayout(pictures);
    picturesLayout->setContentsMargins(8, 0, 8, 8);
    picturesLayout->setSpacing(4);
    picturesLayout->addWidget(m_story);
    picturesLayout->addWidget(m_counts);
    auto* forms = new QHBoxLayout;
    forms->setSpacing(2);
    auto* formLabel = new QLabel(tr("Components:"));
    formLabel->setFont(Theme::smallFont());
    forms->addWidget(formLabel);
    auto* group = new QButtonGroup(this);
    m_model->setText(tr("model"));
    m_model->setToolTip(tr("What the deblender thinks each object looks like"));
    m_share->setText(tr("share of the data"));
    m_share->setToolTip(tr("The data divided in proportion to the models: shares add up to the data"));
    int index = 0;
    for (QToolButton* b : {m_model, m_share}) {
        b->setCheckable(true);
        b->setAutoRaise(true);
        b->setFont(Theme::smallFont());
        group->addButton(b, index++);
        forms->addWidget(b);
    }
    m_model->setChecked(true);
    forms->addStretch();
    picturesLayout->addWidget(m_board);
    picturesLayout->addLayout(forms);
    column->addWidget(pictures);
    m_walkSection = new Section(tr("Search"), padded(m_walk));
    column->addWidget(m_walkSection);
    column->addWidget(new Section(tr("Objects"), padded(m_objects)));
    column->addWidget(new Section(tr("Spectrum"), padded(m_spectrum)));
    auto* bandScroll = new QScrollArea;
    bandScroll->setObjectName(QStringLiteral("plain"));
    bandScroll->setFrameShape(QFrame::NoFrame);
    bandScroll->setWidgetResizable(true);
    bandScroll->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    bandScroll->setSizeAdjustPolicy(QAbstractScrollArea::AdjustToContents);
    bandScroll->setWidget(m_bands);
    m_bandsSection = new Section(tr("Per band"), padded(bandScroll));
    column->addWidget(m_bandsSection);
    auto* details = new QWidget;
    auto* detailsLayout = new QVBoxLayout(details);
    detailsLayout->setContentsMargins(0, 0, 0, 0);
    detailsLayout->addWidget(m_kinds);
    detailsLayout->addWidget(m_details);
    m_detailsSection = new Section(tr("Object"), padded(details));
    column->addWidget(m_detailsSection);
    column->addStretch();
    m_scroll->setObjectName(QStringLiteral("plain"));
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setWidget(page);
    stack->addWidget(m_scroll);
    layout->addWidget(body, 1);

    m_wait->setSingleShot(true);
    m_wait->setInterval(30);
    connect(m_wait, &QTimer::timeout, this, &InspectorPanel::render);
    connect(group, &QButtonGroup::idClicked, this, [this](int id) {
        m_form = id == 0 ? ComponentForm::Model : ComponentForm::Share;
        m_waiting = true;
        m_wait->start();
    });
    connect(m_walk, &SearchWalk::changed, this, [this] {
        m_waiting = true;
        m_wait->start();
    });
    connect(m_walk, &SearchWalk::objectClicked, m_document, &Document::selectObject);
    connect(m_document, &Document::selectionChanged, this, &InspectorPanel::refresh);
    connect(m_document, &Document::currentSceneChanged, this, &InspectorPanel::refresh);
    connect(m_document, &Document::currentResultChanged, this, &InspectorPanel::refresh);
    connect(m_document, &Document::resultUpdated, this, &InspectorPanel::refresh);
    for (PictureBoard* board : {m_board, m_bands}) {
        connect(board, &PictureBoard::objectClicked, m_document, &Document::selectObject);
    }
    connect(m_spectrum, &SpectrumChart::objectClicked, m_document, &Document::selectObject);
    const auto hover = [this](int id) { m_document->setHovered({0, id}); };
    for (PictureBoard* board : {m_board, m_bands}) {
        connect(board, &PictureBoard::objectHovered, this, hover);
    }
    connect(m_spectrum, &SpectrumChart::objectHovered, this, hover);
    connect(m_document, &Document::hoveredChanged, this, [this] {
        const int id = m_document->hovered().object;
        m_board->setHovered(id);
        m_bands->setHovered(id);
        m_spectrum->setHovered(id);
    });
    for (QLabel* label : {m_objects, m_details}) {
        connect(label, &QLabel::linkActivated, this,
                [this](const QString& link) { m_document->selectObject(link.section(QLatin1Char(':'), 1).toInt()); });
    }
    refresh();
}

InspectorPanel::~InspectorPanel() = default;

bool InspectorPanel::settled() const {
    return !m_waiting && m_task.idle() && m_walk->settled();
}

QString InspectorPanel::words() const {
    return m_heading->title() + QLatin1Char('\n') + m_story->text() + QLatin1Char('\n') + m_objects->text() +
           QLatin1Char('\n') + m_details->text() + QLatin1Char('\n') + m_walk->words();
}

void InspectorPanel::setRgb(const RgbSettings& rgb) {
    if (rgb.weights == m_rgb.weights && rgb.stretch == m_rgb.stretch && rgb.q == m_rgb.q) return;
    m_rgb = rgb;
    if (m_shownBlend > 0) {
        m_waiting = true;
        m_wait->start();
    }
}

void InspectorPanel::refresh() {
    const ResultPtr result = m_document->result();
    const Selection s = m_document->selection();
    const Blend* blend = result ? result->blend(s.blend) : nullptr;
    auto* stack = static_cast<QStackedLayout*>(m_empty->parentWidget()->layout());
    if (!blend) {
        m_shownBlend = 0;
        m_shownResult.reset();
        m_board->setPictures(nullptr);
        m_bands->setPictures(nullptr);
        ++m_request;
        m_waiting = false;
        m_heading->setTitle(tr("Inspector"));
        if (!m_document->scene()) {
            m_emptyText->setText(tr("Open a scene to begin."));
        } else if (m_document->running()) {
            m_emptyText->setText(tr("Blends appear while they are done. Click one in the picture."));
        } else if (!result) {
            m_emptyText->setText(tr("Run the pipeline (F5), then click an object in the picture to see what happened "
                                    "to it."));
        } else {
            m_emptyText->setText(tr("Click an object in the picture or a row of the table, or press D for the next "
                                    "blend."));
        }
        stack->setCurrentIndex(0);
        return;
    }
    stack->setCurrentIndex(1);
    // A partial result leaves a finished blend as it is: same pixels, same models, nothing to render.
    const Blend* before = m_shownResult && m_shownBlend == blend->id ? m_shownResult->blend(blend->id) : nullptr;
    const bool same = before && m_shownResult->pipeline == result->pipeline && before->objects == blend->objects &&
                      before->seconds == blend->seconds && before->box == blend->box &&
                      m_shownResult->sceneId == result->sceneId &&
                      (m_shownResult == result || !m_shownResult->complete);
    m_shownBlend = blend->id;
    m_shownResult = result;
    m_walk->setBlend(m_document->scene(), result, blend->id);
    m_walkSection->setVisible(m_walk->hasSearch());
    refreshTexts();
    if (!same) {
        m_waiting = true;
        m_wait->start();
    }
}

void InspectorPanel::render() {
    const ScenePtr scene = m_document->scene();
    if (!scene || !m_shownResult || m_shownBlend == 0) {
        m_waiting = false;
        return;
    }
    const std::uint64_t number = ++m_request;
    const QPointer<InspectorPanel> self(this);
    const ResultPtr state = m_walk->shown();
    m_task.request([self, number, scene, result = state ? state : m_shownResult, blend = m_shownBlend, rgb = m_rgb,
                    form = m_form] {
        auto pictures = makeBlendPictures(*scene, *result, blend, rgb, form);
        QMetaObject::invokeMethod(
            qApp,
            [self, number, pictures] {
                if (!self || number != self->m_request) return;
                self->m_waiting = self->m_wait->isActive();
                self->m_board->setPictures(pictures);
                self->m_bands->setPictures(pictures);
                self->refreshTexts();
            },
            Qt::QueuedConnection);
    });
}

QString InspectorPanel::story(const Result& result, const Blend& blend) {
    QStringList parts;
    const int n = int(blend.objects.size());
    if (n == 0) {
        parts << tr("No object was found here.");
    } else if (n == 1) {
        parts << tr("One object, alone in its footprint.");
    } else {
        int buried = 0, stars = 0;
        bool known = false;
        for (const int id : blend.objects) {
            const Object* o = result.object(id);
            if (!o) continue;
            known = known || std::isfinite(o->blendedness);
            buried += o->blendedness > 0.1f;
            stars += o->pStar > 0.5f;
        }
        QString first = tr("%1 objects").arg(n);
        if (known) {
            first += buried == 0   ? tr(", hardly overlapping")
                     : buried == 1 ? tr(", one of them deep in its neighbours' light")
                                   : tr(", %1 of them deep in their neighbours' light").arg(buried);
        }
        if (stars > 0) first += stars == 1 ? tr(", one probably a star") : tr(", %1 probably stars").arg(stars);
        parts << first + QLatin1Char('.');
    }
    if (!blend.message.isEmpty()) {
        QString message = blend.message;
        message[0] = message[0].toUpper();
        parts << (message.endsWith(QLatin1Char('.')) ? message : message + QLatin1Char('.'));
    }
    const QString flags = flagSentence(blend.flags);
    if (!flags.isEmpty()) parts << tr("Note: %1.").arg(flags);
    return parts.join(QLatin1Char(' '));
}

void InspectorPanel::refreshCounts(const Blend& blend) {
    std::vector<ProbabilityBars::Bar> bars;
    const std::size_t n = blend.countProbabilities.size();
    for (std::size_t k = 0; k < n; ++k) {
        ProbabilityBars::Bar bar;
        bar.name = k + 1 == n && n > 2 ? tr("%1 or more").arg(k) : QString::number(k);
        bar.value = double(blend.countProbabilities[k]);
        bar.spread = k < blend.countSpread.size() ? double(blend.countSpread[k]) : 0.0;
        bar.marked = k == blend.objects.size() || (k + 1 == n && blend.objects.size() > k);
        bars.push_back(bar);
    }
    m_counts->setBars(tr("How many objects? (%1 found)").arg(blend.objects.size()), std::move(bars));
}

void InspectorPanel::refreshTexts() {
    const ScenePtr scene = m_document->scene();
    const Blend* blend = m_shownResult ? m_shownResult->blend(m_shownBlend) : nullptr;
    if (!scene || !blend) return;
    const Selection s = m_document->selection();
    const QString muted = Theme::colors().muted.name();
    m_heading->setTitle(blend->objects.size() > 1 ? tr("Blend %1").arg(blend->id)
                        : blend->objects.empty()  ? tr("Footprint %1").arg(blend->id)
                                                  : tr("Object %1").arg(blend->objects.front()));
    QString text = story(*m_shownResult, *blend).toHtmlEscaped();
    QStringList facts;
    if (!blend->reducedChi2.empty()) {
        QStringList chi;
        for (std::size_t b = 0; b < blend->reducedChi2.size() && b < scene->bands.size(); ++b) {
            chi << QStringLiteral("%1 %2").arg(scene->bands[b].name, formatValue(double(blend->reducedChi2[b])));
        }
        facts << tr("\u03c7\u00b2 per pixel: %1").arg(chi.join(QStringLiteral("  ")));
    }
    if (blend->iterations > 0) facts << (blend->iterations == 1 ? tr("1 step") : tr("%1 steps").arg(blend->iterations));
    if (blend->seconds > 0) {
        facts << (blend->seconds < 0.9995
                      ? tr("%1 ms").arg(blend->seconds * 1000, 0, 'f', blend->seconds < 0.01 ? 1 : 0)
                      : formatDuration(blend->seconds));
    }
    if (!facts.isEmpty()) {
        text +=
            QStringLiteral("<br><span style='color:%1'>%2</span>").arg(muted, facts.join(QStringLiteral(" \u00b7 ")));
    }
    m_story->setText(text);
    refreshCounts(*blend);

    int best = 0;
    std::vector<double> snr(scene->bands.size(), 0.0);
    for (const int id : blend->objects) {
        const Object* o = m_shownResult->object(id);
        for (std::size_t b = 0; o && b < o->bands.size() && b < snr.size(); ++b) {
            const double v = double(o->bands[b].flux) / double(o->bands[b].fluxErr);
            if (std::isfinite(v)) snr[b] += v;
        }
    }
    if (!snr.empty()) best = int(std::max_element(snr.begin(), snr.end()) - snr.begin());
    const Band& reference = scene->bands[std::size_t(best)];
    const bool mags = std::isfinite(reference.zeroPoint) && reference.zeroPoint != 0.0;

    const auto colorOf = [this](int id) { return m_color ? m_color(id) : paletteColour(id); };
    std::map<int, PictureBoard::Label> labels;
    QString unit;
    std::vector<SpectrumLine> lines = spectraOf(*scene, *m_shownResult, blend->objects, &unit, colorOf);
    QString rows;
    for (const int id : blend->objects) {
        const Object* o = m_shownResult->object(id);
        if (!o) continue;
        const BandFlux f = std::size_t(best) < o->bands.size() ? o->bands[std::size_t(best)] : BandFlux{};
        const QString brightness = mags ? formatMagnitude(double(f.flux), double(f.fluxErr), reference.zeroPoint)
                                        : formatFlux(double(f.flux), double(f.fluxErr));
        labels[id] = {
            QString::number(id), colorOf(id), {o->x, o->y}, brightness.section(QStringLiteral(" \u00b1"), 0, 0)};
        const bool chosen = id == s.object;
        rows +=
            QStringLiteral("<tr%1><td><span style='color:%2'>\u25a0</span>&nbsp;<a href='object:%3' style='color:%4;"
                           "text-decoration:none'>%5%3%6</a></td><td align='right'>%7</td><td align='right'>%8</td>"
                           "<td align='right'>%9</td><td align='right'>%10</td></tr>")
                .arg(chosen ? QStringLiteral(" style='background-color:%1'").arg(Theme::colors().raised.name())
                            : QString(),
                     colorOf(id).name(), QString::number(id), palette().color(QPalette::WindowText).name(),
                     chosen ? QStringLiteral("<b>") : QString(), chosen ? QStringLiteral("</b>") : QString(),
                     brightness, formatFixed(double(o->fluxRadius), 1), formatFixed(double(o->blendedness), 2))
                .arg(std::isfinite(o->pStar) ? QStringLiteral("%1 %").arg(double(o->pStar) * 100, 0, 'f', 0)
                                             : QStringLiteral("\u2013"));
    }
    m_objects->setText(
        QStringLiteral("<table width='100%' cellspacing='0' cellpadding='2'><tr style='color:%1'><td>%2</td>"
                       "<td align='right'>%3</td><td align='right'>%4</td><td align='right'>%5</td>"
                       "<td align='right'>%6</td></tr>%7</table>")
            .arg(muted, tr("object"), mags ? tr("%1 mag").arg(reference.name) : tr("%1 flux").arg(reference.name),
                 tr("r\u00bd px"), tr("blended"), tr("star"), rows));
    if (const ResultPtr state = m_walk->shown()) {
        std::erase_if(labels, [&](const auto& entry) { return !state->object(entry.first); });
        labels.merge(m_walk->marks());
    }
    m_board->setLabels(labels);
    m_bands->setLabels(labels);
    m_board->setSelected(s.object);
    m_bands->setSelected(s.object);
    m_spectrum->setData(std::move(lines), scene->bandNames(), unit);
    m_spectrum->setSelected(s.object);
    m_spectrum->parentWidget()->parentWidget()->setVisible(scene->bands.size() > 1);

    const Object* o = m_shownResult->object(s.object                     ? s.object
                                            : blend->objects.size() == 1 ? blend->objects.front()
                                                                         : 0);
    m_detailsSection->setVisible(o != nullptr);
    if (!o) return;
    std::vector<ProbabilityBars::Bar> kinds;
    if (std::isfinite(o->pStar)) {
        kinds.push_back({tr("star"), double(o->pStar), 0.0, o->pStar > 0.5f});
        kinds.push_back({tr("galaxy"), 1.0 - double(o->pStar), 0.0, o->pStar <= 0.5f});
    }
    m_kinds->setBars(tr("What is it?"), std::move(kinds));
    m_detailsSection->setTitle(tr("Object %1").arg(o->id));
    QStringList notes;
    if (!o->note.isEmpty()) notes << o->note.toHtmlEscaped();
    const QString flags = flagSentence(o->flags);
    if (!flags.isEmpty()) notes << flags.toHtmlEscaped();
    QString html;
    if (!notes.isEmpty()) html += notes.join(QStringLiteral("<br>")) + QStringLiteral("<br>");
    html += QStringLiteral("<table width='100%' cellspacing='0' cellpadding='2'><tr style='color:%1'><td>%2</td>"
                           "<td align='right'>%3</td><td align='right'>%4</td></tr>")
                .arg(muted, tr("band"), tr("flux (counts)"), tr("AB mag"));
    for (std::size_t b = 0; b < o->bands.size() && b < scene->bands.size(); ++b) {
        const Band& band = scene->bands[b];
        const bool known = std::isfinite(band.zeroPoint) && band.zeroPoint != 0.0;
        html += QStringLiteral("<tr><td>%1</td><td align='right'>%2</td><td align='right'>%3</td></tr>")
                    .arg(band.name.toHtmlEscaped(), formatFlux(double(o->bands[b].flux), double(o->bands[b].fluxErr)),
                         known ? formatMagnitude(double(o->bands[b].flux), double(o->bands[b].fluxErr), band.zeroPoint)
                               : QString());
    }
    html += QStringLiteral("</table>");
    QStringList more;
    more << tr("x %1, y %2 px").arg(formatFixed(o->x, 2), formatFixed(o->y, 2));
    if (std::isfinite(o->ra) && std::isfinite(o->dec)) more << formatSky(o->ra, o->dec);
    if (std::isfinite(o->a)) {
        more << tr("a %1, b %2 px, \u03b8 %3\u00b0")
                    .arg(formatFixed(double(o->a), 2), formatFixed(double(o->b), 2), formatFixed(double(o->theta), 0));
    }
    if (std::isfinite(o->hlr)) more << tr("half-light radius before the PSF %1 px").arg(formatFixed(double(o->hlr), 2));
    html += QStringLiteral("<span style='color:%1'>%2</span>").arg(muted, more.join(QStringLiteral(" \u00b7 ")));
    m_details->setText(html);
}

} // namespace blendscope
