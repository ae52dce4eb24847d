#include "judge/Judge.h"

#include "core/Error.h"
#include "core/Random.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "judge/Attribution.h"
#include "judge/IsolatedImages.h"
#include "judge/IsolatedRuns.h"
#include "judge/SceneScore.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

// What is found without the true objects may be what an imperfect drawing of them has left. It counts as a neighbour
// where it has this much of the true objects' light on its pixels; close to one of them, also this share of its S/N; at
// an object's very place, its full S/N. A size or shape that is wrong leaves lobes on both sides: two of like S/N that
// mirror each other in an object are no neighbours, unless they are bright against it.
constexpr double kNeighbourLight = 0.3, kNeighbourShare = 0.2;
constexpr double kCloseFwhm = 2.2, kLobesFwhm = 5.0, kMirrorFwhm = 0.4, kLikeLobes = 2.0;
// Truth is not complete where more neighbours than this share of the true objects have this aperture S/N.
constexpr double kUnknownShare = 0.1, kUnknownSnr = 8.0;

/// No level, and the noise that the parent's sky had (or its variance plane, where it had none).
class NoLevel final : public SkyModel {
public:
    NoLevel(SkyModelPtr parent, PlanePtr variance) : m_parent(std::move(parent)), m_variance(std::move(variance)) {}
    [[nodiscard]] cv::Mat level(const Box& box) const override { return cv::Mat::zeros(box.size(), CV_32F); }
    [[nodiscard]] cv::Mat rms(const Box& box) const override {
        if (m_parent) return m_parent->rms(box);
        cv::Mat out;
        cv::sqrt(cv::max(m_variance->read(box), 0.0f), out);
        return out;
    }
    [[nodiscard]] bool isZero() const override { return true; }

private:
    SkyModelPtr m_parent;
    PlanePtr m_variance;
};

double medianFwhm(const Scene& scene) {
    std::vector<double> widths;
    for (const Band& band : scene.bands) {
        if (band.psf.known() && band.psf.fwhmPixels > 0.0) widths.push_back(band.psf.fwhmPixels);
    }
    if (widths.empty()) return 0.0;
    std::sort(widths.begin(), widths.end());
    const size_t middle = widths.size() / 2;
    return widths.size() % 2 ? widths[middle] : 0.5 * (widths[middle - 1] + widths[middle]);
}

/// Half a FWHM or 0.4 arcsec, whichever is more: the radius within which positions alone are matched.
double matchRadius(const Scene& scene, double fwhmPixels) {
    const double radius = std::max(0.5 * fwhmPixels, scene.pixelScale > 0.0 ? 0.4 / scene.pixelScale : 0.0);
    return radius > 0.0 ? radius : 2.0;
}

/// Pixels of footprints to their nearest peak: label i + 1 for list[i].
cv::Mat nearestLabels(const Result& result, const std::vector<IsolatedRuns::Found>& list, cv::Size size) {
    cv::Mat labels = cv::Mat::zeros(size, CV_32S);
    std::map<int, std::vector<size_t>> byFootprint;
    for (size_t i = 0; i < list.size(); ++i) {
        byFootprint[list[i].footprint].push_back(i);
    }
    for (const Footprint& f : result.footprints) {
        const auto it = byFootprint.find(f.id);
        if (it == byFootprint.end()) continue;
        for (const Span& s : f.spans) {
            if (s.y < 0 || s.y >= size.height) continue;
            for (int x = std::max(0, s.x0); x < std::min(s.x1, size.width); ++x) {
                double best = std::numeric_limits<double>::max();
                for (const size_t i : it->second) {
                    const double d = std::hypot(list[i].x - x, list[i].y - s.y);
                    if (d >= best) continue;
                    best = d;
                    labels.at<int>(s.y, x) = static_cast<int>(i) + 1;
                }
            }
        }
    }
    return labels;
}

