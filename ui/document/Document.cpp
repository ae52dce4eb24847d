#include "document/Document.h"

#include "io/ResultFolder.h"
#include "simulate/Simulator.h"
#include "view/SceneSamples.h"

#include <QElapsedTimer>
#include <QFileInfo>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kTickMs = 100;

QString shortList(const QStringList& paths) {
    QStringList names;
    for (const QString& path : paths) {
        names.append(QFileInfo(path.section(QLatin1Char(','), 0, 0)).fileName());
    }
    if (names.size() > 3) return Document::tr("%1 and %2 more").arg(names.first()).arg(names.size() - 1);
    return names.join(QStringLiteral(", "));
}

} // namespace

struct Document::Live {
    std::mutex mutex;
    ResultPtr newest;
    bool fresh = false;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

    void put(ResultPtr result) {
        const std::lock_guard lock(mutex);
        newest = std::move(result);
        fresh = true;
    }
    ResultPtr take() {
        const std::lock_guard lock(mutex);
        if (!fresh) return nullptr;
        fresh = false;
        return newest;
    }
};

Document::Document(QObject* parent) : QObject(parent), m_jobs(std::make_unique<JobQueue>(2)) {
    m_timer.setInterval(kTickMs);
    connect(&m_timer, &QTimer::timeout, this, &Document::tick);
}

Document::~Document() {
    m_jobs.reset();
}

void Document::poke() {
    QMetaObject::invokeMethod(this, &Document::tick, Qt::QueuedConnection);
}

JobPtr Document::start(const QString& title, std::function<void(Progress&)> work,
                       std::function<void(const Job&)> done) {
    JobPtr job = m_jobs->start(title, std::move(work), [this] { poke(); });
    m_pending.push_back({job, std::move(done)});
    if (!m_timer.isActive()) m_timer.start();
    Q_EMIT jobsChanged();
    return job;
}

