#include "judge/JudgeController.h"

#include "core/Error.h"
#include "judge/SuspectedJudgement.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QSet>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

/// Resolution in arcsec: the sharpest PSF, or the pixels where none is known; 0 = unknown.
double sharpness(const Scene& scene) {
    double best = 0.0;
    for (const Band& b : scene.bands) {
        const double fwhm = b.psf.known() ? b.psf.fwhmPixels * scene.pixelScale : 0.0;
        if (fwhm > 0.0 && (best == 0.0 || fwhm < best)) best = fwhm;
    }
    return best > 0.0 ? best : scene.pixelScale;
}

/// Evidence that `blend judge` left in a result's folder and that nothing in the window can make again.
std::vector<Suspicion> evidenceOnFile(const QString& folder) {
    QFile file(QDir(folder).filePath(QStringLiteral("suspicions.json")));
    if (folder.isEmpty() || !file.open(QIODevice::ReadOnly)) return {};
    std::vector<Suspicion> list = suspicionsFromJson(QJsonDocument::fromJson(file.readAll()).object());
    std::erase_if(list, [](const Suspicion& s) {
        return s.evidence != Evidence::Reference && s.evidence != Evidence::Injection;
    });
    return list;
}

/// The judgement that `blend judge` left in a result's folder, where it is one of this scene and result; else null.
JudgementPtr judgementOnFile(const QString& folder, const Scene& scene, const Result& result) {
    QFile file(QDir(folder).filePath(QStringLiteral("judgement.json")));
    if (folder.isEmpty() || !file.open(QIODevice::ReadOnly)) return nullptr;
    try {
        auto read = std::make_shared<Judgement>(judgementFromJson(QJsonDocument::fromJson(file.readAll()).object()));
        QSet<int> detections, truths;
        for (const DetectionVerdict& d : read->detections) {
            detections.insert(d.id);
        }
        for (const TruthVerdict& t : read->objects) {
            truths.insert(t.id);
        }
        qsizetype detected = 0;
        for (const Object& o : result.objects) {
            if (o.flags & (FlagNotDetected | FlagOutside)) continue;
            ++detected;
            if (!detections.contains(o.id)) return nullptr;
        }
        for (const TruthObject& t : scene.truth->objects) {
            if (!truths.contains(t.id)) return nullptr;
        }
        const bool same = read->sceneId == scene.id && detected == detections.size() &&
                          (result.pipeline.isEmpty() || read->pipeline == result.pipeline);
        return same ? read : nullptr;
    } catch (const Error&) {
        return nullptr; // judged anew
    }
}

constexpr double kSharper = 0.7; ///< of the resolution: from here on another scene shows more

} // namespace

JudgeController::JudgeController(Document* document, QObject* parent) : QObject(parent), m_document(document) {
    connect(m_document, &Document::currentResultChanged, this, &JudgeController::follow);
    connect(m_document, &Document::currentSceneChanged, this, &JudgeController::follow);
    connect(m_document, &Document::resultsChanged, this, [this] {
        // Forget what belongs to results that are gone.
        std::erase_if(m_entries, [this](const auto& e) {
            if (m_document->resultEntry(e.first)) return false;
            if (e.second.job) e.second.job->cancel();
            return true;
        });
        std::erase_if(m_injected, [this](const auto& e) { return !m_document->resultEntry(e.first); });
        if (m_automatic) judgeFinished();
        follow();
    });
    connect(m_document, &Document::selectionChanged, this, &JudgeController::onDocumentSelection);
}

const JudgeController::Entry* JudgeController::entry(int resultId) const {
    const auto it = m_entries.find(resultId);
    return it == m_entries.end() ? nullptr : &it->second;
}

JudgementPtr JudgeController::judgement(int resultId) const {
    const Entry* e = entry(resultId);
    return e ? e->judgement : nullptr;
}

JudgementPtr JudgeController::current() const {
    const ResultEntry* e = m_document->currentResult();
    return e ? judgement(e->id) : nullptr;
}

std::vector<JudgementPtr> JudgeController::others() const {
    std::vector<JudgementPtr> found;
    const SceneEntry* s = m_document->current();
    const ResultEntry* now = m_document->currentResult();
    if (!s) return found;
    for (const auto& r : s->results) {
        if (now && r->id == now->id) continue;
        if (JudgementPtr j = judgement(r->id)) found.push_back(std::move(j));
    }
    return found;
}