/// One judging: what its steps share.
class Judging {
public:
    Judging(const Scene& scene, const Result& result, const Registry& registry, Progress& progress,
            const JudgeOptions& options);
    Judgement run();

private:
    [[nodiscard]] static Pipeline pipelineOf(const Result& result, const JudgeOptions& options);
    void setConditions();
    void takeLightOff();
    [[nodiscard]] std::vector<cv::Mat> drawnNoise(int realisation, bool objectsToo) const;
    [[nodiscard]] AttributionInput truthInput(const std::vector<AloneFinding>& alone) const;
    /// What the detector finds without the true objects.
    [[nodiscard]] std::vector<AttributionTruth> findNeighbours() const;
    [[nodiscard]] bool truthIsComplete(std::vector<AttributionTruth>& neighbours) const;
    [[nodiscard]] std::vector<cv::Point2d> roundingOffsets();
    void addDetections(AttributionInput& input, const Result& result) const;
    void realise(Judgement& judgement);

    const Scene& m_scene;
    const Result& m_result;
    const Registry& m_registry;
    Progress& m_progress;
    const JudgeOptions& m_options;
    QStringList m_notes;
    Pipeline m_pipeline;
    std::vector<char> m_usable;
    double m_fwhm, m_radius, m_reach;
    IsolatedImages m_images;
    IsolatedRuns m_runs;
    std::vector<SkyModelPtr> m_sky; ///< per band of the scene, as the result's; may be empty
    bool m_complete = true;
    IsolatedRuns::Conditions m_conditions;
    std::vector<cv::Mat> m_noiseless; ///< per judged band: all true objects
    std::vector<cv::Mat> m_rest;      ///< per judged band: the image without sky and true objects
};

std::vector<char> usableObjects(const Scene& scene) {
    std::vector<char> usable;
    for (const TruthObject& t : scene.truth->objects) {
        bool good = std::isfinite(t.x) && std::isfinite(t.y) && t.x >= -0.5 && t.y >= -0.5 &&
                    t.x < scene.size.width - 0.5 && t.y < scene.size.height - 0.5;
        if (good && scene.footprintMask) {
            const Box pixel{std::clamp(static_cast<int>(std::lround(t.x)), 0, scene.size.width - 1),
                            std::clamp(static_cast<int>(std::lround(t.y)), 0, scene.size.height - 1), 1, 1};
            good = scene.footprintMask->read(pixel).at<int>(0, 0) == 0;
        }
        usable.push_back(good);
    }
    return usable;
}

const Scene& checked(const Scene& scene) {
    if (!scene.truth || scene.truth->objects.empty()) {
        throw UsageError(QStringLiteral("%1 has no truth to judge by").arg(scene.id));
    }
    if (scene.bands.empty() || scene.size.empty()) throw UsageError(QStringLiteral("%1 has no image").arg(scene.id));
    return scene;
}

Pipeline Judging::pipelineOf(const Result& result, const JudgeOptions& options) {
    if (options.pipeline) return *options.pipeline;
    try {
        return Pipeline::fromJson(result.pipeline);
    } catch (const UsageError&) {
        throw UsageError(QStringLiteral("the result does not say with what it was detected: name the pipeline, so that "
                                        "each object can be looked at alone"));
    }
}

Judging::Judging(const Scene& scene, const Result& result, const Registry& registry, Progress& progress,
                 const JudgeOptions& options)
    : m_scene(checked(scene)), m_result(result), m_registry(registry), m_progress(progress), m_options(options),
      m_pipeline(pipelineOf(result, options)), m_usable(usableObjects(scene)), m_fwhm(medianFwhm(scene)),
      m_radius(matchRadius(scene, m_fwhm)),
      m_reach(std::max({1.5 * m_fwhm, scene.pixelScale > 0.0 ? 1.0 / scene.pixelScale : 0.0, m_radius})),
      m_images(scene, progress, options.threads, m_notes),
      m_runs(scene, m_images, m_usable, m_fwhm > 0.0 ? m_fwhm : 3.0, options.isolation == JudgeOptions::Isolation::Each,
             progress, options.threads) {
    if (m_images.bands().empty()) {
        throw UsageError(
            QStringLiteral("%1 has no isolated images of its true objects, and they cannot be rendered from "
                           "the truth table: without them outcomes cannot be told")
                .arg(scene.id));
    }
    // An iteration on the residual of an object that was not found sees the same image again: nothing new about an
    // object alone.
    m_pipeline.residualIterations = 0;
}