void Document::tick() {
    for (const Running& run : std::vector<Running>(m_running)) {
        ResultPtr snapshot = run.live->take();
        ResultEntry* e = snapshot ? entry(run.sceneId, run.resultId) : nullptr;
        if (!e) continue;
        e->result = std::move(snapshot);
        if (currentResult() == e) {
            fixSelection();
            Q_EMIT resultUpdated();
        }
    }
    std::vector<Pending> over;
    for (std::size_t i = 0; i < m_pending.size();) {
        if (m_pending[i].job->over()) {
            over.push_back(std::move(m_pending[i]));
            m_pending.erase(m_pending.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    for (const Pending& p : over) {
        if (p.job->state() == Job::State::Failed && !p.done) Q_EMIT message(Severity::Error, p.job->error());
        if (p.done) p.done(*p.job);
    }
    const bool ended = !over.empty() && m_pending.empty();
    if (m_pending.empty()) m_timer.stop();
    if (!over.empty() || !m_pending.empty()) Q_EMIT jobsChanged();
    if (ended) Q_EMIT idle();
}

// --- scenes ---------------------------------------------------------------------------------------------------------

void Document::open(const QStringList& paths, const OpenOptions& options) {
    if (paths.isEmpty()) return;
    struct Opened {
        std::vector<ScenePtr> scenes;
        double seconds = 0.0;
    };
    auto opened = std::make_shared<Opened>();
    start(
        tr("Opening %1").arg(shortList(paths)),
        [opened, paths, options](Progress& progress) {
            QElapsedTimer clock;
            clock.start();
            opened->scenes = openScenes(paths, options, &progress);
            opened->seconds = static_cast<double>(clock.elapsed()) / 1000.0;
        },
        [this, opened, paths](const Job& job) {
            if (job.state() == Job::State::Failed) {
                Q_EMIT message(Severity::Error, job.error());
            } else if (job.state() == Job::State::Finished) {
                if (opened->scenes.empty()) {
                    Q_EMIT message(Severity::Error, tr("No image was found in %1.").arg(shortList(paths)));
                } else {
                    adopt(std::move(opened->scenes), paths, opened->seconds);
                }
            }
        });
}

void Document::simulate(const QString& recipe, std::uint64_t seed) {
    auto made = std::make_shared<ScenePtr>();
    start(
        tr("Simulating a scene"),
        [made, recipe, seed](Progress& progress) { *made = simulateScene(loadRecipe(recipe), seed, 0, &progress); },
        [this, made](const Job& job) {
            if (job.state() == Job::State::Failed) Q_EMIT message(Severity::Error, job.error());
            if (job.state() == Job::State::Finished && *made) adopt({*made}, {}, 0.0);
        });
}

void Document::adopt(std::vector<ScenePtr> scenes, const QStringList& paths, double seconds) {
    int first = -1;
    for (ScenePtr& scene : scenes) {
        const int index = addScene(std::move(scene), paths);
        m_scenes[static_cast<std::size_t>(index)].readSeconds = seconds;
        if (first < 0) first = index;
    }
    setCurrentIndex(first);
    const ScenePtr shown = scene();
    if (shown && !shown->warnings.isEmpty()) {
        Q_EMIT message(Severity::Warning, QStringLiteral("%1: %2").arg(shown->id, shown->warnings.first()));
    }
}

int Document::addScene(ScenePtr scene, const QStringList& paths) {
    SceneEntry e;
    e.id = m_nextId++;
    e.samples = std::make_shared<SceneSamples>(scene);
    e.scene = std::move(scene);
    e.paths = paths;
    m_scenes.push_back(std::move(e));
    Q_EMIT scenesChanged();
    if (m_current < 0) setCurrentIndex(0);
    return static_cast<int>(m_scenes.size()) - 1;
}

void Document::closeScene(int index) {
    if (index < 0 || index >= static_cast<int>(m_scenes.size())) return;
    for (const auto& r : m_scenes[static_cast<std::size_t>(index)].results) {
        if (r->job) r->job->cancel();
    }
    const bool wasCurrent = index == m_current;
    m_scenes.erase(m_scenes.begin() + index);
    if (wasCurrent) {
        m_current = -1;
        m_selection = {};
        Q_EMIT scenesChanged();
        if (m_scenes.empty()) {
            Q_EMIT currentSceneChanged();
            Q_EMIT resultsChanged();
            Q_EMIT currentResultChanged();
            Q_EMIT selectionChanged();
        } else {
            setCurrentIndex(std::min(index, static_cast<int>(m_scenes.size()) - 1));
        }
    } else {
        if (index < m_current) --m_current;
        Q_EMIT scenesChanged();
    }
}

void Document::setCurrentIndex(int index) {
    if (index == m_current || index < 0 || index >= static_cast<int>(m_scenes.size())) return;
    m_current = index;
    m_selection = {};
    Q_EMIT currentSceneChanged();
    Q_EMIT resultsChanged();
    Q_EMIT currentResultChanged();
    Q_EMIT selectionChanged();
}

const SceneEntry* Document::current() const {
    return m_current < 0 ? nullptr : &m_scenes[static_cast<std::size_t>(m_current)];
}

ScenePtr Document::scene() const {
    const SceneEntry* e = current();
    return e ? e->scene : nullptr;
}

SceneEntry* Document::sceneById(int id) {
    const auto it = std::find_if(m_scenes.begin(), m_scenes.end(), [id](const SceneEntry& e) { return e.id == id; });
    return it == m_scenes.end() ? nullptr : &*it;
}

// --- results --------------------------------------------------------------------------------------------------------

int Document::run(const Pipeline& pipeline, const QString& wanted) {
    if (m_current < 0) return 0;
    SceneEntry& s = m_scenes[static_cast<std::size_t>(m_current)];
    auto e = std::make_shared<ResultEntry>();
    e->id = m_nextId++;
    e->pipeline = pipeline;
    e->running = true;
    e->started = QDateTime::currentDateTime();
    const QString name = wanted.isEmpty() ? pipeline.name() : wanted;
    e->name = name;
    const auto taken = [&s](const QString& n) {
        return std::any_of(s.results.begin(), s.results.end(), [&](const auto& r) { return r->name == n; });
    };
    for (int n = 2; taken(e->name); ++n) {
        e->name = QStringLiteral("%1 (%2)").arg(name).arg(n);
    }
    s.results.push_back(e);
    s.currentResult = static_cast<int>(s.results.size()) - 1;
    m_selection = {};

    auto live = std::make_shared<Live>();
    m_running.push_back({s.id, e->id, live});
    auto registry = m_registry;
    e->job = start(
        QStringLiteral("%1: %2").arg(e->name, s.scene->id),
        [scene = s.scene, pipeline, registry, live](Progress& progress) {
            live->begin = std::chrono::steady_clock::now();
            RunOptions options;
            options.onPartial = [live](ResultPtr partial) { live->put(std::move(partial)); };
            const std::shared_ptr<const Registry> methods = registry ? registry : std::make_shared<Registry>();
            live->put(runPipeline(*scene, pipeline, *methods, progress, options));
        },
        [this, sceneId = s.id, resultId = e->id, live](const Job& job) {
            std::erase_if(m_running, [resultId](const Running& r) { return r.resultId == resultId; });
            ResultEntry* done = entry(sceneId, resultId);
            if (!done) return; // its scene was closed meanwhile
            if (ResultPtr last = live->take()) done->result = std::move(last);
            done->running = false;
            done->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - live->begin).count();
            const bool shown = currentResult() == done;
            if (job.state() == Job::State::Failed) {
                done->problem = job.error();
                Q_EMIT message(Severity::Error, tr("%1 stopped: %2").arg(done->name, job.error()));
            } else if (job.state() == Job::State::Cancelled || !done->result || !done->result->complete) {
                Q_EMIT message(Severity::Notice,
                               done->result ? tr("%1 was cancelled; the blends that were done are kept: %2.")
                                                  .arg(done->name)
                                                  .arg(done->result->blends.size())
                                            : tr("%1 was cancelled before it had found anything.").arg(done->name));
            } else if (done->result && !done->result->warnings.isEmpty()) {
                Q_EMIT message(Severity::Warning, done->result->warnings.first());
            }
            if (shown) {
                fixSelection();
                Q_EMIT resultUpdated();
            }
            Q_EMIT resultsChanged();
            Q_EMIT runFinished(resultId);
        });
    Q_EMIT resultsChanged();
    Q_EMIT currentResultChanged();
    Q_EMIT selectionChanged();
    return e->id;
}

int Document::addResult(ResultPtr result, const QString& name) {
    if (m_current < 0) return 0;
    SceneEntry& s = m_scenes[static_cast<std::size_t>(m_current)];
    auto e = std::make_shared<ResultEntry>();
    e->id = m_nextId++;
    e->name = name;
    e->result = std::move(result);
    s.results.push_back(e);
    s.currentResult = static_cast<int>(s.results.size()) - 1;
    m_selection = {};
    Q_EMIT resultsChanged();
    Q_EMIT currentResultChanged();
    Q_EMIT selectionChanged();
    return e->id;
}

void Document::cancelRun() {
    const SceneEntry* s = current();
    if (!s) return;
    for (const auto& r : s->results) {
        if (r->running && r->job) r->job->cancel();
    }
    Q_EMIT jobsChanged();
}

void Document::cancelAll() {
    m_jobs->cancelAll();
    Q_EMIT jobsChanged();
}

void Document::openResult(const QString& folder) {
    struct Read {
        ScenePtr scene; ///< opened for the result's sake; null = it is open already
        ResultPtr result;
    };
    const SceneEntry* s = current();
    auto both = std::make_shared<Read>();
    start(
        tr("Reading %1").arg(QFileInfo(folder).fileName()),
        [both, scene = s ? s->scene : nullptr, folder](Progress& progress) {
            if (!scene) both->scene = openSceneOfResult(folder, {}, {}, &progress);
            both->result = readResult(scene ? *scene : *both->scene, folder);
        },
        [this, both, sceneId = s ? s->id : 0, folder](const Job& job) {
            if (job.state() == Job::State::Failed) Q_EMIT message(Severity::Error, job.error());
            const ResultPtr* read = &both->result;
            if (job.state() == Job::State::Finished && both->scene) {
                const int index = addScene(both->scene);
                setCurrentIndex(index);
            }
            SceneEntry* owner = both->scene && !m_scenes.empty() ? &m_scenes.back() : sceneById(sceneId);
            if (job.state() != Job::State::Finished || !*read || !owner) return;
            auto e = std::make_shared<ResultEntry>();
            e->id = m_nextId++;
            e->name = QFileInfo(folder).fileName();
            e->folder = folder;
            e->result = *read;
            if (!(*read)->pipeline.isEmpty()) {
                try {
                    e->pipeline = Pipeline::fromJson((*read)->pipeline);
                } catch (const Error&) {
                    // A pipeline of methods that are not installed here: the result can be shown all the same.
                }
            }
            owner->results.push_back(e);
            owner->currentResult = static_cast<int>(owner->results.size()) - 1;
            if (!(*read)->warnings.isEmpty()) Q_EMIT message(Severity::Warning, (*read)->warnings.first());
            if (owner == current()) {
                m_selection = {};
                Q_EMIT resultsChanged();
                Q_EMIT currentResultChanged();
                Q_EMIT selectionChanged();
            }
        });
}

void Document::saveResult(const QString& folder) {
    const SceneEntry* s = current();
    const ResultPtr what = result();
    if (!s || !what) return;
    start(
        tr("Saving %1").arg(QFileInfo(folder).fileName()),
        [what, scene = s->scene, folder, seconds = s->readSeconds](Progress&) {
            writeResult(*what, *scene, folder, seconds);
        },
        [this, folder, sceneId = s->id, resultId = currentResult()->id](const Job& job) {
            if (job.state() == Job::State::Failed) Q_EMIT message(Severity::Error, job.error());
            if (job.state() != Job::State::Finished) return;
            if (ResultEntry* e = entry(sceneId, resultId)) e->folder = folder;
            Q_EMIT message(Severity::Notice, tr("The result was saved in %1.").arg(folder));
            Q_EMIT resultsChanged();
        });
}

void Document::removeResult(int resultId) {
    if (m_current < 0) return;
    SceneEntry& s = m_scenes[static_cast<std::size_t>(m_current)];
    const auto it =
        std::find_if(s.results.begin(), s.results.end(), [resultId](const auto& r) { return r->id == resultId; });
    if (it == s.results.end()) return;
    if ((*it)->job) (*it)->job->cancel();
    const int index = static_cast<int>(it - s.results.begin());
    s.results.erase(it);
    const bool shown = index == s.currentResult;
    if (index <= s.currentResult) --s.currentResult;
    if (s.currentResult < 0 && !s.results.empty()) s.currentResult = 0;
    Q_EMIT resultsChanged();
    if (shown) {
        m_selection = {};
        Q_EMIT currentResultChanged();
        Q_EMIT selectionChanged();
    }
}

const ResultEntry* Document::currentResult() const {
    const SceneEntry* s = current();
    if (!s || s->currentResult < 0) return nullptr;
    return s->results[static_cast<std::size_t>(s->currentResult)].get();
}

const ResultEntry* Document::resultEntry(int resultId) const {
    for (const SceneEntry& s : m_scenes) {
        for (const auto& r : s.results) {
            if (r->id == resultId) return r.get();
        }
    }
    return nullptr;
}

ResultEntry* Document::entry(int sceneId, int resultId) {
    SceneEntry* s = sceneById(sceneId);
    if (!s) return nullptr;
    for (const auto& r : s->results) {
        if (r->id == resultId) return r.get();
    }
    return nullptr;
}

ResultPtr Document::result() const {
    const ResultEntry* e = currentResult();
    return e ? e->result : nullptr;
}

void Document::setCurrentResult(int index) {
    if (m_current < 0) return;
    SceneEntry& s = m_scenes[static_cast<std::size_t>(m_current)];
    if (index == s.currentResult || index < 0 || index >= static_cast<int>(s.results.size())) return;

    // What lies under the old selection is selected in the new result, so that flipping stays on the same blend.
    const ResultPtr old = result();
    s.currentResult = index;
    const ResultPtr now = result();
    m_selection = old && now ? counterpart(m_selection, *old, *now) : Selection{};
    Q_EMIT resultsChanged();
    Q_EMIT currentResultChanged();
    Q_EMIT selectionChanged();
}

Selection Document::counterpart(Selection selection, const Result& from, const Result& to) {
    double x = 0.0, y = 0.0;
    if (const Object* o = from.object(selection.object)) {
        x = o->x;
        y = o->y;
    } else if (const Blend* b = from.blend(selection.blend)) {
        x = b->box.x0 + b->box.width / 2.0;
        y = b->box.y0 + b->box.height / 2.0;
    } else {
        return {};
    }
    Selection found;
    double best = 1e30;
    for (const Blend& b : to.blends) {
        if (!b.box.grown(2).contains(static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y)))) continue;
        for (const int id : b.objects) {
            const Object* o = to.object(id);
            if (!o) continue;
            const double d = std::hypot(o->x - x, o->y - y);
            if (d < best) {
                best = d;
                found = {b.id, selection.object != 0 ? id : 0};
            }
        }
    }
    return found;
}

