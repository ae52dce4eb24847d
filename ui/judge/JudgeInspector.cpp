#include "judge/JudgeInspector.h"

#include "figure/OutcomeLook.h"
#include "judge/JudgedBoard.h"
#include "panels/BlendHeading.h"
#include "panels/Section.h"
#include "theme/Theme.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QMap>
#include <QPainter>
#include <QPixmap>
#include <QPointer>
#include <QScrollArea>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

QLabel* textLabel() {
    auto* label = new QLabel;
    label->setWordWrap(true);
    label->setTextFormat(Qt::RichText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse |
                                   Qt::LinksAccessibleByKeyboard);
    label->setContentsMargins(8, 4, 8, 8);
    return label;
}

/// The letter on its colour, in rich text.
QString chipHtml(Outcome outcome) {
    const OutcomeLook& look = outcomeLook(outcome);
    const bool light = qGray(look.colour.rgb()) > 107;
    return QStringLiteral("<span style='background-color:%1;color:%2;font-weight:bold'>&nbsp;%3&nbsp;</span>")
        .arg(look.colour.name(), light ? QStringLiteral("#101216") : QStringLiteral("#ffffff"), look.letter);
}

/// Chips with their shares, likeliest first.
QString sharesHtml(const QMap<Outcome, double>& shares) {
    std::vector<std::pair<double, Outcome>> list;
    for (auto it = shares.begin(); it != shares.end(); ++it) {
        list.emplace_back(-it.value(), it.key());
    }
    std::sort(list.begin(), list.end());
    QStringList words;
    for (const auto& [share, outcome] : list) {
        words << JudgeInspector::tr("%1 %2 %").arg(chipHtml(outcome)).arg(-100.0 * share, 0, 'f', 0);
    }
    return words.join(QLatin1Char(' '));
}

} // namespace