void Judging::setConditions() {
    const size_t bands = m_scene.bands.size();
    if (m_result.sky.size() == bands) m_sky = m_result.sky;
    QJsonObject conditions = m_result.conditions;
    if (conditions.isEmpty()) {
        // What the detector went by on the whole scene was not kept: it is measured again on the same image.
        RunOptions options;
        options.threads = m_options.threads;
        options.device = m_options.device;
        options.detectionOnly = true;
        options.sky = m_sky;
        const ResultPtr again = runPipeline(m_scene, m_pipeline, m_registry, m_progress, options);
        conditions = again->conditions;
        if (m_sky.empty() && again->sky.size() == bands) m_sky = again->sky;
    }
    size_t peaks = 0;
    for (const Footprint& f : m_result.footprints) {
        peaks += f.peaks.size();
    }
    m_conditions.detectionOnly = m_result.objects.empty() || m_result.objects.size() == peaks;
    m_conditions.conditions = conditionsOfBands(conditions, bands, m_images.bands());
    for (size_t b = 0; b < bands; ++b) {
        m_conditions.sky.push_back(
            std::make_shared<NoLevel>(b < m_sky.size() ? m_sky[b] : nullptr, m_scene.bands[b].variance));
    }
}

/// Tables that give whole pixels have lost where their objects are: what was detected there tells it better. Empty
/// where positions are exact.
std::vector<cv::Point2d> Judging::roundingOffsets() {
    const std::vector<TruthObject>& truths = m_scene.truth->objects;
    const auto whole = [](const TruthObject& t) { return t.x == std::floor(t.x) && t.y == std::floor(t.y); };
    const bool drawn = m_scene.truth->isolated.empty() && m_scene.truth->noiseless.empty();
    if (!drawn || !std::all_of(truths.begin(), truths.end(), whole)) return {};
    std::vector<cv::Point2d> offsets(truths.size());
    for (size_t i = 0; i < truths.size(); ++i) {
        double nearest = std::min(m_radius, 1.5);
        for (const Object& o : m_result.objects) {
            const double d = std::hypot(o.x - truths[i].x, o.y - truths[i].y);
            if (!(d < nearest)) continue;
            nearest = d;
            offsets[i] = {o.x - truths[i].x, o.y - truths[i].y};
        }
    }
    m_notes << QStringLiteral(
        "true positions are whole pixels: to take the objects off, those of their detections were used");
    return offsets;
}

void Judging::takeLightOff() {
    const std::vector<cv::Point2d> offsets = roundingOffsets();
    const Truth& truth = *m_scene.truth;
    const std::vector<int>& bands = m_images.bands();
    m_progress.begin(QStringLiteral("taking the objects off"), static_cast<long long>(bands.size()));
    for (const int b : bands) {
        const auto k = static_cast<size_t>(b);
        cv::Mat all;
        if (k < truth.noiseless.size() && truth.noiseless[k] && truth.noiseless[k]->size() == m_scene.size) {
            all = truth.noiseless[k]->read(m_scene.box()).clone();
        } else {
            all = cv::Mat::zeros(m_scene.size, CV_32F);
            for (size_t i = 0; i < truth.objects.size(); ++i) {
                IsolatedImages::Cutout cutout = m_images.cutout(i, b);
                if (cutout.box.empty()) continue;
                if (i < offsets.size()) {
                    const cv::Matx23d shift(1, 0, offsets[i].x, 0, 1, offsets[i].y);
                    cv::Mat moved;
                    cv::warpAffine(cutout.light, moved, shift, cutout.light.size(), cv::INTER_CUBIC);
                    cutout.light = moved;
                }
                cv::Mat view = all(cutout.box.rect());
                view += cutout.light;
            }
        }
        cv::Mat rest = m_scene.bands[k].image->read(m_scene.box()) - all;
        if (k < m_sky.size() && m_sky[k] && !m_sky[k]->isZero()) rest -= m_sky[k]->level(m_scene.box());
        m_noiseless.push_back(all);
        m_rest.push_back(rest);
        m_progress.advance();
    }
}