bool JudgeController::suspected() const {
    const ResultEntry* e = m_document->currentResult();
    const Entry* own = e ? entry(e->id) : nullptr;
    return own && own->suspected;
}

std::vector<Suspicion> JudgeController::evidence(int blend) const {
    std::vector<Suspicion> found;
    const ResultEntry* e = m_document->currentResult();
    const Entry* own = e ? entry(e->id) : nullptr;
    if (!own || blend < 1 || blend > int(own->evidence.size())) return found;
    for (const int row : own->evidence[std::size_t(blend - 1)]) {
        found.push_back(own->suspicions[std::size_t(row)]);
    }
    return found;
}

bool JudgeController::hasTruth() const {
    const ScenePtr scene = m_document->scene();
    return scene && scene->truth && !scene->truth->objects.empty();
}

QString JudgeController::obstacle() const {
    const ScenePtr scene = m_document->scene();
    if (!scene) return tr("Open or simulate a scene first.");
    if (!scene->truth || scene->truth->objects.empty()) {
        return tr(
            "This scene has no truth: outcomes can only be suspected, from what models leave over, from results that "
            "disagree, and from a sharper image of the same sky. Run a second pipeline to compare, or open and run "
            "a sharper image.");
    }
    return {};
}

bool JudgeController::judgeable(const ResultEntry& e) const {
    return e.result && !e.running && e.problem.isEmpty() && e.result->complete;
}

void JudgeController::suspect(int resultId) {
    const ResultEntry* e = m_document->resultEntry(resultId);
    const SceneEntry* s = m_document->current();
    if (!e || !s || !judgeable(*e)) return;
    struct Made {
        std::vector<Suspicion> suspicions;
        std::vector<std::vector<int>> evidence;
        JudgementPtr judgement;
    };
    std::vector<std::pair<QString, ResultPtr>> rest;
    std::vector<int> against;
    for (const auto& r : s->results) {
        if (r->id == resultId || !judgeable(*r)) continue;
        rest.emplace_back(r->name, r->result);
        against.push_back(r->id);
    }
    // Sharper images of the same sky that are open and were run.
    std::vector<std::pair<ScenePtr, ResultPtr>> sharper;
    for (const SceneEntry& other : m_document->scenes()) {
        if (other.id == s->id || other.currentResult < 0 || !s->scene->wcs.isValid() || !other.scene->wcs.isValid())
            continue;
        const ResultEntry& r = *other.results[std::size_t(other.currentResult)];
        if (!judgeable(r) || !(sharpness(*other.scene) < kSharper * sharpness(*s->scene))) continue;
        sharper.emplace_back(other.scene, r.result);
        against.push_back(r.id);
    }
    Entry& own = m_entries[resultId];
    Judgement injected;
    if (const auto it = m_injected.find(resultId); it != m_injected.end()) injected.objects = it->second;
    if (own.job || (own.judgement && own.against == against && own.injections == injected.objects.size())) return;
    own.problem.clear();
    own.result = e->result;
    own.suspected = true;
    own.against = against;
    own.injections = injected.objects.size();
    auto made = std::make_shared<Made>();
    own.job = m_document->start(
        tr("Looking for suspects in %1").arg(e->name),
        [made, rest, sharper, injected, folder = e->folder, scene = s->scene, result = e->result](Progress& progress) {
            const auto take = [&made](std::vector<Suspicion> more) {
                made->suspicions.insert(made->suspicions.end(), more.begin(), more.end());
            };
            take(suspectResiduals(*scene, *result, progress));
            take(suspectByCounts(*scene, *result));
            for (const auto& [name, other] : rest) {
                progress.check();
                take(suspectDisagreement(*scene, *result, *other, name));
            }
            for (const auto& [sky, seen] : sharper) {
                progress.check();
                take(suspectByReference(*scene, *result, referenceOf(*scene, *result, *sky, *seen), sky->id, false));
            }
            take(suspectByInjections(*scene, *result, injected));
            take(evidenceOnFile(folder));
            made->judgement =
                std::make_shared<const Judgement>(suspectedJudgement(*result, made->suspicions, &made->evidence));
        },
        [this, resultId, made](const Job& job) {
            const auto it = m_entries.find(resultId);
            if (it == m_entries.end() || it->second.job.get() != &job) return;
            it->second.job.reset();
            if (job.state() == Job::State::Finished) {
                it->second.judgement = made->judgement;
                it->second.suspicions = std::move(made->suspicions);
                it->second.evidence = std::move(made->evidence);
            } else {
                it->second.problem = job.state() == Job::State::Failed ? job.error() : tr("judging was stopped");
                if (job.state() == Job::State::Failed)
                    Q_EMIT m_document->message(Document::Severity::Error, job.error());
            }
            Q_EMIT changed();
            follow();
            // Another result may have come meanwhile, to be held against this one.
            judgeFinished();
        });
    Q_EMIT changed();
}

