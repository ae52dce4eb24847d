#include "judge/JudgeMode.h"

#include "judge/InjectPanel.h"
#include "judge/InjectTool.h"
#include "judge/JudgeInspector.h"
#include "judge/JudgePanel.h"
#include "judge/MetricsView.h"
#include "judge/OutcomePanel.h"
#include "judge/SettingsComparison.h"
#include "view/SceneView.h"
#include "window/ViewArea.h"

#include <QPushButton>
#include <QToolButton>
#include <cmath>

namespace blendscope {

JudgeMode::JudgeMode(Document* document, ViewArea* view, QObject* parent)
    : QObject(parent), m_document(document), m_view(view), m_judge(new JudgeController(document, this)),
      m_strip(new OutcomePanel(document, m_judge)), m_inspector(new JudgeInspector(document, m_judge)),
      m_panel(new JudgePanel(document, m_judge)), m_comparison(new SettingsComparison(document, this)),
      m_inject(new InjectTool(document, this)), m_injectPanel(new InjectPanel(m_inject)),
      m_metrics(new MetricsView(document, m_judge)) {
    // Colour shading is truth, a dashed outline is what was detected and measured.
    m_judgeStyle.masks = MaskStyle::Off;
    m_judgeStyle.truth = true;
    m_judgeStyle.ellipses = true;
    connect(m_judge, &JudgeController::currentChanged, this, [this] {
        refreshMarks();
        if (m_on && m_judge->current() && m_judge->selectedBlend() == 0) selectTelling();
    });
    connect(m_judge, &JudgeController::changed, this, &JudgeMode::refreshMarks);
    connect(m_judge, &JudgeController::selectionChanged, this, &JudgeMode::refreshMarks);
    connect(m_view, &ViewArea::modeChanged, this, &JudgeMode::refreshMarks);
    connect(m_view, &ViewArea::clicked, this, [this](QPointF at) {
        const int blend = m_on ? m_judge->blendAt(at) : 0;
        if (blend > 0) m_judge->selectBlend(blend);
    });
    connect(m_strip, &OutcomePanel::activated, this, [this] { showSelected(true); });
    connect(m_inspector, &JudgeInspector::stepRequested, this, &JudgeMode::step);
    connect(m_inspector, &JudgeInspector::showRequested, this, [this] { showSelected(true); });
    connect(m_inspector, &JudgeInspector::evidenceRequested, this, [this](int row) {
        const std::vector<Suspicion> all = m_judge->evidence(m_judge->selectedBlend());
        if (row < 0 || row >= int(all.size())) return;
        const Suspicion& s = all[std::size_t(row)];
        std::vector<QPointF> places;
        for (const PixelPosition& p : s.places) {
            places.emplace_back(p.x, p.y);
        }
        if (places.empty()) places.emplace_back(s.x, s.y);
        Q_EMIT pictureWanted();
        m_view->view()->setPositions(places);
        m_view->showBox(s.box, true);
    });
    connect(m_panel, &JudgePanel::outcomeChosen, this, [this](Outcome outcome) {
        if (QToolButton* chip = m_strip->chip(outcome); chip && !chip->isChecked()) chip->click();
    });
    connect(m_injectPanel, &InjectPanel::placingChanged, this, [this](bool placing) {
        m_view->setPlacing(placing);
        if (placing) Q_EMIT pictureWanted();
    });
    connect(m_view, &ViewArea::placed, this, [this](QPointF at, bool released) {
        m_view->view()->setPositions({at});
        if (released) m_inject->place(at);
    });
    connect(m_inject, &InjectTool::changed, this, &JudgeMode::refreshInjection);
    connect(m_inject, &InjectTool::answered, this, [this] {
        const auto& answer = m_inject->answer();
        if (answer->known && answer->resultId >= 0) m_judge->addInjection(answer->resultId, answer->verdict);
    });
    connect(m_metrics, &MetricsView::blendsChosen, this, [this](const QSet<int>& blends, const QString& why) {
        m_strip->showOnly(blends, why);
        m_strip->step(1);
    });
    connect(m_panel, &JudgePanel::compareRequested, this, [this] { m_comparison->onScene(); });
}

void JudgeMode::setOn(bool on) {
    if (on == m_on) return;
    m_on = on;
    (on ? m_lookStyle : m_judgeStyle) = m_view->overlays();
    m_view->setOverlays(on ? m_judgeStyle : m_lookStyle);
    m_judge->setAutomatic(on);
    if (!on) {
        m_injectPanel->placeButton()->setChecked(false);
        m_inject->clear();
    }
    refreshMarks();
    if (on && m_judge->current() && m_judge->selectedBlend() == 0) selectTelling();
}

void JudgeMode::step(int steps) {
    m_strip->step(steps);
    showSelected(true);
}

void JudgeMode::showSelected(bool zoom) {
    const JudgementPtr judgement = m_judge->current();
    const BlendVerdict* blend = judgement ? judgement->blend(m_judge->selectedBlend()) : nullptr;
    if (blend) m_view->showBox(blend->box, zoom);
}

void JudgeMode::selectTelling() {
    const OutcomeModel* model = m_strip->model();
    const JudgementPtr judgement = m_judge->current();
    int best = 0;
    double most = -1.0;
    for (int row = 0; judgement && row < model->rowCount(); ++row) {
        const BlendVerdict* b = judgement->blend(model->blendAt(row));
        if (!b) continue;
        // A few bright objects read best, and what went wrong tells more than what went right.
        const std::size_t n = b->members.size();
        const double snr = OutcomeModel::signalToNoise(*judgement, *b);
        const double score = (b->outcome == Outcome::Recognized ? 0.2 : 1.0) *
                             (n < 2    ? 0.1
                              : n <= 4 ? 1.0
                                       : 4.0 / double(n)) *
                             std::log1p(std::isfinite(snr) ? std::max(0.0, snr) : 0.0);
        if (score <= most) continue;
        most = score;
        best = b->id;
    }
    if (best > 0) m_judge->selectBlend(best);
}

void JudgeMode::setRgb(const RgbSettings& rgb) {
    m_strip->setRgb(rgb);
    m_inspector->setRgb(rgb);
}

void JudgeMode::refreshTheme() {
    m_strip->refreshTheme();
    m_inspector->refreshTheme();
    m_panel->update();
}

void JudgeMode::refreshInjection() {
    const auto& answer = m_inject->answer();
    m_view->showInstead(answer ? answer->scene : nullptr);
    m_view->view()->setPositions(m_inject->place() ? std::vector<QPointF>{*m_inject->place()} : std::vector<QPointF>{});
    refreshMarks();
}

bool JudgeMode::settled() const {
    return !m_judge->running() && !m_inject->running() && m_metrics->settled() && m_inspector->settled() &&
           m_strip->settled();
}

std::vector<OutcomeMark> JudgeMode::marksOf(const JudgementPtr& judgement, int selected) const {
    std::vector<OutcomeMark> marks;
    if (!judgement) return marks;
    const bool suspected = !m_judge->hasTruth();
    for (const BlendVerdict& b : judgement->blends) {
        if (!suspected && !OutcomeModel::listed(b)) continue;
        marks.push_back({QRectF(b.box.x0 - 0.5, b.box.y0 - 0.5, b.box.width, b.box.height), b.outcome, suspected,
                         b.id == selected});
    }
    return marks;
}

void JudgeMode::refreshMarks() {
    if (!m_on) {
        m_view->setOutcomes({});
        return;
    }
    const JudgementPtr now = m_judge->current();
    std::vector<OutcomeMark> beside;
    if (m_view->comparing()) {
        const JudgementPtr other = m_judge->judgement(m_view->otherResult());
        const BlendVerdict* own = now ? now->blend(m_judge->selectedBlend()) : nullptr;
        const BlendVerdict* there = own && other ? OutcomeModel::counterpart(*own, *other) : nullptr;
        beside = marksOf(other, there ? there->id : 0);
    }
    std::vector<OutcomeMark> marks = marksOf(now, m_judge->selectedBlend());
    if (const auto& answer = m_inject->answer(); answer && answer->known) {
        const Box& b = answer->box;
        marks.push_back({QRectF(b.x0 - 0.5, b.y0 - 0.5, b.width, b.height), answer->verdict.outcome, false, true});
    }
    m_view->setOutcomes(std::move(marks), std::move(beside));
}

} // namespace blendscope