std::vector<cv::Mat> Judging::drawnNoise(int realisation, bool objectsToo) const {
    std::vector<cv::Mat> out;
    for (size_t k = 0; k < m_images.bands().size(); ++k) {
        const Band& band = m_scene.bands[static_cast<size_t>(m_images.bands()[k])];
        const cv::Mat variance = band.variance->read(m_scene.box());
        // Where the plane is the sky's alone, objects add their Poisson noise; else it is in there already.
        const float gain =
            objectsToo && band.varianceIsSkyOnly && band.gain > 0.0 ? static_cast<float>(band.gain) : 0.0f;
        cv::Mat noise(m_scene.size, CV_32F);
        TaskPool::shared().parallelFor(
            noise.rows,
            [&](int y) {
                Random random(m_options.seed, static_cast<std::uint64_t>(realisation),
                              static_cast<std::uint64_t>(m_images.bands()[k]), static_cast<std::uint64_t>(y));
                const auto* v = variance.ptr<float>(y);
                const auto* light = m_noiseless[k].ptr<float>(y);
                auto* n = noise.ptr<float>(y);
                for (int x = 0; x < noise.cols; ++x) {
                    float power = v[x] > 0.0f && std::isfinite(v[x]) ? v[x] : 0.0f;
                    if (gain > 0.0f && light[x] > 0.0f) power += light[x] / gain;
                    n[x] = static_cast<float>(random.normal()) * std::sqrt(power);
                }
            },
            m_options.threads);
        out.push_back(noise);
    }
    return out;
}

AttributionInput Judging::truthInput(const std::vector<AloneFinding>& alone) const {
    AttributionInput input;
    input.size = m_scene.size;
    input.radius = m_radius;
    input.reach = m_reach;
    input.leastSnr = m_options.leastSnr;
    input.complete = m_complete;
    for (size_t i = 0; i < m_scene.truth->objects.size(); ++i) {
        const TruthObject& t = m_scene.truth->objects[i];
        const ObjectLight& light = m_runs.lights()[i];
        input.truths.push_back({t.id, t.x, t.y, m_usable[i] != 0, true, light.box, light.light, light.snr,
                                alone[i].detections, alone[i].significance});
    }
    return input;
}

/// What the detector finds in the image without the true objects are real neighbours.
std::vector<AttributionTruth> Judging::findNeighbours() const {
    RunOptions options;
    options.threads = m_options.threads;
    options.device = m_options.device;
    options.detectionOnly = m_conditions.detectionOnly;
    options.conditions = m_conditions.conditions;
    for (const int b : m_images.bands()) {
        options.sky.push_back(m_conditions.sky[static_cast<size_t>(b)]);
    }
    const ResultPtr result = runPipeline(m_runs.withImages(m_rest), m_pipeline, m_registry, m_progress, options);
    m_progress.check();
    const std::vector<IsolatedRuns::Found> list = IsolatedRuns::found(*result);
    const cv::Mat labels = nearestLabels(*result, list, m_scene.size), light = m_runs.lightOf(m_rest),
                  trueLight = m_runs.lightOf(m_noiseless);
    std::vector<Box> boxes(list.size());
    for (int y = 0; y < labels.rows; ++y) {
        for (int x = 0; x < labels.cols; ++x) {
            const auto label = static_cast<size_t>(labels.at<int>(y, x));
            if (label > 0) boxes[label - 1] = boxes[label - 1].united({x, y, 1, 1});
        }
    }
    std::vector<AttributionTruth> neighbours;
    for (size_t i = 0; i < list.size(); ++i) {
        AttributionTruth n;
        n.x = list[i].x;
        n.y = list[i].y;
        n.known = false;
        n.detectionsAlone = 1;
        n.significanceAlone = double(list[i].significance);
        n.snr = double(list[i].significance);
        if (!boxes[i].empty()) {
            n.box = boxes[i];
            n.light = light(boxes[i].rect()).clone();
            n.light.setTo(0.0f, labels(boxes[i].rect()) != static_cast<int>(i) + 1);
            const double area = cv::countNonZero(n.light);
            if (!(n.snr > 0.0) && area > 0.0) n.snr = cv::sum(n.light)[0] / std::sqrt(area);
        }
        bool real = true;
        if (!n.light.empty()) {
            const cv::Mat there = n.light > 0.0f;
            real = cv::sum(n.light)[0] >=
                   kNeighbourLight * cv::mean(trueLight(n.box.rect()), there)[0] * cv::countNonZero(there);
        }
        for (size_t t = 0; t < m_usable.size() && real; ++t) {
            if (!m_usable[t]) continue;
            const TruthObject& object = m_scene.truth->objects[t];
            const double own = m_runs.lights()[t].snr, distance = std::hypot(n.x - object.x, n.y - object.y);
            if (distance <= m_radius) {
                real = n.snr >= own;
            } else if (distance <= kCloseFwhm * m_fwhm) {
                real = n.snr >= kNeighbourShare * own;
            }
        }
        if (real) neighbours.push_back(std::move(n));
    }
    std::vector<char> lobe(neighbours.size(), 0);
    for (size_t t = 0; t < m_usable.size(); ++t) {
        if (!m_usable[t]) continue;
        const TruthObject& object = m_scene.truth->objects[t];
        const double most = kNeighbourShare * m_runs.lights()[t].snr;
        for (size_t i = 0; i < neighbours.size(); ++i) {
            const AttributionTruth& a = neighbours[i];
            if (!(a.snr < most) || std::hypot(a.x - object.x, a.y - object.y) > kLobesFwhm * m_fwhm) continue;
            for (size_t j = 0; j < i; ++j) {
                const AttributionTruth& b = neighbours[j];
                const double off = std::hypot(a.x + b.x - 2.0 * object.x, a.y + b.y - 2.0 * object.y);
                if (!(b.snr < most) || off > 2.0 * kMirrorFwhm * m_fwhm) continue;
                if (std::max(a.snr, b.snr) > kLikeLobes * std::min(a.snr, b.snr)) continue;
                lobe[i] = lobe[j] = 1;
            }
        }
    }
    std::vector<AttributionTruth> kept;
    for (size_t i = 0; i < neighbours.size(); ++i) {
        if (lobe[i]) continue;
        neighbours[i].id = -static_cast<int>(kept.size()) - 1;
        kept.push_back(std::move(neighbours[i]));
    }
    return kept;
}

