#include "judge/BinScenes.h"

#include <algorithm>

namespace blendscope {

BinScenes::BinScenes(Document* document, JudgeController* judge, Evaluation* evaluation, QObject* parent)
    : QObject(parent), m_document(document), m_judge(judge), m_evaluation(evaluation) {
    connect(m_evaluation, &Evaluation::changed, this, [this] {
        if (m_evaluation->report() == m_report) return;
        m_open.clear();
        clear();
    });
    connect(m_document, &Document::runFinished, this, [this](int resultId) {
        if (resultId == m_waiting) m_judge->judge(resultId);
    });
    // Queued: whatever else follows the judgement shows it before its blends are picked out.
    connect(m_judge, &JudgeController::changed, this, &BinScenes::deliver, Qt::QueuedConnection);
}

void BinScenes::clear() {
    if (m_job) m_job->cancel();
    m_job.reset();
    m_list.clear();
    m_report.reset();
    m_waiting = 0;
    Q_EMIT changed();
}

QString BinScenes::words() const {
    if (m_list.size() < 2) return m_why;
    return tr("%1, scene %2 of %3").arg(m_why).arg(m_at + 1).arg(m_list.size());
}

void BinScenes::show(int pipeline, const std::vector<int>& members, const QString& why) {
    const auto report = m_evaluation->report();
    if (!report || pipeline < 0 || pipeline >= int(report->pipelines.size())) return;
    const std::vector<ScoredObject>& objects = report->pipelines[std::size_t(pipeline)].objects;
    std::map<int, std::vector<int>> byScene;
    for (const int member : members) {
        if (member < 0 || member >= int(objects.size())) continue;
        byScene[objects[std::size_t(member)].scene].push_back(objects[std::size_t(member)].truthId);
    }
    if (byScene.empty()) return;
    m_report = report;
    m_pipeline = pipeline;
    m_why = why;
    m_list.clear();
    for (auto& [scene, truths] : byScene) {
        m_list.push_back({scene, std::move(truths)});
    }
    std::stable_sort(m_list.begin(), m_list.end(),
                     [](const Place& a, const Place& b) { return a.truths.size() > b.truths.size(); });
    m_at = 0;
    open();
}

void BinScenes::step(int scenes) {
    const int n = count();
    if (n < 2) return;
    m_at = ((m_at + scenes) % n + n) % n;
    open();
}

void BinScenes::open() {
    if (m_job) m_job->cancel();
    m_job.reset();
    m_waiting = 0;
    const int number = m_list[std::size_t(m_at)].scene;
    const auto& scenes = m_document->scenes();
    const auto known = m_open.find(number);
    const auto it = known == m_open.end()
                        ? scenes.end()
                        : std::find_if(scenes.begin(), scenes.end(),
                                       [id = known->second](const SceneEntry& e) { return e.id == id; });
    if (it != scenes.end()) {
        m_document->setCurrentIndex(int(it - scenes.begin()));
        arrive();
        return;
    }
    auto made = std::make_shared<ScenePtr>();
    m_job = m_document->start(
        tr("Opening scene %1").arg(number + 1),
        [made, source = m_evaluation->source(), number](Progress& progress) {
            if (source) *made = source(number, progress);
        },
        [this, made, number](const Job& job) {
            if (m_job.get() != &job) return; // another one is wanted by now
            m_job.reset();
            if (job.state() == Job::State::Failed) Q_EMIT m_document->message(Document::Severity::Error, job.error());
            if (job.state() == Job::State::Finished && *made) {
                const int index = m_document->addScene(*made);
                m_open[number] = m_document->scenes()[std::size_t(index)].id;
                m_document->setCurrentIndex(index);
                arrive();
            }
            Q_EMIT changed();
        });
    Q_EMIT changed();
}

void BinScenes::arrive() {
    const SceneEntry* scene = m_document->current();
    const auto& [name, pipeline] = m_evaluation->wish().pipelines[std::size_t(m_pipeline)];
    for (std::size_t i = 0; i < scene->results.size(); ++i) {
        const ResultEntry& r = *scene->results[i];
        if (!r.problem.isEmpty() || r.pipeline.toJson() != pipeline.toJson()) continue;
        m_waiting = r.id;
        m_document->setCurrentResult(int(i));
        break;
    }
    if (m_waiting == 0) m_waiting = m_document->run(pipeline, name);
    m_judge->judge(m_waiting); // nothing happens while it runs
    deliver();
    Q_EMIT changed();
}

void BinScenes::deliver() {
    if (m_waiting == 0) return;
    const ResultEntry* now = m_document->currentResult();
    const JudgeController::Entry* entry = m_judge->entry(m_waiting);
    if (!now || now->id != m_waiting || !now->problem.isEmpty() || (entry && !entry->problem.isEmpty())) {
        m_waiting = 0; // the person went elsewhere, or it failed and says so
        Q_EMIT changed();
        return;
    }
    const JudgementPtr judgement = m_judge->judgement(m_waiting);
    if (!judgement) return;
    m_waiting = 0;
    QSet<int> blends;
    for (const int id : m_list[std::size_t(m_at)].truths) {
        const TruthVerdict* t = judgement->object(id);
        if (t && t->blend > 0) blends.insert(t->blend);
    }
    if (!blends.isEmpty()) Q_EMIT blendsChosen(blends, words());
    Q_EMIT changed();
}

} // namespace blendscope
