#include "judge/LiveMetrics.h"

#include "judge/MetricsBuilder.h"

#include <algorithm>

namespace blendscope {

LiveMetrics::LiveMetrics(Document* document, JudgeController* judge, QObject* parent)
    : QObject(parent), m_document(document), m_judge(judge) {
    connect(m_judge, &JudgeController::changed, this, &LiveMetrics::follow);
    connect(m_document, &Document::resultsChanged, this, &LiveMetrics::follow);
    connect(m_document, &Document::currentSceneChanged, this, &LiveMetrics::follow);
}

void LiveMetrics::setWanted(bool wanted) {
    m_wanted = wanted;
    if (wanted) {
        follow();
    } else if (m_job) {
        m_job->cancel();
    }
}

int LiveMetrics::resultOf(int pipeline) const {
    return pipeline >= 0 && pipeline < int(m_results.size()) ? m_results[std::size_t(pipeline)] : 0;
}

void LiveMetrics::follow() {
    if (!m_wanted || m_job) return; // what runs looks again when it is over
    const SceneEntry* scene = m_document->current();
    std::vector<int> ids;
    std::vector<ScoredPipeline> pipelines;
    struct Missing {
        int id;
        ResultPtr result;
        JudgementPtr judgement;
    };
    std::vector<Missing> missing;
    if (scene && scene->scene->truth && !scene->scene->truth->objects.empty()) {
        for (const auto& r : scene->results) {
            if (r->running || !r->result || !r->result->complete || !r->problem.isEmpty()) continue;
            ids.push_back(r->id);
            ScoredPipeline p;
            p.name = r->name;
            p.definition = r->pipeline.toJson();
            p.seconds = r->seconds;
            pipelines.push_back(std::move(p));
            const auto known = m_scores.find(r->id);
            const JudgementPtr judgement = m_judge->judgement(r->id);
            if (known == m_scores.end() || known->second.result != r->result || known->second.judgement != judgement) {
                missing.push_back({r->id, r->result, judgement});
            }
        }
    }
    if (ids == m_results && missing.empty() && (scene ? scene->id : 0) == m_sceneId) return;
    m_sceneId = scene ? scene->id : 0;
    if (ids.empty()) {
        m_results.clear();
        m_report.reset();
        m_problem.clear();
        Q_EMIT changed();
        return;
    }
    struct Made {
        std::vector<std::pair<int, Scored>> scores;
        std::shared_ptr<const MetricsReport> report;
    };
    auto made = std::make_shared<Made>();
    m_job = m_document->start(
        tr("Measuring %1 results").arg(ids.size()),
        [made, sky = scene->scene, ids, pipelines, missing, known = m_scores](Progress& progress) mutable {
            progress.begin(tr("scoring"), static_cast<long long>(missing.size()) + 1);
            for (const auto& [id, result, judgement] : missing) {
                auto score = std::make_shared<SceneScore>(scoreScene(*sky, *result));
                if (judgement) addJudgement(*score, *judgement);
                known[id] = {result, judgement, std::move(score)};
                made->scores.emplace_back(id, known[id]);
                progress.advance();
            }
            for (std::size_t i = 0; i < ids.size(); ++i) {
                pipelines[i].scenes = {*known[ids[i]].score};
            }
            made->report = std::make_shared<const MetricsReport>(buildReport(pipelines));
            progress.advance();
        },
        [this, made, ids, sceneId = m_sceneId](const Job& job) {
            m_job.reset();
            for (auto& [id, scored] : made->scores) {
                m_scores[id] = std::move(scored);
            }
            m_problem = job.state() == Job::State::Failed ? job.error() : QString();
            if (sceneId == m_sceneId) {
                m_results = ids; // also where it failed: not again and again
                m_report = made->report;
            }
            Q_EMIT changed();
            if (job.state() != Job::State::Cancelled) follow();
        });
    Q_EMIT changed();
}

} // namespace blendscope
