#include "judge/Evaluation.h"

#include "core/Error.h"
#include "jobs/TaskPool.h"
#include "judge/Judge.h"
#include "judge/MetricsBuilder.h"
#include "simulate/Simulator.h"

namespace blendscope {

namespace {

struct Done {
    std::vector<ScoredPipeline> pipelines;
    QStringList problems;
    std::shared_ptr<const MetricsReport> report;
};

void makeReport(Done& done, const QString& title) {
    if (done.pipelines.empty() || done.pipelines.front().scenes.empty()) return;
    // A cancelled round may have reached some pipelines only.
    std::size_t least = done.pipelines.front().scenes.size();
    for (const ScoredPipeline& p : done.pipelines) {
        least = std::min(least, p.scenes.size());
    }
    for (ScoredPipeline& p : done.pipelines) {
        p.scenes.resize(least);
    }
    if (least == 0) return;
    BuildOptions options;
    options.title = title;
    auto made = std::make_shared<MetricsReport>(buildReport(done.pipelines, options));
    made->notes += done.problems;
    done.report = std::move(made);
}

void work(Done& done, const Evaluation::Wish& wish, const Registry& registry, Progress& progress) {
    for (const auto& [name, pipeline] : wish.pipelines) {
        ScoredPipeline p;
        p.name = name;
        p.definition = pipeline.toJson();
        done.pipelines.push_back(std::move(p));
    }
    const QJsonObject recipe = loadRecipe(wish.recipe);
    Progress inner(progress.token()); // the phases of one scene; what a person sees is the number of scenes
    progress.begin(Evaluation::tr("scenes"), wish.scenes);
    for (int i = 0; i < wish.scenes; ++i) {
        const ScenePtr scene = simulateScene(recipe, wish.seed, i, &inner);
        for (std::size_t k = 0; k < wish.pipelines.size(); ++k) {
            ScoredPipeline& p = done.pipelines[k];
            SceneScore score;
            const double begin = TaskPool::processorSeconds();
            try {
                const ResultPtr result = runPipeline(*scene, wish.pipelines[k].second, registry, inner);
                inner.check();
                const double seconds = TaskPool::processorSeconds() - begin;
                score = scoreScene(*scene, *result);
                score.seconds = seconds;
                p.seconds += seconds;
                if (wish.judge) addJudgement(score, judge(*scene, *result, registry, inner));
            } catch (const CancelledError&) {
                throw;
            } catch (const Error& e) {
                // A scene on which a method fails counts as one without detections.
                ++p.failures;
                score = scoreScene(*scene, Result{});
                score.failure = e.message();
                done.problems << QStringLiteral("%1, %2: %3").arg(scene->id, p.name, e.message());
            }
            p.scenes.push_back(std::move(score));
        }
        progress.advance();
    }
}

} // namespace

Evaluation::Evaluation(Document* document, QObject* parent) : QObject(parent), m_document(document) {}

void Evaluation::start(const Wish& wish) {
    const auto registry = m_document->registry();
    if (!registry || wish.pipelines.empty() || wish.scenes < 1) return;
    if (m_job) m_job->cancel();
    auto done = std::make_shared<Done>();
    const QString title = tr("%1 scenes of %2").arg(wish.scenes).arg(wish.recipe);
    m_job = m_document->start(
        tr("Evaluating %1 pipelines on %2 scenes").arg(wish.pipelines.size()).arg(wish.scenes),
        [done, wish, registry, title](Progress& progress) {
            try {
                work(*done, wish, *registry, progress);
            } catch (const CancelledError&) {
                makeReport(*done, title); // what is done stays
                throw;
            }
            makeReport(*done, title);
        },
        [this, done, wish](const Job& job) {
            if (m_job.get() != &job) return; // a newer one runs
            m_job.reset();
            if (job.state() == Job::State::Failed) {
                Q_EMIT m_document->message(Document::Severity::Error, tr("Evaluating stopped: %1").arg(job.error()));
            }
            if (done->report) {
                m_report = done->report;
                m_wish = wish;
            }
            Q_EMIT changed();
        });
    Q_EMIT changed();
}

void Evaluation::cancel() {
    if (m_job) m_job->cancel();
}

void Evaluation::clear() {
    m_report.reset();
    Q_EMIT changed();
}

} // namespace blendscope