bool Judging::truthIsComplete(std::vector<AttributionTruth>& neighbours) const {
    if (m_options.complete) return *m_options.complete;
    if (const std::optional<bool> known = truthNamesAll(m_scene)) return *known;
    neighbours = findNeighbours();
    const auto bright = std::count_if(neighbours.begin(), neighbours.end(), [](const AttributionTruth& n) {
        const double area = n.light.empty() ? 0.0 : cv::countNonZero(n.light);
        return area > 0.0 && cv::sum(n.light)[0] / std::sqrt(area) >= kUnknownSnr;
    });
    const auto usable = std::count(m_usable.begin(), m_usable.end(), char(1));
    // A single one may be left over by a drawing that is not exact, however few objects there are.
    return static_cast<double>(bright) <= std::max(1.0, kUnknownShare * static_cast<double>(usable));
}

void Judging::addDetections(AttributionInput& input, const Result& result) const {
    if (result.objects.empty()) {
        const std::vector<IsolatedRuns::Found> list = IsolatedRuns::found(result);
        for (size_t i = 0; i < list.size(); ++i) {
            input.detections.push_back({static_cast<int>(i) + 1, list[i].x, list[i].y, list[i].footprint});
        }
        input.labels = nearestLabels(result, list, m_scene.size);
        return;
    }
    for (const Object& o : result.objects) {
        if (o.flags & (FlagNotDetected | FlagOutside)) continue;
        const bool centroid = std::isfinite(o.x) && std::isfinite(o.y);
        input.detections.push_back({o.id, centroid ? o.x : o.peakX, centroid ? o.y : o.peakY, o.parent});
    }
    if (result.segmentation.size() == m_scene.size && result.segmentation.type() == CV_32S) {
        input.labels = result.segmentation;
    }
}