void Document::stepResult(int steps) {
    const SceneEntry* s = current();
    if (!s || s->results.size() < 2) return;
    const int n = static_cast<int>(s->results.size());
    setCurrentResult(((s->currentResult + steps) % n + n) % n);
}

bool Document::running() const {
    const SceneEntry* s = current();
    return s && std::any_of(s->results.begin(), s->results.end(), [](const auto& r) { return r->running; });
}

// --- selection ------------------------------------------------------------------------------------------------------

Selection Document::existing(Selection wanted) const {
    const ResultPtr r = result();
    if (!r) return {};
    if (const Object* o = wanted.object > 0 ? r->object(wanted.object) : nullptr) return {o->parent, o->id};
    if (wanted.blend > 0 && r->blend(wanted.blend)) return {wanted.blend, 0};
    return {};
}

void Document::setSelection(Selection wanted) {
    const Selection clean = existing(wanted);
    if (clean == m_selection) return;
    m_selection = clean;
    Q_EMIT selectionChanged();
}

void Document::setHovered(Selection hovered) {
    const Selection clean = existing(hovered);
    if (clean == m_hovered) return;
    m_hovered = clean;
    Q_EMIT hoveredChanged();
}

void Document::fixSelection() {
    const Selection before = m_selection;
    const ResultPtr r = result();
    const bool there = r && ((m_selection.object > 0 && r->object(m_selection.object)) ||
                             (m_selection.object == 0 && r->blend(m_selection.blend)));
    if (!there) m_selection = {};
    if (m_selection != before) Q_EMIT selectionChanged();
}