JudgeInspector::JudgeInspector(Document* document, JudgeController* judge, QWidget* parent)
    : QWidget(parent), m_document(document), m_judge(judge), m_heading(new BlendHeading), m_story(textLabel()),
      m_board(new JudgedBoard), m_shade(new QToolButton), m_objects(textLabel()), m_detections(textLabel()),
      m_others(textLabel()), m_page(new QWidget), m_empty(new QLabel), m_scroll(new QScrollArea),
      m_wait(new QTimer(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    connect(m_heading, &BlendHeading::stepRequested, this, &JudgeInspector::stepRequested);
    connect(m_heading, &BlendHeading::showRequested, this, &JudgeInspector::showRequested);
    layout->addWidget(m_heading);

    m_empty->setWordWrap(true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    m_empty->setContentsMargins(16, 16, 16, 16);
    layout->addWidget(m_empty, 1);

    auto* column = new QVBoxLayout(m_page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_story);
    auto* pictures = new QWidget;
    auto* inner = new QVBoxLayout(pictures);
    inner->setContentsMargins(8, 0, 8, 6);
    inner->setSpacing(4);
    inner->addWidget(m_board);
    m_shade->setText(tr("Truth shaded"));
    m_shade->setToolTip(tr("Colour the pixels of the true objects"));
    m_shade->setCheckable(true);
    m_shade->setChecked(true);
    m_shade->setAutoRaise(true);
    m_shade->setFont(Theme::smallFont());
    inner->addWidget(m_shade, 0, Qt::AlignLeft);
    connect(m_shade, &QToolButton::toggled, m_board, &JudgedBoard::setShaded);
    column->addWidget(pictures);
    m_objectsSection = new Section(tr("Objects"), m_objects);
    column->addWidget(m_objectsSection);
    column->addWidget(new Section(tr("Detections"), m_detections));
    column->addWidget(new Section(tr("Other results"), m_others));
    column->addStretch();
    m_scroll->setObjectName(QStringLiteral("plain"));
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setWidget(m_page);
    layout->addWidget(m_scroll, 1);

    m_wait->setSingleShot(true);
    m_wait->setInterval(30);
    connect(m_wait, &QTimer::timeout, this, &JudgeInspector::render);
    connect(m_judge, &JudgeController::selectionChanged, this, &JudgeInspector::refresh);
    connect(m_judge, &JudgeController::currentChanged, this, &JudgeInspector::refresh);
    connect(m_judge, &JudgeController::changed, this, &JudgeInspector::refresh);
    connect(m_document, &Document::currentSceneChanged, this, &JudgeInspector::refresh);
    connect(m_others, &QLabel::linkActivated, this,
            [this](const QString& link) { m_document->setCurrentResult(link.section(QLatin1Char(':'), 1).toInt()); });
    connect(m_story, &QLabel::linkActivated, this,
            [this](const QString& link) { Q_EMIT evidenceRequested(link.section(QLatin1Char(':'), 1).toInt()); });
    connect(m_detections, &QLabel::linkActivated, this,
            [this](const QString& link) { m_document->selectObject(link.section(QLatin1Char(':'), 1).toInt()); });
    refresh();
}

JudgeInspector::~JudgeInspector() = default;

bool JudgeInspector::settled() const {
    return !m_waiting && m_task.idle();
}

QString JudgeInspector::words() const {
    return QStringList{m_heading->title(), m_story->text(), m_objects->text(), m_detections->text(), m_others->text()}
        .join(QLatin1Char('\n'));
}

void JudgeInspector::setRgb(const RgbSettings& rgb) {
    if (rgb.weights == m_rgb.weights && rgb.stretch == m_rgb.stretch && rgb.q == m_rgb.q) return;
    m_rgb = rgb;
    m_shownBlend = 0;
    refresh();
}

void JudgeInspector::refresh() {
    const JudgementPtr judgement = m_judge->current();
    const BlendVerdict* blend = judgement ? judgement->blend(m_judge->selectedBlend()) : nullptr;
    m_scroll->setVisible(blend != nullptr);
    m_empty->setVisible(blend == nullptr);
    if (!blend) {
        ++m_request;
        m_shownBlend = 0;
        m_shown.reset();
        m_waiting = false;
        m_board->setPictures(nullptr, nullptr, nullptr);
        m_heading->setTitle(tr("Verdict"));
        m_heading->setChip({});
        const QString obstacle = m_judge->obstacle();
        m_empty->setText(judgement             ? tr("Click a blend in the strip below or in the picture, or press D.")
                         : !obstacle.isEmpty() ? obstacle
                         : m_judge->running()
                             ? tr("Judging: the same detector looks at every object alone, in the same noise.")
                             : tr("Run a pipeline (F5); its result is judged against the truth by itself."));
        return;
    }
    QPixmap chip(44, 44);
    chip.setDevicePixelRatio(2.0);
    chip.fill(Qt::transparent);
    QPainter painter(&chip);
    const bool suspected = m_judge->suspected();
    paintOutcomeChip(painter, QRectF(1, 1, 20, 20), blend->outcome, suspected);
    painter.end();
    m_heading->setChip(chip);
    const bool alone = blend->members.size() == 1 && blend->detections.size() <= 1;
    m_heading->setTitle(
        tr("%1 %2: %3")
            .arg(alone ? tr("Object") : tr("Blend"))
            .arg(blend->id)
            .arg((suspected ? tr("suspected ") : QString()) + outcomeLook(blend->outcome).title.toLower()));
    const QString muted = Theme::colors().muted.name();
    QString story = blend->words.toHtmlEscaped();
    QStringList facts;
    for (const Outcome also : blend->also) {
        facts << tr("also %1 %2").arg(chipHtml(also), outcomeLook(also).title.toLower());
    }
    if (!blend->probability.isEmpty()) {
        facts << tr("in %1 realisations of the noise: %2")
                     .arg(judgement->realisations)
                     .arg(sharesHtml(blend->probability));
    }
    if (!facts.isEmpty()) {
        story +=
            QStringLiteral("<br><span style='color:%1'>%2</span>").arg(muted, facts.join(QStringLiteral(" \u00b7 ")));
    }
    if (suspected) {
        story = tr("<b>Evidence</b> (click to see it)");
        const std::vector<Suspicion> all = m_judge->evidence(blend->id);
        // The strongest of each kind: a long list of weak residuals hides the rest.
        constexpr int kEach = 4;
        QMap<Evidence, int> seen;
        for (std::size_t k = 0; k < all.size(); ++k) {
            if (++seen[all[k].evidence] > kEach) continue;
            story += QStringLiteral("<br>%1 <a href='evidence:%2' style='color:%3'>%4</a>: %5")
                         .arg(chipHtml(all[k].outcome))
                         .arg(k)
                         .arg(palette().color(QPalette::WindowText).name(), evidenceWord(all[k].evidence),
                              all[k].words.toHtmlEscaped());
        }
        QStringList more;
        for (auto it = seen.begin(); it != seen.end(); ++it) {
            if (it.value() > kEach) more << tr("%1 more by %2").arg(it.value() - kEach).arg(evidenceWord(it.key()));
        }
        if (!more.isEmpty()) {
            story += QStringLiteral("<br><span style='color:%1'>%2</span>")
                         .arg(muted, tr("and %1, weaker").arg(more.join(QStringLiteral(", "))));
        }
    }
    m_story->setText(story);

    QString rows;
    for (const int id : blend->members) {
        const TruthVerdict* t = judgement->object(id);
        if (!t) continue;
        QStringList more;
        if (std::isfinite(t->snr)) more << tr("S/N %1").arg(t->snr, 0, 'g', 3);
        if (std::isfinite(t->blendedness)) more << tr("blendedness %1").arg(t->blendedness, 0, 'f', 2);
        if (!t->probability.isEmpty()) {
            more << tr("in other noise: %1").arg(sharesHtml(t->probability));
            more << tr("detected alone in %1 %").arg(100.0 * t->aloneProbability, 0, 'f', 0);
        }
        more << tr("true object %1").arg(t->id);
        rows += QStringLiteral("<tr><td valign='top'>%1</td><td valign='top'><b>%2</b></td>"
                               "<td>%3<br><span style='color:%4'>%5</span></td></tr>")
                    .arg(chipHtml(t->outcome), t->letter, t->words.toHtmlEscaped(), muted,
                         more.join(QStringLiteral(" \u00b7 ")));
    }
    m_objectsSection->setVisible(!rows.isEmpty());
    m_shade->setVisible(!suspected);
    m_objects->setText(QStringLiteral("<table cellspacing='0' cellpadding='3'>%1</table>").arg(rows));
    rows.clear();
    int unsuspected = 0;
    const QString ink = palette().color(QPalette::WindowText).name();
    for (const int id : blend->detections) {
        const DetectionVerdict* d = judgement->detection(id);
        if (!d) continue;
        if (suspected && d->words.isEmpty()) {
            ++unsuspected;
            continue;
        }
        rows +=
            QStringLiteral("<tr><td valign='top'>%1</td><td valign='top'><a href='object:%2' style='color:%3'>%2</a>"
                           "</td><td>%4</td></tr>")
                .arg(chipHtml(d->outcome))
                .arg(id)
                .arg(ink, d->words.toHtmlEscaped());
    }
    m_detections->setText((rows.isEmpty() && unsuspected == 0
                               ? tr("None.")
                               : QStringLiteral("<table cellspacing='0' cellpadding='3'>%1</table>").arg(rows)) +
                          (unsuspected > 0
                               ? QStringLiteral("<span style='color:%1'>%2</span>")
                                     .arg(muted, tr("%1 more, of which nothing is suspected.").arg(unsuspected))
                               : QString()));

    rows.clear();
    const SceneEntry* scene = m_document->current();
    for (std::size_t i = 0; scene && i < scene->results.size(); ++i) {
        const ResultEntry& r = *scene->results[i];
        const JudgementPtr other = m_judge->judgement(r.id);
        if (!other || other == judgement) continue;
        const BlendVerdict* there = OutcomeModel::counterpart(*blend, *other);
        if (!there) continue;
        rows += QStringLiteral("<tr><td>%1</td><td><a href='result:%2' style='color:%3'>%4</a></td><td>%5</td></tr>")
                    .arg(chipHtml(there->outcome))
                    .arg(i)
                    .arg(ink, r.name.toHtmlEscaped(), outcomeLook(there->outcome).title.toLower());
    }
    m_others->setText(rows.isEmpty() ? tr("No other result of this scene was judged.")
                                     : QStringLiteral("<table cellspacing='0' cellpadding='3'>%1</table>").arg(rows));

    if (judgement != m_shown || blend->id != m_shownBlend) {
        m_shown = judgement;
        m_shownBlend = blend->id;
        m_waiting = true;
        m_wait->start();
    }
}

void JudgeInspector::render() {
    const ScenePtr scene = m_document->scene();
    if (!scene || !m_shown || m_shownBlend == 0) {
        m_waiting = false;
        return;
    }
    const std::uint64_t number = ++m_request;
    const QPointer<JudgeInspector> self(this);
    m_task.request(
        [self, number, scene, judgement = m_shown, blend = m_shownBlend, rgb = m_rgb, result = m_document->result()] {
            auto pictures = makeJudgedPictures(*scene, *judgement, blend, rgb);
            QMetaObject::invokeMethod(
                qApp,
                [self, number, pictures, judgement, result] {
                    if (!self || number != self->m_request) return;
                    self->m_waiting = self->m_wait->isActive();
                    self->m_board->setPictures(pictures, judgement, result);
                },
                Qt::QueuedConnection);
        });
}

} // namespace blendscope