void JudgeController::judge(int resultId) {
    if (!hasTruth()) return suspect(resultId);
    const ResultEntry* e = m_document->resultEntry(resultId);
    const ScenePtr scene = m_document->scene();
    const auto registry = m_document->registry();
    if (!e || !judgeable(*e) || !scene || !registry || !obstacle().isEmpty()) return;
    Entry& own = m_entries[resultId];
    if (own.job || own.judgement) return;
    own.problem.clear();
    own.result = e->result;
    auto made = std::make_shared<JudgementPtr>();
    own.job = m_document->start(
        tr("Judging %1").arg(e->name),
        [made, scene, result = e->result, registry, folder = e->folder](Progress& progress) {
            *made = judgementOnFile(folder, *scene, *result);
            if (*made) return;
            *made = std::make_shared<const Judgement>(blendscope::judge(*scene, *result, *registry, progress));
        },
        [this, resultId, made](const Job& job) {
            const auto it = m_entries.find(resultId);
            // Its result is gone, or has another judgement by now.
            if (it == m_entries.end() || it->second.job.get() != &job) return;
            it->second.job.reset();
            it->second.judgement = *made;
            if (job.state() == Job::State::Failed) {
                it->second.problem = job.error();
                Q_EMIT m_document->message(Document::Severity::Error, tr("Judging stopped: %1").arg(job.error()));
            } else if (job.state() == Job::State::Cancelled) {
                it->second.problem = tr("judging was stopped"); // and does not begin again by itself
            }
            Q_EMIT changed();
            follow();
        });
    Q_EMIT changed();
}

void JudgeController::askProbabilities(int resultId, int realisations) {
    const ResultEntry* e = m_document->resultEntry(resultId);
    const ScenePtr scene = m_document->scene();
    const auto registry = m_document->registry();
    const auto known = m_entries.find(resultId);
    if (!e || !judgeable(*e) || !scene || !registry || !hasTruth() || known == m_entries.end()) return;
    Entry& own = known->second;
    if (own.job || !own.judgement || own.suspected) return;
    auto made = std::make_shared<JudgementPtr>();
    own.job = m_document->start(
        tr("Outcome probabilities of %1").arg(e->name),
        [made, scene, result = e->result, registry, realisations](Progress& progress) {
            JudgeOptions options;
            options.realisations = realisations;
            *made = std::make_shared<const Judgement>(blendscope::judge(*scene, *result, *registry, progress, options));
        },
        [this, resultId, made](const Job& job) {
            const auto it = m_entries.find(resultId);
            if (it == m_entries.end() || it->second.job.get() != &job) return;
            it->second.job.reset();
            if (job.state() == Job::State::Finished && *made) {
                it->second.judgement = *made;
                if ((*made)->realisations == 0 && !(*made)->notes.isEmpty())
                    Q_EMIT m_document->message(Document::Severity::Notice, (*made)->notes.last());
            }
            if (job.state() == Job::State::Failed)
                Q_EMIT m_document->message(Document::Severity::Error, tr("Judging stopped: %1").arg(job.error()));
            Q_EMIT changed();
            follow();
        });
    Q_EMIT changed();
}

void JudgeController::setJudgement(int resultId, JudgementPtr judgement) {
    const ResultEntry* e = m_document->resultEntry(resultId);
    if (!e) return;
    Entry& own = m_entries[resultId];
    if (own.job) own.job->cancel();
    own = {};
    own.judgement = std::move(judgement);
    own.result = e->result;
    Q_EMIT changed();
    follow();
}