int Document::mostInterestingBlend(const Result& result, const Scene& scene) {
    int best = 0;
    double bestScore = -1.0;
    for (const Blend& blend : result.blends) {
        if (blend.objects.empty()) continue;
        double brightest = 0.0, second = 0.0;
        bool edge = (blend.flags & (FlagEdge | FlagSkipped | FlagSaturated)) != 0;
        for (const int id : blend.objects) {
            const Object* o = result.object(id);
            if (!o) continue;
            edge = edge || (o->flags & (FlagEdge | FlagSaturated)) != 0;
            double snr2 = 0.0;
            for (const BandFlux& f : o->bands) {
                if (f.fluxErr > 0 && f.flux > 0) snr2 += std::pow(double(f.flux) / double(f.fluxErr), 2);
            }
            const double snr = std::sqrt(snr2);
            if (snr > brightest) {
                second = brightest;
                brightest = snr;
            } else {
                second = std::max(second, snr);
            }
        }
        // Three to five objects read best; the second brightest decides whether the blend is plain to see.
        const auto n = blend.objects.size();
        const double crowd = n == 1 ? 0.02 : n == 2 ? 0.6 : n <= 5 ? 1.0 : n <= 8 ? 0.7 : 0.3;
        const double size = double(blend.box.area()) / std::max(1.0, double(scene.box().area()));
        const double score = crowd * std::log1p(n == 1 ? brightest : second) * (edge ? 0.3 : 1.0) *
                             (size > 0.2 && scene.box().area() > 40000 ? 0.3 : 1.0);
        if (score > bestScore) {
            bestScore = score;
            best = blend.id;
        }
    }
    return best;
}

void Document::setRegistry(std::shared_ptr<const Registry> registry) {
    m_registry = std::move(registry);
    Q_EMIT registryChanged();
}

std::vector<JobPtr> Document::activeJobs() const {
    std::vector<JobPtr> jobs;
    for (const Pending& p : m_pending) {
        jobs.push_back(p.job);
    }
    return jobs;
}

} // namespace blendscope
