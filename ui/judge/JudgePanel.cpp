#include "judge/JudgePanel.h"

#include "figure/OutcomeLook.h"
#include "judge/RatesChart.h"
#include "theme/Theme.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace blendscope {

JudgePanel::JudgePanel(Document* document, JudgeController* judge, QWidget* parent)
    : QWidget(parent), m_document(document), m_judge(judge), m_chart(new RatesChart), m_words(new QLabel),
      m_compare(new QPushButton(tr("Compare two settings"))),
      m_probabilities(new QPushButton(tr("Outcome probabilities"))), m_cancel(new QPushButton(tr("Stop judging"))) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->setSpacing(6);
    layout->addWidget(m_chart);
    m_words->setWordWrap(true);
    m_words->setTextFormat(Qt::RichText);
    m_words->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(m_words);
    m_compare->setObjectName(QStringLiteral("compareSettings"));
    m_compare->setToolTip(tr("Detect on this scene with deblending contrast 0.005 and 0.0005, and judge both"));
    layout->addWidget(m_compare);
    m_probabilities->setObjectName(QStringLiteral("outcomeProbabilities"));
    m_probabilities->setToolTip(
        tr("Judge the result shown in %1 further realisations of the noise").arg(JudgeController::kRealisations));
    layout->addWidget(m_probabilities);
    connect(m_probabilities, &QPushButton::clicked, this, [this] {
        if (const ResultEntry* e = m_document->currentResult()) m_judge->askProbabilities(e->id);
    });
    layout->addWidget(m_cancel);
    connect(m_compare, &QPushButton::clicked, this, &JudgePanel::compareRequested);
    connect(m_cancel, &QPushButton::clicked, m_judge, &JudgeController::cancel);
    connect(m_chart, &RatesChart::rowClicked, m_document, &Document::setCurrentResult);
    connect(m_chart, &RatesChart::outcomeClicked, this, [this](int row, Outcome outcome) {
        m_document->setCurrentResult(row);
        Q_EMIT outcomeChosen(outcome);
    });
    connect(m_judge, &JudgeController::changed, this, &JudgePanel::refresh);
    connect(m_judge, &JudgeController::currentChanged, this, &JudgePanel::refresh);
    connect(m_document, &Document::resultsChanged, this, &JudgePanel::refresh);
    connect(m_document, &Document::currentResultChanged, this, &JudgePanel::refresh);
    connect(m_document, &Document::currentSceneChanged, this, &JudgePanel::refresh);
    connect(m_document, &Document::registryChanged, this, &JudgePanel::refresh);
    refresh();
}

QString JudgePanel::words() const {
    return m_words->text();
}

void JudgePanel::refresh() {
    const SceneEntry* scene = m_document->current();
    std::vector<RatesChart::Row> rows;
    struct Worst {
        QString name;
        int count = -1, least = -1;
    };
    const Outcome asked[] = {Outcome::Shredded, Outcome::Unrecognized, Outcome::Merged};
    Worst worst[3];
    int judged = 0;
    for (std::size_t i = 0; scene && i < scene->results.size(); ++i) {
        const ResultEntry& r = *scene->results[i];
        RatesChart::Row row;
        row.name = r.name;
        row.current = int(i) == scene->currentResult;
        const JudgeController::Entry* e = m_judge->entry(r.id);
        if (e && e->judgement) {
            OutcomeRates rates;
            rates.add(*e->judgement);
            row.counts = rates.blends;
            if (e->suspected) {
                row.name = tr("%1 (suspected)").arg(r.name);
                row.suspected = true;
                for (const BlendVerdict& b : e->judgement->blends) {
                    ++row.counts[b.outcome];
                }
            }
            row.objects = rates.objects;
            if (row.counts.isEmpty()) row.note = e->suspected ? tr("nothing suspicious") : tr("no blends");
            ++judged;
            for (int k = 0; k < 3; ++k) {
                const int n = row.objects.value(asked[k]); // true objects: a crowded blend counts as one only
                if (n > worst[k].count) worst[k] = {r.name, n, worst[k].least};
                if (worst[k].least < 0 || n < worst[k].least) worst[k].least = n;
            }
        } else {
            row.note = r.running                    ? tr("detecting\u2026")
                       : e && e->job                ? tr("judging\u2026")
                       : e && !e->problem.isEmpty() ? e->problem
                       : !r.problem.isEmpty()       ? r.problem
                                                    : tr("not judged");
        }
        rows.push_back(std::move(row));
    }
    m_chart->setRows(std::move(rows));

    QString text;
    if (judged > 1 && m_judge->hasTruth()) {
        const QString questions[] = {tr("Who shreds?"), tr("Who leaves neighbours unrecognized?"), tr("Who merges?")};
        for (int k = 0; k < 3; ++k) {
            if (worst[k].count <= 0) {
                text += tr("<b>%1</b> Nobody.").arg(questions[k]);
            } else if (worst[k].count == worst[k].least) {
                text += tr("<b>%1</b> All alike, %2 objects.").arg(questions[k]).arg(worst[k].count);
            } else {
                text += tr("<b>%1</b> %2: %3 objects, against %4 at least.")
                            .arg(questions[k], worst[k].name.toHtmlEscaped())
                            .arg(worst[k].count)
                            .arg(worst[k].least);
            }
            text += QStringLiteral("<br>");
        }
    } else if (!m_judge->obstacle().isEmpty()) {
        text = m_judge->obstacle();
    } else if (judged == 1) {
        text = tr("Run another pipeline or other parameters (F5) to compare.");
    }
    m_words->setText(text);
    m_words->setVisible(!text.isEmpty());
    m_cancel->setVisible(m_judge->running());
    const JudgementPtr now = m_judge->current();
    m_probabilities->setVisible(m_judge->hasTruth());
    m_probabilities->setEnabled(now && !m_judge->suspected() && !m_judge->running() && now->realisations == 0);
    m_compare->setEnabled(m_document->scene() && m_document->registry() &&
                          m_document->registry()->find(QStringLiteral("threshold")));
}

} // namespace blendscope