void JudgeController::addInjection(int resultId, const TruthVerdict& verdict) {
    if (hasTruth() || !m_document->resultEntry(resultId)) return;
    std::vector<TruthVerdict>& all = m_injected[resultId];
    all.push_back(verdict);
    all.back().id = int(all.size());
    if (const Entry* own = entry(resultId); own && own->problem.isEmpty()) suspect(resultId);
}

void JudgeController::judgeAll() {
    const SceneEntry* s = m_document->current();
    if (!s) return;
    for (const auto& r : s->results) {
        const auto it = m_entries.find(r->id);
        if (it != m_entries.end() && !it->second.job && !it->second.judgement) m_entries.erase(it); // once more
        judge(r->id);
    }
}

void JudgeController::judgeFinished() {
    const SceneEntry* s = m_document->current();
    if (!s) return;
    for (const auto& r : s->results) {
        const Entry* own = entry(r->id);
        // A suspicion is looked at again when there is another result to compare with; what was stopped stays so.
        if (!own || (own->suspected && own->problem.isEmpty())) judge(r->id);
    }
}

void JudgeController::cancel() {
    const SceneEntry* s = m_document->current();
    if (!s) return;
    for (const auto& r : s->results) {
        const Entry* e = entry(r->id);
        if (e && e->job) e->job->cancel();
    }
}

bool JudgeController::running() const {
    return std::any_of(m_entries.begin(), m_entries.end(), [](const auto& e) { return e.second.job != nullptr; });
}

void JudgeController::setAutomatic(bool on) {
    m_automatic = on;
    if (on) judgeFinished();
}

void JudgeController::follow() {
    const JudgementPtr now = current();
    if (now == m_shown) return;
    const JudgementPtr before = std::exchange(m_shown, now);
    int selected = 0;
    if (before && now && before->sceneId == now->sceneId) {
        const BlendVerdict* was = before->blend(m_selected);
        const BlendVerdict* is = was ? OutcomeModel::counterpart(*was, *now) : nullptr;
        if (is) selected = is->id;
    }
    m_selected = selected;
    Q_EMIT currentChanged();
    Q_EMIT selectionChanged();
}

void JudgeController::selectBlend(int id) {
    const BlendVerdict* b = m_shown ? m_shown->blend(id) : nullptr;
    const int clean = b ? id : 0;
    if (clean == m_selected) return;
    m_selected = clean;
    // The result's own blend goes along, so that the inspector and the table of the other mode show it too.
    m_syncing = true;
    const ResultPtr result = m_document->result();
    const Object* o = b && result && !b->detections.empty() ? result->object(b->detections.front()) : nullptr;
    m_document->setSelection(o ? Selection{o->parent, 0} : Selection{});
    m_syncing = false;
    Q_EMIT selectionChanged();
}

int JudgeController::blendOfDetection(int objectId) const {
    const DetectionVerdict* d = m_shown ? m_shown->detection(objectId) : nullptr;
    return d ? d->blend : 0;
}

int JudgeController::blendAt(QPointF image) const {
    if (!m_shown) return 0;
    int best = 0;
    double least = 1e30;
    const auto near = [&](double x, double y, int blend) {
        const double d = std::hypot(x - image.x(), y - image.y());
        if (blend > 0 && d < least) {
            least = d;
            best = blend;
        }
    };
    for (const TruthVerdict& t : m_shown->objects) {
        near(t.x, t.y, t.blend);
    }
    for (const DetectionVerdict& d : m_shown->detections) {
        near(d.x, d.y, d.blend);
    }
    const BlendVerdict* b = m_shown->blend(best);
    const Box reach = b ? b->box.grown(4) : Box{};
    return b && reach.contains(int(std::lround(image.x())), int(std::lround(image.y()))) ? best : 0;
}

void JudgeController::onDocumentSelection() {
    if (m_syncing || !m_shown) return;
    const Selection s = m_document->selection();
    const ResultPtr result = m_document->result();
    int object = s.object;
    if (!object && result) {
        const Blend* blend = result->blend(s.blend);
        if (blend && !blend->objects.empty()) object = blend->objects.front();
    }
    const int found = object ? blendOfDetection(object) : 0;
    if (found == 0 || found == m_selected) return;
    m_selected = found;
    Q_EMIT selectionChanged();
}

} // namespace blendscope
