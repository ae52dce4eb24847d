#pragma once

#include "document/Document.h"
#include "judge/Judge.h"
#include "judge/OutcomeModel.h"
#include "judge/Suspicion.h"

#include <QObject>
#include <QPointF>
#include <map>

namespace blendscope {

/// The judgements of the open scenes' results: made in the background, kept as long as their result, and a selected
/// blend that stays where it is when another result or its judgement is shown.
class JudgeController final : public QObject {
    Q_OBJECT

public:
    explicit JudgeController(Document* document, QObject* parent = nullptr);

    struct Entry {
        JudgementPtr judgement; ///< null until done
        ResultPtr result;       ///< the snapshot that was judged
        JobPtr job;             ///< null when it is over
        QString problem;        ///< why there is no judgement, a sentence
        /// Without truth outcomes are suspected: the evidence, and its rows by group of the judgement.
        bool suspected = false;
        std::vector<Suspicion> suspicions;
        std::vector<std::vector<int>> evidence;
        std::vector<int> against;   ///< results that it was compared with
        std::size_t injections = 0; ///< how many of the injected objects it knows of
    };
    [[nodiscard]] const Entry* entry(int resultId) const; ///< null if never asked for
    [[nodiscard]] JudgementPtr judgement(int resultId) const;
    [[nodiscard]] JudgementPtr current() const; ///< of the result shown; null if there is none
    /// Judgements of the scene's other results.
    [[nodiscard]] std::vector<JudgementPtr> others() const;

    /// The judgement shown rests on suspicion, not on truth.
    [[nodiscard]] bool suspected() const;
    /// What speaks for the suspicion about a blend of the judgement shown, strongest first; empty where truth says it.
    [[nodiscard]] std::vector<Suspicion> evidence(int blend) const;
    [[nodiscard]] bool hasTruth() const;
    /// Whether the scene shown can be held against truth; else a sentence that says why not.
    [[nodiscard]] QString obstacle() const;
    /// Judges a finished result in the background; nothing happens where that was done or is going on.
    void judge(int resultId);
    /// Judges a result again in further realisations of the noise, in the background, and takes over the probabilities
    /// of its outcomes; what was known stays until they are there. Nothing happens without a judgement by truth.
    void askProbabilities(int resultId, int realisations = kRealisations);
    static constexpr int kRealisations = 20;
    /// A judgement that was made elsewhere.
    void setJudgement(int resultId, JudgementPtr judgement);
    /// What became of an object that was injected near by, with the pipeline of this result and in its conditions:
    /// evidence for suspicions where the scene has no truth, which are looked at again.
    void addInjection(int resultId, const TruthVerdict& verdict);
    void judgeAll(); ///< every finished result of the scene shown
    void cancel();   ///< of the scene shown
    [[nodiscard]] bool running() const;
    /// On: results are judged as soon as they are complete (Judge mode).
    void setAutomatic(bool on);

    [[nodiscard]] int selectedBlend() const { return m_selected; } ///< id in the current judgement; 0 = none
    void selectBlend(int id);
    /// The blend that an object of the shown result, or a place in the picture, belongs to; 0 = none.
    [[nodiscard]] int blendOfDetection(int objectId) const;
    [[nodiscard]] int blendAt(QPointF image) const;

Q_SIGNALS:
    void changed();          ///< a judgement came, failed or began
    void currentChanged();   ///< another judgement is shown, or none
    void selectionChanged(); ///< of the blend

private:
    void follow();
    void suspect(int resultId);
    void onDocumentSelection();
    void judgeFinished();
    [[nodiscard]] bool judgeable(const ResultEntry& entry) const;

    Document* m_document;
    std::map<int, Entry> m_entries;                      ///< by result id
    std::map<int, std::vector<TruthVerdict>> m_injected; ///< likewise
    JudgementPtr m_shown;
    int m_selected = 0;
    bool m_automatic = false;
    bool m_syncing = false;
};

} // namespace blendscope