void Judging::realise(Judgement& judgement) {
    if (m_options.realisations <= 0) return;
    if (!m_complete) {
        judgement.notes << QStringLiteral(
            "noise cannot be drawn again where the image holds unknown objects: there are "
            "no probabilities");
        return;
    }
    Pipeline pipeline = m_options.pipeline ? *m_options.pipeline : Pipeline::fromJson(m_result.pipeline);
    RunOptions options;
    options.threads = m_options.threads;
    options.device = m_options.device;
    options.conditions = m_conditions.conditions;
    for (const int b : m_images.bands()) {
        options.sky.push_back(m_conditions.sky[static_cast<size_t>(b)]);
    }
    std::vector<QMap<Outcome, int>> objects(judgement.objects.size()), blends(judgement.blends.size());
    std::vector<int> alone(judgement.objects.size(), 0);
    Progress inner(m_progress.token()); // what a person sees is the number of realisations
    m_progress.begin(QStringLiteral("noise realisations"), m_options.realisations);
    for (int r = 1; r <= m_options.realisations; ++r) {
        const std::vector<cv::Mat> noise = drawnNoise(r, true);
        std::vector<cv::Mat> images;
        for (size_t k = 0; k < noise.size(); ++k) {
            images.push_back(m_noiseless[k] + noise[k]);
        }
        const ResultPtr blend = runPipeline(m_runs.withImages(images), pipeline, m_registry, inner, options);
        inner.check();
        AttributionInput input =
            truthInput(m_runs.run(noise, m_pipeline, m_registry, m_conditions, m_radius, m_options.device, inner));
        addDetections(input, *blend);
        const Judgement once = attribute(input);
        for (size_t i = 0; i < once.objects.size(); ++i) {
            ++objects[i][once.objects[i].outcome];
            alone[i] += once.objects[i].detectedAlone;
        }
        for (size_t i = 0; i < judgement.blends.size(); ++i) {
            if (judgement.blends[i].isBlend()) ++blends[i][outcomeOfMembers(once, judgement.blends[i].members)];
        }
        m_progress.advance();
    }
    const double all = m_options.realisations;
    for (size_t i = 0; i < objects.size(); ++i) {
        if (judgement.objects[i].outcome == Outcome::Outside) continue;
        for (auto it = objects[i].begin(); it != objects[i].end(); ++it) {
            judgement.objects[i].probability.insert(it.key(), it.value() / all);
        }
        judgement.objects[i].aloneProbability = alone[i] / all;
    }
    for (size_t i = 0; i < blends.size(); ++i) {
        for (auto it = blends[i].begin(); it != blends[i].end(); ++it) {
            judgement.blends[i].probability.insert(it.key(), it.value() / all);
        }
    }
    judgement.realisations = m_options.realisations;
}

Judgement Judging::run() {
    const auto start = std::chrono::steady_clock::now();
    setConditions();
    takeLightOff();
    std::vector<AttributionTruth> neighbours;
    m_complete = truthIsComplete(neighbours);
    const std::vector<cv::Mat> noise = m_complete ? m_rest : drawnNoise(0, false);
    if (!m_complete) {
        m_notes << QStringLiteral(
            "the image holds objects that truth does not name: each true object stands alone in noise "
            "drawn from the variance plane, and what the detector finds without the true objects "
            "are its neighbours");
    }
    AttributionInput input =
        truthInput(m_runs.run(noise, m_pipeline, m_registry, m_conditions, m_radius, m_options.device, m_progress));
    if (!m_complete) {
        if (neighbours.empty()) neighbours = findNeighbours();
        input.truths.insert(input.truths.end(), neighbours.begin(), neighbours.end());
    }
    addDetections(input, m_result);
    Judgement judgement = attribute(input);
    if (!m_result.complete) m_notes << QStringLiteral("the result is not complete: the run was stopped");
    if (std::any_of(m_result.objects.begin(), m_result.objects.end(),
                    [](const Object& o) { return o.position >= 0; })) {
        m_notes << QStringLiteral("the positions of this result were given, not detected");
    }
    judgement.notes = m_notes;
    judgement.sceneId = m_scene.id;
    for (const int b : m_images.bands()) {
        judgement.bands << m_scene.bands[static_cast<size_t>(b)].name;
    }
    judgement.pipeline = m_result.pipeline.isEmpty() ? m_pipeline.toJson() : m_result.pipeline;
    judgement.isolatedScenes = m_runs.scenes();
    realise(judgement);
    judgement.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return judgement;
}

} // namespace

Judgement judge(const Scene& scene, const Result& result, const Registry& registry, Progress& progress,
                const JudgeOptions& options) {
    checked(scene);
    return Judging(scene, result, registry, progress, options).run();
}

} // namespace blendscope
