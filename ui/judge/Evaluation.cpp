#include "judge/Evaluation.h"

#include "core/Error.h"
#include "figure/FailurePictures.h"
#include "io/SceneReader.h"
#include "judge/MetricsBuilder.h"
#include "judge/ScoredRun.h"
#include "judge/TrialHere.h"
#include "simulate/Simulator.h"

#include <cmath>

namespace blendscope {

namespace {

struct Done {
    std::vector<ScoredPipeline> pipelines;
    QStringList problems;
    std::shared_ptr<const MetricsReport> report;
    std::vector<FailurePicture> failures;
    std::function<ScenePtr(int, Progress&)> source; ///< scenes of the report by row
};

/// Scenes of a folder by number: which files, and which of the scenes in them.
struct Place {
    SceneFiles files;
    std::size_t scene = 0;
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

void scoreAll(Done& done, const Evaluation::Wish& wish, const Scene& scene, const Registry& registry, Progress& inner) {
    for (std::size_t k = 0; k < wish.pipelines.size(); ++k) {
        ScoredPipeline& p = done.pipelines[k];
        ScoredRunOptions options;
        options.cost = ScoredRunOptions::Cost::Thread;
        if (wish.judge) options.judge.emplace();
        ScoredRun run = scoredRun(
            scene, [&] { return runPipeline(scene, wish.pipelines[k].second, registry, inner); }, p.definition,
            registry, inner, options);
        p.failures += !run.score.failure.isEmpty();
        if (std::isfinite(run.score.seconds)) p.seconds += run.score.seconds;
        for (const QString& problem : std::as_const(run.problems)) {
            done.problems << QStringLiteral("%1, %2: %3").arg(scene.id, p.name, problem);
        }
        p.scenes.push_back(std::move(run.score));
    }
}

void work(Done& done, const Evaluation::Wish& wish, const Registry& registry, Progress& progress) {
    for (const auto& [name, pipeline] : wish.pipelines) {
        ScoredPipeline p;
        p.name = name;
        p.definition = pipeline.toJson();
        done.pipelines.push_back(std::move(p));
    }
    Progress inner(progress.token()); // the phases of one scene; what a person sees is the number of scenes
    const auto places = std::make_shared<std::vector<Place>>();
    std::vector<SceneFiles> groups;
    if (wish.folder.isEmpty()) {
        done.source = [recipe = loadRecipe(wish.recipe), seed = wish.seed](int number, Progress& p) {
            return simulateScene(recipe, seed, number, &p);
        };
    } else {
        groups = groupSceneFiles({wish.folder});
        done.source = [places](int number, Progress& p) {
            const Place& place = places->at(static_cast<std::size_t>(number));
            return openScene(place.files, {}, &p).at(place.scene);
        };
    }
    const int most = wish.folder.isEmpty() ? wish.scenes : static_cast<int>(groups.size());
    progress.begin(Evaluation::tr("scenes"), most);
    for (int i = 0; i < most; ++i) {
        std::vector<ScenePtr> scenes;
        if (wish.folder.isEmpty()) {
            scenes.push_back(done.source(i, inner));
        } else if (static_cast<int>(places->size()) < wish.scenes) {
            try {
                scenes = openScene(groups[static_cast<std::size_t>(i)]);
            } catch (const ReadError& e) {
                done.problems << e.message();
            }
        }
        for (std::size_t n = 0; n < scenes.size(); ++n) {
            const bool truth = scenes[n]->truth && !scenes[n]->truth->objects.empty();
            if (!wish.folder.isEmpty() && !truth) continue;
            if (!wish.folder.isEmpty()) places->push_back({groups[static_cast<std::size_t>(i)], n});
            scoreAll(done, wish, *scenes[n], registry, inner);
        }
        progress.advance();
    }
    if (!wish.folder.isEmpty() && places->empty())
        throw ReadError(Evaluation::tr("%1 holds no scene with truth").arg(wish.folder));
}

/// What the saved report shows besides numbers: the worst blends, and the readiness of each pipeline.
void complete(Done& done, const Evaluation::Wish& wish, const Registry& registry, Progress& progress) {
    if (!done.report) return;
    FailureSource source;
    source.scene = [&](int scene) {
        Progress own(progress.token());
        return done.source(scene, own);
    };
    source.result = [&](int pipeline, const Scene& scene) {
        Progress own(progress.token());
        return runPipeline(scene, wish.pipelines[static_cast<std::size_t>(pipeline)].second, registry, own);
    };
    done.failures = pictureFailures(done.pipelines, wish.worst, source, progress);
    if (!wish.card) return;
    auto report = std::make_shared<MetricsReport>(*done.report);
    for (std::size_t k = 0; k < wish.pipelines.size(); ++k) {
        const auto here = [&](const Scene& s) {
            return runHere(s, wish.pipelines[k].second, registry, progress.token());
        };
        std::vector<ReadinessItem>& card = report->pipelines[k].readiness;
        // A crash would end the window: hostile scenes need processes of their own.
        ReadinessItem robustness;
        robustness.demand = QStringLiteral("robustness");
        robustness.title = Evaluation::tr("Robustness");
        robustness.finding =
            Evaluation::tr("Not measured in the window: \"blend evaluate\" runs hostile scenes in processes "
                           "of their own.");
        card.push_back(robustness);
        card.push_back(assessPerformance(here, progress));
        card.push_back(assessUniformity(here, ScoreOptions{}, progress));
        card.push_back(assessBattleTesting({}));
        card.push_back(assessCalibration(report->pipelines[k], report->band));
    }
    done.report = std::move(report);
}

} // namespace

Evaluation::Evaluation(Document* document, QObject* parent) : QObject(parent), m_document(document) {}

void Evaluation::start(const Wish& wish) {
    const auto registry = m_document->registry();
    if (!registry || wish.pipelines.empty() || wish.scenes < 1) return;
    if (m_job) m_job->cancel();
    auto done = std::make_shared<Done>();
    const QString title = wish.folder.isEmpty() ? tr("%1 scenes of %2").arg(wish.scenes).arg(wish.recipe)
                                                : tr("Scenes of %1").arg(wish.folder);
    m_job = m_document->start(
        wish.folder.isEmpty() ? tr("Evaluating %1 pipelines on %2 scenes").arg(wish.pipelines.size()).arg(wish.scenes)
                              : tr("Evaluating %1 pipelines on a folder").arg(wish.pipelines.size()),
        [done, wish, registry, title](Progress& progress) {
            try {
                work(*done, wish, *registry, progress);
            } catch (const CancelledError&) {
                makeReport(*done, title); // what is done stays
                throw;
            }
            makeReport(*done, title);
            complete(*done, wish, *registry, progress);
        },
        [this, done, wish](const Job& job) {
            if (m_job.get() != &job) return; // a newer one runs
            m_job.reset();
            if (job.state() == Job::State::Failed) {
                Q_EMIT m_document->message(Document::Severity::Error, tr("Evaluating stopped: %1").arg(job.error()));
            }
            if (done->report) {
                m_report = done->report;
                m_failures = std::move(done->failures);
                m_source = done->source;
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
